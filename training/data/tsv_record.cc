// Lines of the reference's tables.

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "training/data/line_source.h"

namespace unival {
namespace {

// "3.1,10,21,29", as the reference writes regions. Captions with numbers in them have blanks.
bool AreNumbers(absl::string_view text, std::vector<double>* numbers) {
  constexpr size_t kFewest = 4, kLongest = 1024;
  if (text.size() > kLongest || text.find(' ') != absl::string_view::npos) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  numbers->resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!absl::SimpleAtod(parts[i], &(*numbers)[i])) return false;
  }
  return parts.size() >= kFewest;
}

absl::StatusOr<std::map<std::string, FieldValue>> ParseTsvLine(absl::string_view line,
                                                               const std::set<std::string>*) {
  std::map<std::string, FieldValue> fields;
  std::vector<double> numbers;
  int column = 0;
  for (const absl::string_view text : absl::StrSplit(line, '\t')) {
    FieldValue& field = fields[absl::StrCat(column++)];
    if (AreNumbers(text, &numbers)) {
      field = numbers;
    } else {
      field = std::string(text);
    }
  }
  return fields;
}

}  // namespace

LineFormat TsvFormat() { return {&ParseTsvLine, "\r\n", true}; }

}  // namespace unival
