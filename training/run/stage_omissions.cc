#include "training/run/stage_omissions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"
#include "training/config/plan.h"
#include "training/run/non_finite.h"

namespace unival {
namespace {

constexpr int64_t kRowsBeforeJudging = 200;  // one bad file among few is no rate

std::string Shortened(const std::vector<std::string>& records) {
  constexpr size_t kMost = 8;
  std::string text =
      absl::StrJoin(records.begin(), records.begin() + std::min(kMost, records.size()), ", ");
  if (records.size() > kMost) absl::StrAppend(&text, " and ", records.size() - kMost, " more");
  return text;
}

}  // namespace

StageOmissions::StageOmissions(Run* run)
    : run_(*run), stage_(run->plan.proto.stage(run->state.stage)) {}

absl::Status StageOmissions::CountRecords(const std::vector<std::string>& failures) {
  RunTotals& totals = run_.state.totals;
  for (const std::string& failure : failures) {
    UNIVAL_RETURN_IF_ERROR(run_.log.WriteFailure(run_.state.step + 1, failure));
    last_failure_ = failure;
  }
  totals.decode_failures += static_cast<int64_t>(failures.size());
  return totals.rows < kRowsBeforeJudging ? absl::OkStatus() : Judge();
}

absl::Status StageOmissions::Judge() const {
  const RunTotals& totals = run_.state.totals;
  if (totals.decode_failures * 100 <= totals.rows) return absl::OkStatus();
  return absl::OutOfRangeError(
      absl::StrCat(Where(), ": ", totals.decode_failures, " of ", totals.rows,
                   " records cannot be read or decoded, expected at most 1 %; repair the data "
                   "(all are listed in ",
                   run_.Path("log.jsonl"), "). The last one: ", last_failure_));
}

absl::Status StageOmissions::JudgeSteps() const {
  const RunTotals& totals = run_.state.totals;
  if (!run_.IsFirst() || totals.skipped == 0 || totals.tokens > 0) return absl::OkStatus();
  return NonFiniteError(
      absl::StrCat(Where(), ": no step was taken: all ", totals.skipped,
                   " batches were left out, as their loss is infinite or not a number; the records "
                   "are listed in ",
                   run_.Path("log.jsonl"), "; look at the media and at the modality's features"));
}

absl::Status StageOmissions::CountBatch(const std::string& what, std::vector<std::string> records,
                                        std::vector<std::string> to_blame, SharedStep* shared) {
  if (shared != nullptr) {
    UNIVAL_RETURN_IF_ERROR(shared->GatherLines(&to_blame));
    UNIVAL_RETURN_IF_ERROR(shared->GatherLines(&records));
  }
  if (!to_blame.empty()) records = std::move(to_blame);
  RunTotals& totals = run_.state.totals;
  ++totals.skipped;
  UNIVAL_RETURN_IF_ERROR(run_.log.WriteSkipped(run_.state.step + 1, what, records));
  run_.printer.Warn(absl::StrCat("step ", run_.state.step + 1, ": ", what,
                                 "; the batch is left out. Records: ", Shortened(records)));
  return totals.skipped <= MaxSkipped(stage_) ? absl::OkStatus() : NotFinite(what, records);
}

absl::Status StageOmissions::NotFinite(const std::string& what,
                                       const std::vector<std::string>& records) const {
  return NonFiniteError(absl::StrCat(
      Where(), ": ", what, " (", run_.state.totals.skipped,
      " batches were left out so far, max_skipped allows ", MaxSkipped(stage_), "; the last one: ",
      Shortened(records), "); lower the learning rate (now ", stage_.optimizer().learning_rate(),
      ") or set optimizer.clip_norm. Nothing was overwritten: checkpoints in ",
      run_.Path("checkpoint"), " stand."));
}

std::string StageOmissions::Where() const {
  return absl::StrCat(run_.plan.file, ": stage \"", stage_.name(), "\": step ",
                      run_.state.stage_step + 1);
}

}  // namespace unival
