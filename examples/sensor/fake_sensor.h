// unival: fake_sensor.h
//
// Data of a sensor that does not exist, which says a user's own sentences: every sentence has a
// random vector at each position (kind "changing"), or one at all of them (kind "steady", a signal
// that does not change), and every record is that with fresh noise. What a linear map can tell
// apart at once; so what a trained connection gets wrong is the language model's.
//
//   FakeSensorOptions options{"own_words.json", "data"};
//   absl::Status made = GenerateFakeSensor(options);
//
// `labels_file`: JSON {"SET": ["a sentence", ...], ...}. Layout: OUT/SET/KIND/SPLIT/ (train, eval)
// with sensor.tar (a CSV file a record: a line a position) and say.jsonl (columns sensor, text).
// With `pairs`, a record says a sentence of the set's first half and one of its second half:
// "together", their vectors are added at every position, or "after", the first sentence's signal is
// followed halfway by the second's. OUT/SET/KIND_PAIRS then also has eval_held_out, pairs that
// train never shows, though each sentence of them is there with others.
#ifndef UNIVAL_EXAMPLES_SENSOR_FAKE_SENSOR_H_
#define UNIVAL_EXAMPLES_SENSOR_FAKE_SENSOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival::sensor {

struct FakeSensorOptions {
  std::string labels_file;
  std::string output_dir;
  std::vector<std::string> sets;   // empty: all of the file
  std::vector<std::string> kinds;  // empty: all of FakeSensorKinds()
  std::string pairs;               // empty: none; else one of PairKinds()
  int64_t train_count = 100;       // records of each sentence or pair
  int64_t eval_count = 20;
  int64_t positions = 16;
  int64_t width = 64;  // numbers at a position, each from a normal distribution of deviation 1
  double noise = 0.5;  // deviation of what is added to each number of a record
  uint64_t seed = 1;
};

std::vector<std::string> FakeSensorKinds();  // "changing", "steady"
std::vector<std::string> PairKinds();        // "after", "together"

// The same options and file give the same bytes. Errors: NotFound (file, set), InvalidArgument (an
// option; a set that is no list of different, non-empty sentences; pairs of fewer than four),
// Unavailable (cannot write).
absl::Status GenerateFakeSensor(const FakeSensorOptions& options);

}  // namespace unival::sensor

#endif  // UNIVAL_EXAMPLES_SENSOR_FAKE_SENSOR_H_
