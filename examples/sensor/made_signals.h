// unival: made_signals.h
//
// Signals that a language model is pretrained on, so that a new sensor's linear connection can make
// it say any sentence, and two sentences together that training never showed together. A row of a
// signal is the model's own row of a token (text_codes.h) with noise, a weaker token here and
// there, and an offset that all rows share, since no connection hits a row exactly. Tokens stand
// close together or with gaps; some stand twice; a second sentence starts halfway or anywhere.
//
//   MadeSignalOptions options{"models/base", "data"};
//   absl::Status made = GenerateMadeSignals(options);
//
// Texts are those of `make-english` in the same folder: DATA/english/SPLIT/copy.jsonl and
// words.jsonl. Layout: DATA/signals/SPLIT/ (train, eval) with sensor.tar (a CSV file a record: a
// line a position, d_model numbers) and say.jsonl (columns sensor, text, kind).
#ifndef UNIVAL_EXAMPLES_SENSOR_MADE_SIGNALS_H_
#define UNIVAL_EXAMPLES_SENSOR_MADE_SIGNALS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival::sensor {

struct MadeSignalOptions {
  std::string model_dir;
  std::string data_dir;
  std::vector<std::string> kinds;  // empty: all of MadeSignalKinds(), each with its share
  int64_t train_count = 70000;
  int64_t eval_count = 300;
  double noise = 0.7;  // the largest deviation that is added; the numbers of a token have 1
  uint64_t seed = 1;
};

// "dense": tokens row by row; "gaps": with empty rows or repeated ones between; "halves": a
// sentence in each half; "split": two sentences, the second wherever the first leaves room.
std::vector<std::string> MadeSignalKinds();

// The same options and files give the same bytes. Errors: those of loading the model and of reading
// the texts, InvalidArgument (an option, no text that is short enough), Unavailable (cannot write).
absl::Status GenerateMadeSignals(const MadeSignalOptions& options);

}  // namespace unival::sensor

#endif  // UNIVAL_EXAMPLES_SENSOR_MADE_SIGNALS_H_
