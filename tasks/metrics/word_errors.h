// unival: word_errors.h - the word error rate.
#ifndef UNIVAL_TASKS_METRICS_WORD_ERRORS_H_
#define UNIVAL_TASKS_METRICS_WORD_ERRORS_H_

#include "absl/strings/string_view.h"

namespace unival {

struct WordErrors {
  double errors = 0;  // substituted, left out and added words, as few as possible
  double words = 0;   // of the reference
};

// Words are compared without case and without the marks . , ? ! ; : " around them.
WordErrors CountWordErrors(absl::string_view said, absl::string_view reference);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_WORD_ERRORS_H_
