// unival: corpus.h - whether a file of text is something a tokenizer can be trained on.
#ifndef UNIVAL_TRAINING_DATA_CHECK_CORPUS_H_
#define UNIVAL_TRAINING_DATA_CHECK_CORPUS_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// Checks the corpus, because a tokenizer's trainer ends the process on one that it cannot use.
// InvalidArgument when no line of at most 4192 bytes holds a character to learn. At most 64 MiB are
// looked at. ResourceExhausted for a file too large for any training; other errors as
// OpenRegularFile.
absl::Status CheckCorpus(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_CORPUS_H_
