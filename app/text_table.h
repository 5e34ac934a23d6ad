// unival: text_table.h - tables for people on a terminal.
//
//   std::cout << TextTable({{"block", "size"}, {"core.bpe", "4000"}}, "  ");
#ifndef UNIVAL_APP_TEXT_TABLE_H_
#define UNIVAL_APP_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace unival {

// A line for each row. Every column is as wide as its widest cell, of those of at most 40
// characters: a longer one moves what stands behind it in its own row alone. Two blanks lie between
// columns, none at the end of a line.
std::string TextTable(const std::vector<std::vector<std::string>>& rows,
                      const std::string& indent = "");

// The items with commas between them, in lines of at most `width` characters where an item is not
// longer than that.
std::vector<std::string> LinesOfItems(const std::vector<std::string>& items, size_t width);

}  // namespace unival

#endif  // UNIVAL_APP_TEXT_TABLE_H_
