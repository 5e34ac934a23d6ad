// Lines of the reference's tables.

#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/utf8.h"
#include "training/data/read/line_source.h"
#include "training/data/read/record.h"

namespace unival {
namespace {

// "3.1,10,21,29", as the reference writes regions. Captions with numbers in them have blanks; what
// is infinite or no number is a text, as JSON has no such numbers either.
bool AreNumbers(absl::string_view text, std::vector<double>* numbers) {
  constexpr size_t kFewest = 4, kLongest = 1024;
  if (text.size() > kLongest || text.find(' ') != absl::string_view::npos) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  numbers->resize(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!absl::SimpleAtod(parts[i], &(*numbers)[i]) || !std::isfinite((*numbers)[i])) return false;
  }
  return parts.size() >= kFewest;
}

absl::StatusOr<std::map<std::string, FieldValue>> ParseTsvLine(absl::string_view line,
                                                               const std::set<std::string>*) {
  std::map<std::string, FieldValue> fields;
  std::vector<double> numbers;
  int column = 0;
  for (const absl::string_view text : absl::StrSplit(line, '\t')) {
    if (fields.size() == kMaxColumns) {
      return InvalidArgument("more than ", kMaxColumns, " columns; expected one record a line");
    }
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckUtf8(text), "column \"", column, "\""));
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
