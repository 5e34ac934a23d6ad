#include "upstream/parity/parity.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/layers/packed_weights.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace {

using parity::Fixture;
using parity::ReplayKind;

const ReplayKind* FindKind(const std::string& kind) {
  for (const ReplayKind& known : parity::ReplayKinds()) {
    if (known.kind == kind) return &known;
  }
  return nullptr;
}

// Whether entries of this kind can have a check of the stage that was asked for.
bool MayHave(const ReplayKind& kind, const std::string& asked) {
  return asked.empty() ||
         std::any_of(kind.stages.begin(), kind.stages.end(), [&asked](const std::string& stage) {
           return parity::StageMatches(asked, stage) || parity::StageMatches(stage, asked);
         });
}

class ParityRun {
 public:
  ParityRun(const ParityOptions& options, const Fixture& fixture, const Runtime& runtime)
      : options_(options), fixture_(fixture), models_(&fixture, options.perturb) {
    report_.folder = options.fixture;
    report_.stage = options.stage;
    report_.precision = options.precision;
    context_ = std::make_unique<parity::ReplayContext>(&fixture, &runtime, &models_, &report_);
    context_->temporary_folder = options.temporary_folder;
  }

  absl::StatusOr<parity::Report> Run() {
    layers::PackedWeights packed(options_.precision, /*smallest=*/0);
    const layers::PackedWeights::Use use(&packed);
    total_ = static_cast<int64_t>(fixture_.entries().size() + fixture_.configs().size());
    for (const auto& config : fixture_.configs()) {
      Announce(config.second);
      if (parity::StageMatches(options_.stage, "state_dict")) {
        parity::ReplayStateDict(*context_, config.first);
      }
    }
    for (const Fixture::Entry& entry : fixture_.entries()) {
      Announce(entry.file);
      ReplayEntry(entry);
    }
    if (!options_.perturb.empty() && !models_.perturbed_any()) {
      return absl::NotFoundError(absl::StrCat("perturb: no model of this run has a tensor \"",
                                              options_.perturb, "\" of real numbers"));
    }
    if (!options_.perturb.empty() && report_.FirstDivergingStage().empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("perturb: nothing that this run compares depends on \"", options_.perturb,
                       "\"; with --stage, other stages may"));
    }
    return std::move(report_);
  }

 private:
  void Announce(const std::string& file) {
    if (!options_.progress) return;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    options_.progress({file, done_++, total_, seconds});
  }

  void ReplayEntry(const Fixture::Entry& entry) {
    const ReplayKind* kind = FindKind(entry.kind);
    if (kind != nullptr && !MayHave(*kind, options_.stage)) return;
    const int64_t before = context_->replayed();
    absl::Status status =
        kind == nullptr
            ? absl::UnimplementedError(absl::StrCat("stage \"", entry.kind,
                                                    "\" of the index is not known to this program"))
            : parity::CatchFixture(entry.file, [&] { return kind->replay(*context_, entry); });
    if (status.ok() && context_->replayed() == before) {
      status = absl::InvalidArgumentError("it has no case");
    }
    if (status.ok()) return;
    parity::CaseResult& result = report_.cases.emplace_back();
    result.file = entry.file;
    result.name = entry.name;
    result.kind = entry.kind;
    result.error = std::string(status.message());
  }

  const ParityOptions& options_;
  const Fixture& fixture_;
  parity::ReferenceModels models_;
  parity::Report report_;
  std::unique_ptr<parity::ReplayContext> context_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  int64_t done_ = 0, total_ = 0;
};

}  // namespace

absl::StatusOr<parity::Report> RunParity(const ParityOptions& options, const Runtime& runtime) {
  if (!options.stage.empty() && !parity::IsStageName(options.stage)) {
    return absl::InvalidArgumentError(
        absl::StrCat("stage: expected one of ", absl::StrJoin(parity::StageNames(), ", "),
                     " (layers also by number, encoder.layer.0), got \"", options.stage, "\""));
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto fixture, Fixture::Open(options.fixture));
  UNIVAL_ASSIGN_OR_RETURN(parity::Report report, ParityRun(options, *fixture, runtime).Run());
  if (!report.cases.empty()) return report;
  return absl::NotFoundError(
      absl::StrCat(options.fixture, ": no case has the stage \"", options.stage, "\""));
}

}  // namespace unival
