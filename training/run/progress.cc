#include "training/run/progress.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/files.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole >= 3600) return absl::StrFormat("%dh%02dm", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return absl::StrFormat("%dm%02ds", whole / 60, whole % 60);
  return absl::StrFormat("%ds", whole);
}

std::string OneLine(const ProgressRecord& record) {
  return absl::StrFormat(
      "%s step %d/%d  loss %.4f  accuracy %.3f  %.0f tokens/s  lr %.2e  left %s  peak %.0f MiB",
      record.stage, record.step, record.total_steps, record.loss, record.token_accuracy,
      record.tokens_per_second, record.learning_rate, Duration(record.eta_seconds), record.rss_mb);
}

// The lines of an earlier run that its checkpoint covers.
std::string KeptLines(const std::string& text, int64_t last_step) {
  std::string kept;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn
    const Json line = Json::parse(text.substr(begin, end - begin), nullptr, false);
    const bool covered = line.is_object() && line.value("step", int64_t{0}) <= last_step;
    if (covered) kept.append(text, begin, end + 1 - begin);
    begin = end + 1;
  }
  return kept;
}

}  // namespace

double PeakMemoryMb() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

absl::Status RunLog::Open(const std::string& path, int64_t last_step) {
  absl::StatusOr<std::string> earlier = ReadWholeFile(path);
  const std::string kept = earlier.ok() && last_step > 0 ? KeptLines(*earlier, last_step) : "";
  absl::Status status = WriteFileAtomically(path, {kept});
  if (!status.ok()) return status;
  stream_.open(path, std::ios::app);
  return stream_ ? absl::OkStatus()
                 : absl::InternalError(absl::StrCat(path, ": cannot be written"));
}

void RunLog::Write(const ProgressRecord& record) {
  const Json line = {{"stage", record.stage},
                     {"step", record.step},
                     {"loss", record.loss},
                     {"source_loss", record.source_loss},
                     {"token_accuracy", record.token_accuracy},
                     {"learning_rate", record.learning_rate},
                     {"grad_norm", record.grad_norm},
                     {"tokens_per_second", record.tokens_per_second},
                     {"seconds", record.seconds},
                     {"rows", record.rows},
                     {"encoder_calls", record.encoder_calls},
                     {"cache_hits", record.cache_hits},
                     {"decode_failures", record.decode_failures},
                     {"rss_mb", record.rss_mb}};
  stream_ << line.dump() << "\n" << std::flush;
}

void RunLog::WriteFailure(int64_t step, const std::string& what) {
  const Json line = {{"step", step}, {"decode_failure", what}};
  stream_ << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
}

ProgressPrinter::ProgressPrinter(bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      next_(std::chrono::steady_clock::now()) {}

ProgressPrinter::~ProgressPrinter() {
  if (open_line_) std::fputc('\n', stderr);
}

void ProgressPrinter::Update(const ProgressRecord& record) { Show(OneLine(record)); }

void ProgressPrinter::Update(const std::string& line) { Show(line); }

void ProgressPrinter::Show(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000));
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  open_line_ = terminal_;
}

void ProgressPrinter::Say(const std::string& line) {
  if (quiet_) return;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s\n" : "%s\n", line.c_str());
  open_line_ = false;
}

}  // namespace unival
