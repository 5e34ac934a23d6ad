// unival: normalize_text.h - how metrics of texts read an answer.
#ifndef UNIVAL_TASKS_METRICS_NORMALIZE_TEXT_H_
#define UNIVAL_TASKS_METRICS_NORMALIZE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// Lower case (ASCII), single blanks; without ASCII punctuation if asked.
std::string NormalizeText(absl::string_view text, bool drop_punctuation);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_NORMALIZE_TEXT_H_
