// unival: ptb_tokenizer.h
//
// Words of captions as the COCO caption evaluation counts them: the Penn Treebank's tokens, in the
// form that Stanford's tokenizer 3.4.1 gives them with its options -preserveLines -lowerCase, less
// the punctuation that the evaluation drops.
//
//   TokenizeCaptions({"A girl's t-shirt (red)."});   // {"a girl 's t-shirt -lrb- red -rrb-"}
//
// What surprises, and is kept because published figures were counted so: "don't" is two words
// ("do", "n't"); brackets stay as words, since the evaluation's list holds "-LRB-" and the text
// "-lrb-"; "!!" stays while "!" goes; pictographs outside the Basic Multilingual Plane vanish.
#ifndef UNIVAL_TASKS_METRICS_PTB_TOKENIZER_H_
#define UNIVAL_TASKS_METRICS_PTB_TOKENIZER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// One text per caption, its words joined by single blanks; UTF-8. The captions are read as one
// text, a line each, as the evaluation reads them: of an abbreviation at the end of a caption the
// beginning of the next one decides whether its period belongs to it. Thread-safe.
std::vector<std::string> TokenizeCaptions(const std::vector<std::string>& captions);

// Letters in lower case, as in no language in particular; UTF-8.
std::string LowerCase(const std::string& text);

// The tokens of a text before anything is dropped, each line's apart; not lower-cased.
std::vector<std::vector<std::string>> PtbTokens(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_PTB_TOKENIZER_H_
