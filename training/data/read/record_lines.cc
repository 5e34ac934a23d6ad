#include "training/data/read/record_lines.h"

#include <algorithm>

#include "absl/strings/strip.h"
#include "sdk/base/status.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

absl::string_view WithoutBlanks(absl::string_view line, absl::string_view blanks) {
  const size_t first = line.find_first_not_of(blanks);
  if (first == absl::string_view::npos) return line.substr(0, 0);
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

}  // namespace

absl::string_view WithoutByteOrderMark(absl::string_view text) {
  return absl::StripPrefix(text, "\xef\xbb\xbf");
}

absl::string_view TakeLine(absl::string_view* rest, absl::string_view blanks) {
  const size_t end = rest->find('\n');
  const absl::string_view line = WithoutBlanks(rest->substr(0, end), blanks);
  rest->remove_prefix(end == absl::string_view::npos ? rest->size() : end + 1);
  return line;
}

absl::StatusOr<RecordLines> RecordLines::Find(absl::string_view content, absl::string_view blanks,
                                              int64_t limit, const std::string& path) {
  RecordLines found;
  int64_t skipped = 0;
  absl::string_view rest = WithoutByteOrderMark(content);
  for (int64_t number = 1; !rest.empty(); ++number) {
    if (rest.size() > kMaxLine && rest.substr(0, kMaxLine).find('\n') == absl::string_view::npos) {
      return InvalidArgument(path, ":", number, ": the line is longer than ", kMaxLine,
                             " bytes; expected one record a line");
    }
    const auto start = static_cast<uint64_t>(rest.data() - content.data());
    if (TakeLine(&rest, blanks).empty()) continue;
    const int64_t before = number - found.size() - 1;
    if (before > skipped) found.skipped_.push_back({found.size(), skipped = before});
    found.starts_.push_back(start);
    if (limit > 0 && found.size() == limit) break;
  }
  found.starts_.shrink_to_fit();
  return found;
}

RecordLines RecordLines::Of(const LineIndex& index, int64_t limit) {
  RecordLines lines;
  const int64_t size =
      limit > 0 ? std::min<int64_t>(limit, index.steps_size()) : index.steps_size();
  lines.starts_.reserve(static_cast<size_t>(size));
  uint64_t start = 0;
  for (int64_t i = 0; i < size; ++i) {
    start += index.steps(static_cast<int>(i));
    lines.starts_.push_back(start);
  }
  for (const SkippedLines& skipped : index.skipped()) {
    lines.skipped_.push_back(
        {static_cast<int64_t>(skipped.record()), static_cast<int64_t>(skipped.lines())});
  }
  return lines;
}

void RecordLines::AddTo(LineIndex* index) const {
  index->mutable_steps()->Reserve(static_cast<int>(size()));
  uint64_t before = 0;
  for (const uint64_t start : starts_) {
    index->add_steps(start - before);
    before = start;
  }
  for (const Skipped& skipped : skipped_) {
    SkippedLines* const added = index->add_skipped();
    added->set_record(static_cast<uint64_t>(skipped.record));
    added->set_lines(static_cast<uint64_t>(skipped.lines));
  }
}

absl::StatusOr<absl::string_view> RecordLines::LineOf(int64_t record, absl::string_view content,
                                                      absl::string_view blanks) const {
  const uint64_t start = starts_[static_cast<size_t>(record)];
  const auto first = static_cast<uint64_t>(WithoutByteOrderMark(content).data() - content.data());
  if (start >= content.size() || (start != first && content[start - 1] != '\n')) {
    return absl::DataLossError(
        "the file is not what it was when it was opened; start again with the file that is meant");
  }
  absl::string_view rest = content.substr(start);
  return TakeLine(&rest, blanks);
}

int64_t RecordLines::NumberOf(int64_t record) const {
  const auto after = std::upper_bound(
      skipped_.begin(), skipped_.end(), record,
      [](int64_t value, const Skipped& skipped) { return value < skipped.record; });
  return record + 1 + (after == skipped_.begin() ? 0 : std::prev(after)->lines);
}

}  // namespace unival
