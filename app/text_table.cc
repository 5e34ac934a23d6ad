#include "app/text_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

constexpr size_t kWidestCell = 40;

// Characters of UTF-8.
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

std::vector<size_t> WidthsOf(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t width = WidthOf(row[i]);
      if (width <= kWidestCell) widths[i] = std::max(widths[i], width);
    }
  }
  return widths;
}

}  // namespace

std::string TextTable(const std::vector<std::vector<std::string>>& rows,
                      const std::string& indent) {
  const std::vector<size_t> widths = WidthsOf(rows);
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line = indent;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i]);
      const size_t width = WidthOf(row[i]);
      line.append(std::max(width, widths[i]) - width + 2, ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::vector<std::string> LinesOfItems(const std::vector<std::string>& items, size_t width) {
  std::vector<std::string> lines;
  size_t used = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = absl::StrCat(items[i], i + 1 < items.size() ? "," : "");
    const size_t more = WidthOf(item) + 1;
    if (lines.empty() || used + more > width) {
      lines.push_back(item);
      used = more - 1;
    } else {
      absl::StrAppend(&lines.back(), " ", item);
      used += more;
    }
  }
  return lines;
}

}  // namespace unival
