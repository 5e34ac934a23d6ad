#include "training/data/html_text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace unival {

std::string HtmlText(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string HtmlPage(absl::string_view title, absl::string_view body) {
  return absl::StrCat(
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width\"><title>",
      HtmlText(title),
      "</title><style>body{font:15px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
      "td{padding:.2em .8em .2em 0;vertical-align:top}.bar{background:#48a;height:1em}"
      "img{image-rendering:pixelated;max-width:100%}.piece{background:#eee;margin:1px;"
      "padding:0 .2em;white-space:pre;display:inline-block}</style>",
      body, "</html>\n");
}

std::string HtmlImage(absl::string_view png, absl::string_view alternative) {
  return absl::StrCat("<img alt=\"", HtmlText(alternative), "\" src=\"data:image/png;base64,",
                      absl::Base64Escape(png), "\">");
}

}  // namespace unival
