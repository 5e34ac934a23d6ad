// unival: progress.h - one line on standard error that says how far long work is.
//
//   ProgressLine line;
//   for (int64_t i = 0; i < total; ++i) line.Count("evaluating", i + 1, total);
//   // evaluating: 128 of 400 (32 %), 12s left
#ifndef UNIVAL_SDK_BASE_PROGRESS_H_
#define UNIVAL_SDK_BASE_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace unival {

// "12s", "3m20s", "1h05m"
std::string DurationText(double seconds);

struct ProgressOptions {
  bool quiet = false;  // nothing is written
  std::FILE* stream = stderr;
  // Whether the stream shows one line that can be rewritten; asked of the system by default.
  absl::optional<bool> terminal = absl::nullopt;
  // Seconds since any moment; the system's clock by default.
  std::function<double()> clock = nullptr;
};

// On a terminal the line is rewritten in place, at most five times a second; elsewhere, in a log
// file, a line is printed at most every five seconds. Belongs to one thread.
class ProgressLine {
 public:
  explicit ProgressLine(ProgressOptions options = {});
  // Ends an open line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `line` when it is time for another one.
  void Show(absl::string_view line);
  // "WHAT: DONE of TOTAL (SHARE %), TIME left", the time from the pace since the first count of
  // WHAT, and behind it ": NOW" when what is in work has a name. The last count is always shown,
  // with the time that all took.
  void Count(absl::string_view what, int64_t done, int64_t total, absl::string_view now = "");
  // A line that stays; shown at once.
  void Say(absl::string_view line);
  // Takes an open line off the terminal, before other output.
  void Clear();

 private:
  std::string CountText(absl::string_view what, int64_t done, int64_t total);
  void Print(absl::string_view line, bool stays);

  ProgressOptions options_;
  bool terminal_ = false;
  bool open_line_ = false;
  double next_ = 0;  // when the next line may be shown
  // Of the count that is running.
  std::string what_;
  int64_t first_done_ = 0, last_done_ = 0;
  double first_time_ = 0;
};

// Count of one ProgressLine, for the `progress` callbacks of long work.
std::function<void(int64_t done, int64_t total)> CountOn(const std::string& what);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PROGRESS_H_
