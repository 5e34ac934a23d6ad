// unival: html.h - pieces of a self-contained HTML page: escaped text, pictures as data URIs,
// tables.
//
//   Table table({"run", "accuracy"});
//   table.AddRow({"connection only", "97.2 %"}, "main");
//   page += table.Html();
//
// Pure functions; thread-safe.
#ifndef UNIVAL_TRAINING_REPORT_HTML_H_
#define UNIVAL_TRAINING_REPORT_HTML_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival::report {

// Text with &, <, > and quotes made harmless, and control characters and bytes that are not UTF-8
// written out (Printable): texts come from records.
std::string Escape(absl::string_view text);

// "<tag class="css">inner</tag>"; `inner` is HTML already. No class attribute when `css` is empty.
std::string Element(absl::string_view tag, absl::string_view css, absl::string_view inner);

// "data:image/png;base64,..."
std::string PngDataUri(absl::string_view png_bytes);

// The picture in its own size, never smoothed; `alternative` is text.
std::string Image(absl::string_view png_bytes, absl::string_view alternative);

// Cells are HTML; the first column is left-aligned, the others are figures, or words where `css` is
// "text".
class Table {
 public:
  explicit Table(std::vector<std::string> header, std::string css = "")
      : css_(std::move(css)), header_(std::move(header)) {}
  void AddRow(std::vector<std::string> cells, std::string css = "");
  std::string Html() const;

 private:
  std::string css_;
  std::vector<std::string> header_;
  std::vector<std::pair<std::string, std::vector<std::string>>> rows_;  // class, cells
};

// A whole page with the style sheet inside; nothing is loaded from elsewhere.
std::string Page(absl::string_view title, absl::string_view body);

}  // namespace unival::report

#endif  // UNIVAL_TRAINING_REPORT_HTML_H_
