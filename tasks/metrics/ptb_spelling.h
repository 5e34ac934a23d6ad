// unival: ptb_spelling.h - how tokens of the Penn Treebank are written, see ptb_tokenizer.h.
#ifndef UNIVAL_TASKS_METRICS_PTB_SPELLING_H_
#define UNIVAL_TASKS_METRICS_PTB_SPELLING_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tasks/metrics/ptb_rules.h"

namespace unival {

// What a token becomes, where it only has to be spelled otherwise.
std::string PtbSpelled(PtbAction action, absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_PTB_SPELLING_H_
