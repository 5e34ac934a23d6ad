// unival: html_text.h - pages that need nothing else: no script, no file, no network.
#ifndef UNIVAL_TRAINING_DATA_HTML_TEXT_H_
#define UNIVAL_TRAINING_DATA_HTML_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// Text as HTML: what a record holds cannot become markup.
std::string HtmlText(absl::string_view text);
// A page of `body`, which is HTML.
std::string HtmlPage(absl::string_view title, absl::string_view body);
// A PNG file inside a page.
std::string HtmlImage(absl::string_view png, absl::string_view alternative);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_HTML_TEXT_H_
