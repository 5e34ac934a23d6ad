// unival: corpus.h - whether a file of text is something a tokenizer can be trained on.
#ifndef UNIVAL_TRAINING_DATA_CORPUS_H_
#define UNIVAL_TRAINING_DATA_CORPUS_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// InvalidArgument for a corpus in which no line of at most 4192 bytes holds a character that a
// tokenizer could learn: trainers end the process there. At most 64 MiB are looked at.
// ResourceExhausted for a file that no training gets through; other errors as OpenRegularFile.
absl::Status CheckCorpus(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CORPUS_H_
