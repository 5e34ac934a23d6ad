// Records from lines of a pipe or a file that another program may still be writing.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/line_parser.h"
#include "training/data/read/record_queue.h"

namespace unival {
namespace {

constexpr size_t kReadAtOnce = size_t{64} << 10;

class LineQueue : public RecordQueue {
 public:
  LineQueue(int descriptor, const SourceOptions& options)
      : descriptor_(descriptor), parser_(options, JsonlFormat()), limit_(options.limit) {}

  absl::StatusOr<std::vector<QueuedRecord>> Take(size_t most) override {
    std::vector<QueuedRecord> records;
    while (records.size() < most && !IsFull()) {
      absl::string_view line;
      if (NextLine(&line)) {
        AddRecord(line, &records);
        continue;
      }
      if (ended_ || (!records.empty() && !IsReady())) break;
      UNIVAL_RETURN_IF_ERROR(ReadMore());
    }
    return records;
  }
  absl::optional<int64_t> size() const override { return absl::nullopt; }

 private:
  bool IsFull() const { return limit_ > 0 && taken_ >= limit_; }

  // Takes the next complete line off what was read; valid until more is read.
  bool NextLine(absl::string_view* line) {
    const absl::string_view rest = absl::string_view(read_).substr(begin_);
    const size_t end = rest.find('\n', looked_at_);
    if (end == absl::string_view::npos && (!ended_ || rest.empty())) {
      looked_at_ = rest.size();
      return false;
    }
    *line = rest.substr(0, end);
    begin_ += end == absl::string_view::npos ? rest.size() : end + 1;
    looked_at_ = 0;
    return true;
  }

  void AddRecord(absl::string_view line, std::vector<QueuedRecord>* records) {
    if (++number_ == 1) absl::ConsumePrefix(&line, "\xef\xbb\xbf");
    const absl::string_view blanks = parser_.format().blanks;
    if (line.find_first_not_of(blanks) == absl::string_view::npos) return;
    ++taken_;
    const std::string name = absl::StrCat("-:", number_);
    auto fields = parser_.Fields(line);
    if (fields.ok()) {
      records->push_back({name, TaskSample{name, *std::move(fields)}});
    } else {
      records->push_back({name, fields.status()});
    }
  }

  // Whether there is something to read without waiting.
  bool IsReady() const {
    struct pollfd waiting = {descriptor_, POLLIN, 0};
    return poll(&waiting, 1, 0) > 0;
  }

  absl::Status ReadMore() {
    read_.erase(0, begin_);
    begin_ = 0;
    const size_t size = read_.size();
    if (size > kMaxLine) {
      return InvalidArgument("standard input:", number_ + 1, ": the line is longer than ", kMaxLine,
                             " bytes; expected one record a line");
    }
    read_.resize(size + kReadAtOnce);
    ssize_t count = -1;
    do {
      count = read(descriptor_, &read_[size], kReadAtOnce);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return SystemError("standard input", "cannot be read", errno);
    read_.resize(size + static_cast<size_t>(count));
    ended_ = count == 0;
    const bool is_packed =
        absl::StartsWith(read_, "\x1f\x8b") || absl::StartsWith(read_, "\x28\xb5\x2f\xfd");
    if (number_ > 0 || !is_packed) return absl::OkStatus();
    return InvalidArgument(
        "standard input: expected JSONL, one object a line, got packed bytes; unpack them first, "
        "as with zcat or zstdcat, or name the file");
  }

  const int descriptor_;
  const LineParser parser_;
  const int64_t limit_;
  std::string read_;      // from the file, in part taken
  size_t begin_ = 0;      // of what is not taken
  size_t looked_at_ = 0;  // bytes behind `begin_` that hold no line end
  int64_t number_ = 0;    // of lines
  int64_t taken_ = 0;     // records
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<RecordQueue> QueueOfLines(int descriptor, const SourceOptions& options) {
  return std::make_unique<LineQueue>(descriptor, options);
}

}  // namespace unival
