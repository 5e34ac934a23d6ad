// unival: progress.h - shows the progress of long work in one line on standard error.
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
  bool quiet = false;  // nothing but warnings is written
  std::FILE* stream = stderr;
  // Whether the stream is a terminal, where a line can be rewritten. By default the system is
  // asked.
  absl::optional<bool> terminal = absl::nullopt;
  // Seconds since any fixed moment. By default the system's clock.
  std::function<double()> clock = nullptr;
  bool warnings = true;  // whether Warn writes, also when quiet
};

// On a terminal the line is rewritten in place, at most five times a second. Elsewhere, for example
// in a log file, a new line is printed at most every five seconds. Belongs to one thread.
class ProgressLine {
 public:
  explicit ProgressLine(ProgressOptions options = {});
  // Ends a line that is still open.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows `line` if enough time has passed since the last one.
  void Show(absl::string_view line);
  // Shows "WHAT: DONE of TOTAL (SHARE %), TIME left". TIME is estimated from the pace since the
  // first count of WHAT. `now` names the current item; when it is given, ": NOW" follows. The last
  // count is always shown, with the total time.
  void Count(absl::string_view what, int64_t done, int64_t total, absl::string_view now = "");
  // Shows a line at once; it is not overwritten.
  void Say(absl::string_view line);
  // The same for "warning: LINE", also when quiet: that leaves out progress, not what is wrong.
  void Warn(absl::string_view line);
  // Removes an open line from the terminal, before other output.
  void Clear();

 private:
  std::string CountText(absl::string_view what, int64_t done, int64_t total);
  void Print(absl::string_view line, bool stays);
  void Write(absl::string_view line, bool stays);

  ProgressOptions options_;
  bool terminal_ = false;
  bool open_line_ = false;
  double next_ = 0;  // when the next line may be shown
  // State of the current count.
  std::string what_;
  int64_t first_done_ = 0, last_done_ = 0;
  double first_time_ = 0;
};

// A callback that calls Count of one ProgressLine. For the `progress` arguments of long work.
std::function<void(int64_t done, int64_t total)> CountOn(const std::string& what);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_PROGRESS_H_
