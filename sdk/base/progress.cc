#include "sdk/base/progress.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/printable.h"

namespace unival {
namespace {

constexpr double kTerminalEvery = 0.2, kLogEvery = 5;  // seconds
constexpr char kStartOfLine[] = "\r\033[K";

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return absl::StrFormat("%dh%02dm", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return absl::StrFormat("%dm%02ds", whole / 60, whole % 60);
  return absl::StrFormat("%ds", whole);
}

ProgressLine::ProgressLine(ProgressOptions options) : options_(std::move(options)) {
  if (!options_.clock) options_.clock = Now;
  terminal_ = options_.terminal.value_or(isatty(fileno(options_.stream)) != 0);
  next_ = options_.clock();
}

ProgressLine::~ProgressLine() {
  if (open_line_) std::fputc('\n', options_.stream);
}

void ProgressLine::Print(absl::string_view line, bool stays) {
  if (!options_.quiet) Write(line, stays);
}

void ProgressLine::Write(absl::string_view line, bool stays) {
  const bool open = terminal_ && !stays;
  const std::string text =
      absl::StrCat(terminal_ ? kStartOfLine : "", PrintableMessage(line), open ? "" : "\n");
  std::fwrite(text.data(), 1, text.size(), options_.stream);
  std::fflush(options_.stream);
  open_line_ = open;
}

void ProgressLine::Show(absl::string_view line) {
  const double now = options_.clock();
  if (now < next_) return;
  next_ = now + (terminal_ ? kTerminalEvery : kLogEvery);
  Print(line, /*stays=*/false);
}

void ProgressLine::Say(absl::string_view line) { Print(line, /*stays=*/true); }

void ProgressLine::Warn(absl::string_view line) {
  if (options_.warnings) Write(absl::StrCat("warning: ", line), /*stays=*/true);
}

void ProgressLine::Clear() {
  if (!open_line_) return;
  std::fputs(kStartOfLine, options_.stream);
  std::fflush(options_.stream);
  open_line_ = false;
}

std::string ProgressLine::CountText(absl::string_view what, int64_t done, int64_t total) {
  const double now = options_.clock();
  if (what != what_ || done < last_done_) {
    what_ = std::string(what);
    first_done_ = done;
    first_time_ = now;
  }
  last_done_ = done;
  std::string text = absl::StrCat(what, ": ", done, " of ", total);
  const double passed = now - first_time_;
  if (done >= total) return absl::StrCat(text, ", took ", DurationText(passed));
  absl::StrAppend(&text, " (", 100 * done / total, " %)");
  if (done == first_done_) return text;  // the pace is not known yet
  const double left =
      passed * static_cast<double>(total - done) / static_cast<double>(done - first_done_);
  return absl::StrCat(text, ", ", DurationText(left), " left");
}

void ProgressLine::Count(absl::string_view what, int64_t done, int64_t total,
                         absl::string_view now) {
  const std::string text = CountText(what, done, total);
  if (done >= total) {
    Say(text);
  } else {
    Show(absl::StrCat(text, now.empty() ? "" : ": ", now));
  }
}

std::function<void(int64_t, int64_t)> CountOn(const std::string& what) {
  auto line = std::make_shared<ProgressLine>();
  return [line, what](int64_t done, int64_t total) { line->Count(what, done, total); };
}

}  // namespace unival
