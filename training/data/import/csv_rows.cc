#include "training/data/import/csv_rows.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

class CsvReader {
 public:
  CsvReader(absl::string_view text, const std::string& file) : rest_(text), file_(file) {
    absl::ConsumePrefix(&rest_, "\xef\xbb\xbf");
  }

  bool AtEnd() const { return rest_.empty(); }
  int64_t line() const { return line_; }

  absl::StatusOr<std::vector<std::string>> Row() {
    row_line_ = line_;
    std::vector<std::string> fields;
    while (true) {
      UNIVAL_ASSIGN_OR_RETURN(fields.emplace_back(), Field());
      if (!absl::ConsumePrefix(&rest_, ",")) break;
    }
    absl::ConsumePrefix(&rest_, "\r");
    absl::ConsumePrefix(&rest_, "\n");
    ++line_;
    return fields;
  }

 private:
  absl::StatusOr<std::string> Field() {
    if (!absl::ConsumePrefix(&rest_, "\"")) {
      const size_t end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      const std::string field(rest_.substr(0, end));
      rest_.remove_prefix(end);
      return field;
    }
    std::string field;
    while (true) {
      const size_t quote = rest_.find('"');
      if (quote == absl::string_view::npos) {
        return InvalidArgument(file_, ":", row_line_, ": a quoted field does not end");
      }
      field.append(rest_.data(), quote);
      line_ += std::count(rest_.begin(), rest_.begin() + quote, '\n');
      rest_.remove_prefix(quote + 1);
      if (!absl::ConsumePrefix(&rest_, "\"")) return field;
      field.push_back('"');
    }
  }

  absl::string_view rest_;
  const std::string& file_;
  int64_t line_ = 1, row_line_ = 1;
};

}  // namespace

absl::Status ForEachCsvRow(const std::string& file, const std::vector<std::string>& columns,
                           const std::function<absl::Status(const CsvRow&)>& take) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, MappedFile::Open(file));
  CsvReader reader(opened->bytes(), file);
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> head, reader.Row());
  for (const std::string& column : columns) {
    if (std::find(head.begin(), head.end(), column) != head.end()) continue;
    return InvalidArgument(file, ":1: expected a column \"", column,
                           "\"; there are: ", absl::StrJoin(head, ", "));
  }
  while (!reader.AtEnd()) {
    const int64_t line = reader.line();
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> fields, reader.Row());
    if (fields.size() == 1 && fields[0].empty()) continue;  // a blank line
    if (fields.size() != head.size()) {
      return InvalidArgument(file, ":", line, ": expected ", head.size(), " fields, got ",
                             fields.size());
    }
    CsvRow row;
    for (size_t i = 0; i < head.size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(
          Annotate(CheckTableText(fields[i]), file, ":", line, ": column \"", head[i], "\""));
      row[head[i]] = fields[i];
    }
    UNIVAL_RETURN_IF_ERROR(Annotate(take(row), file, ":", line));
  }
  return opened->Check();
}

}  // namespace unival
