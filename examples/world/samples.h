// unival: samples.h
//
// One sample of each kind of the world: media bytes and the records of every task that uses them.
//
//   const SampleKind* kind = FindSampleKind("image");
//   Random random(SampleSeed(seed, kind->name, Split::kTrain, 7));
//   absl::StatusOr<Sample> sample = kind->make("images.tar:000007.png", Split::kTrain, &random);
//
// Columns: image | video | depth | audio, caption; question, answer, kind; text, box, width,
// height; held_out (depth). Boxes are [x0, y0, x1, y1] in pixels of an image of width x height.
#ifndef UNIVAL_EXAMPLES_WORLD_SAMPLES_H_
#define UNIVAL_EXAMPLES_WORLD_SAMPLES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "examples/world/random.h"
#include "examples/world/record_writer.h"

namespace unival::world {

struct TaskRecord {
  std::string task;  // "caption", "vqa", "grounding", "copy", "denoise", "qa"
  Record record;
};

struct Sample {
  std::string media;  // bytes of the file; empty for text
  std::vector<TaskRecord> records;
};

struct SampleKind {
  std::string name;        // "image", "image_varied", "video", ..., see WorldKinds()
  std::string media_file;  // "images.tar"; empty for text
  std::string extension;   // of members: ".png"
  std::vector<Split> splits;
  // Pure: the same arguments give the same bytes. `media_path` is what records call the media.
  absl::StatusOr<Sample> (*make)(const std::string& media_path, Split split, Random* random);
};

const std::vector<SampleKind>& SampleKinds();
// Null when there is no such kind.
const SampleKind* FindSampleKind(absl::string_view name);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_SAMPLES_H_
