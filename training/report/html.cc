#include "training/report/html.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/printable.h"
#include "training/report/style.h"

namespace unival::report {
namespace {

std::string Row(absl::string_view cell_tag, absl::string_view css,
                const std::vector<std::string>& cells) {
  std::string inner;
  for (const std::string& cell : cells) absl::StrAppend(&inner, Element(cell_tag, "", cell));
  return Element("tr", css, inner);
}

}  // namespace

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(
      Printable(text),
      {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Element(absl::string_view tag, absl::string_view css, absl::string_view inner) {
  const std::string attribute = css.empty() ? "" : absl::StrCat(" class=\"", css, "\"");
  return absl::StrCat("<", tag, attribute, ">", inner, "</", tag, ">");
}

std::string PngDataUri(absl::string_view png_bytes) {
  return absl::StrCat("data:image/png;base64,", absl::Base64Escape(png_bytes));
}

std::string Image(absl::string_view png_bytes, absl::string_view alternative) {
  return absl::StrCat("<img class=\"exact\" alt=\"", Escape(alternative), "\" src=\"",
                      PngDataUri(png_bytes), "\">");
}

void Table::AddRow(std::vector<std::string> cells, std::string css) {
  rows_.emplace_back(std::move(css), std::move(cells));
}

std::string Table::Html() const {
  std::string body;
  for (const auto& [css, cells] : rows_) absl::StrAppend(&body, Row("td", css, cells));
  return Element(
      "table", css_,
      absl::StrCat(Element("thead", "", Row("th", "", header_)), Element("tbody", "", body)));
}

std::string Page(absl::string_view title, absl::string_view body) {
  return absl::StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>",
      Escape(title), "</title><style>", kStyleSheet, "</style></head>\n<body><main>", body,
      "</main></body></html>\n");
}

}  // namespace unival::report
