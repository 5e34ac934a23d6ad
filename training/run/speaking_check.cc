#include "training/run/speaking_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/evaluation/speaking.h"

namespace unival {
namespace {

constexpr size_t kMostTexts = 100;  // of a source
constexpr size_t kMostWords = 12;   // in the warning

}  // namespace

absl::Status WarnOfUnsayableTargets(Run& run, const std::vector<StageSource>& sources,
                                    const TrainableSet& trainable) {
  const bool trains_words = trainable.Touches("backbone.") || trainable.Touches("adapter.");
  if (run.options.quiet || trains_words) return absl::OkStatus();
  std::vector<std::string> texts;
  for (const StageSource& source : sources) {
    UNIVAL_ASSIGN_OR_RETURN(
        const std::vector<std::string> targets,
        TargetTexts(*source.task, *source.source, run.model->vocabulary(), kMostTexts));
    for (const std::string& text : targets) {
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
  }
  if (texts.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const SpeakingReport report, CheckSpeaking(*run.model, texts, {}));
  const std::string warning = SpeakingWarning(report, kMostWords);
  if (!warning.empty()) run.printer.Warn(warning);
  return absl::OkStatus();
}

}  // namespace unival
