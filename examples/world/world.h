// unival: world.h
//
// Writes data sets of a small procedural world: pictures, videos, depth maps and sounds of simple
// things with captions, questions and regions, and sentences without media. Everything is true by
// construction and follows from a seed.
//
//   WorldOptions options;
//   options.output_dir = "world";
//   options.kinds = {"image", "text"};
//   absl::Status made = GenerateWorld(options);
//   // world/image/train/{images.tar,caption.jsonl,vqa.jsonl,grounding.jsonl}, .../eval/...
//
// Layout: OUT/KIND/SPLIT/ holds one tar of media and one JSONL file per task (caption, vqa,
// grounding; for text copy, denoise, qa). Splits: train, eval, and for depth eval_held_out, whose
// scenes contain a combination of shape and distance that train and eval never show or mention.
// OUT/KIND/world.json says how it was made.
#ifndef UNIVAL_EXAMPLES_WORLD_WORLD_H_
#define UNIVAL_EXAMPLES_WORLD_WORLD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "examples/world/random.h"

namespace unival::world {

struct WorldProgress {
  std::string kind;
  Split split = Split::kTrain;
  int64_t done = 0;  // samples
  int64_t total = 0;
};

struct WorldOptions {
  std::string output_dir;
  std::vector<std::string> kinds;  // empty: all; see WorldKinds()
  int64_t train_count = 20000;     // samples of each kind
  int64_t eval_count = 1000;       // also of eval_held_out
  uint64_t seed = 1;
  std::function<void(const WorldProgress&)> progress;  // may be empty; called on the calling thread
};

// "image", "image_varied", "video", "depth", "sound", "text", "text_plain".
std::vector<std::string> WorldKinds();

// Replaces what stands under OUT/KIND/SPLIT; other kinds stay. One thread.
// Errors: InvalidArgument (unknown kind, negative count, no output folder), Unavailable (no tar can
// be made), those of SystemError (no folder can be made, cannot write).
absl::Status GenerateWorld(const WorldOptions& options);

struct CorpusOptions {
  std::string output_file;
  int64_t sentences = 100000;  // besides the lexicon, whose every word stands on a line of its own
  uint64_t seed = 1;
  // Lines to take over, e.g. captions and prompts of other data.
  std::vector<std::string> extra_files;
};

// Writes one sentence per line, captions, questions and answers of all kinds, to train a tokenizer
// on. Errors: NotFound (an extra file), those of SystemError (cannot write).
absl::Status WriteCorpus(const CorpusOptions& options);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_WORLD_H_
