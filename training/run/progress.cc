#include "training/run/progress.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

// A line that is no record of a run is kept by none.
bool IsCovered(const std::string& text, int64_t last_step) {
  const absl::StatusOr<Json> line = ParseJson<Json>(text);
  if (!line.ok() || !line->is_object()) return false;
  const auto step = line->find("step");
  if (step == line->end()) return true;
  return step->is_number_integer() && step->get<int64_t>() <= last_step;
}

// The lines of an earlier run that its checkpoint covers.
std::string KeptLines(const std::string& text, int64_t last_step) {
  std::string kept;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // torn
    if (IsCovered(text.substr(begin, end - begin), last_step))
      kept.append(text, begin, end + 1 - begin);
    begin = end + 1;
  }
  return kept;
}

}  // namespace

std::string ProgressText(const ProgressRecord& record) {
  return absl::StrFormat(
      "%s step %d/%d  loss %.4f  accuracy %.3f  %.0f tokens/s  lr %.2e  left %s  peak %.0f MiB",
      record.stage, record.step, record.total_steps, record.loss, record.token_accuracy,
      record.tokens_per_second, record.learning_rate, DurationText(record.eta_seconds),
      record.rss_mb);
}

absl::Status RunLog::Open(const std::string& path, int64_t last_step) {
  absl::StatusOr<std::string> earlier = ReadWholeFile(path);
  const std::string kept = earlier.ok() && last_step > 0 ? KeptLines(*earlier, last_step) : "";
  absl::Status status = WriteFileAtomically(path, {kept});
  if (!status.ok()) return status;
  path_ = path;
  stream_.open(path, std::ios::app);
  return stream_ ? absl::OkStatus()
                 : absl::InternalError(absl::StrCat(path, ": cannot be written"));
}

absl::Status RunLog::Write(const ProgressRecord& record) {
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
                     {"source_rows", record.source_rows},
                     {"part_seconds", record.part_seconds},
                     {"encoder_calls", record.encoder_calls},
                     {"cache_hits", record.cache_hits},
                     {"decode_failures", record.decode_failures},
                     {"skipped_batches", record.skipped_batches},
                     {"rss_mb", record.rss_mb}};
  return WriteLine(JsonText(line));
}

absl::Status RunLog::WriteFailure(int64_t step, const std::string& what) {
  const Json line = {{"step", step}, {"decode_failure", what}};
  return WriteLine(JsonText(line));
}

absl::Status RunLog::WriteSkipped(int64_t step, const std::string& what,
                                  const std::vector<std::string>& records) {
  const Json line = {{"step", step}, {"skipped", what}, {"records", records}};
  return WriteLine(JsonText(line));
}

absl::Status RunLog::WriteValidation(const ValidationRecord& record) {
  Json line = {{"stage", record.stage},
               {"step", record.step},
               {"validation", record.evaluation},
               {"seconds", record.seconds},
               {"metrics", record.metrics}};
  if (!record.less_is_better.empty()) line["less_is_better"] = record.less_is_better;
  if (!record.remarks.empty()) line["remarks"] = record.remarks;
  if (!record.judged_by.empty()) {
    line["judged_by"] = record.judged_by;
    line["is_best"] = record.is_best;
  }
  return WriteLine(JsonText(line));
}

absl::Status RunLog::WriteUnlocked(int64_t step, const std::string& stage,
                                   const std::string& source) {
  const Json line = {{"stage", stage}, {"step", step}, {"unlocked", source}};
  return WriteLine(JsonText(line));
}

absl::Status RunLog::WriteLine(const std::string& line) {
  if (!stream_.is_open()) return absl::OkStatus();
  errno = 0;
  if (stream_ << line << "\n" << std::flush) return absl::OkStatus();
  return SystemError(path_, "cannot be written", errno == 0 ? EIO : errno);
}

}  // namespace unival
