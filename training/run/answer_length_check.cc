#include "training/run/answer_length_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "backbone/generation/generate.h"
#include "training/config/plan.h"

namespace unival {
namespace {

constexpr int64_t kMostLookedAt = 1000;
constexpr size_t kMostExample = 200;  // bytes of a target in the message

// Tokens of a record's target without </s>; -1 where there is none.
int64_t LengthOfTarget(const Seq2SeqExample& example, const VocabularyView& vocabulary) {
  const auto count = static_cast<int64_t>(example.target.size());
  return count > 0 && example.target.back() == vocabulary.eos() ? count - 1 : count;
}

int64_t AllowedTokens(const Task& task) {
  const int64_t set = task.info().generation.max_tokens();
  return set > 0 ? set : kDefaultMaxTokens;
}

std::string ExampleText(const Seq2SeqExample& example, const VocabularyView& vocabulary) {
  std::vector<int64_t> tokens = example.target;
  if (!tokens.empty() && tokens.back() == vocabulary.eos()) tokens.pop_back();
  const absl::StatusOr<std::string> text = vocabulary.DecodeText(tokens);
  return text.ok() ? text->substr(0, kMostExample) : "";
}

void Warn(Run& run, const std::string& field, const Task& task, const Source& source) {
  const auto cut = FindCutTargets(task, source, run.model->vocabulary());
  if (!cut.has_value()) return;
  const std::string& origin = task.info().origin;
  run.printer.Warn(absl::StrCat(
      run.plan.file, ": ", field, ": ", cut->records, " of ", cut->looked_at,
      " targets have more tokens than the ", cut->allowed, " that the task \"", task.info().name,
      "\" generates at most, so that answers will be cut; the "
      "longest has ",
      cut->longest, " (", cut->key, ": \"", cut->text, "\"). Set generation { max_tokens: ",
      cut->longest, " } in the task", origin.empty() ? "" : absl::StrCat(" (", origin, ")")));
}

}  // namespace

absl::optional<CutTargets> FindCutTargets(const Task& task, const Source& source,
                                          const VocabularyView& vocabulary) {
  CutTargets cut;
  cut.allowed = AllowedTokens(task);
  const int64_t size = source.size(), read = std::min(size, kMostLookedAt);
  for (int64_t n = 0; n < read; ++n) {
    const auto sample = source.Read(n * size / read);
    if (!sample.ok()) continue;
    const auto example = task.MakeExample(*sample, ExampleMode::kTraining, 0);
    if (!example.ok() || example->image_codes) continue;
    ++cut.looked_at;
    const int64_t tokens = LengthOfTarget(*example, vocabulary);
    if (tokens <= cut.allowed) continue;
    ++cut.records;
    if (tokens <= cut.longest) continue;
    cut.longest = tokens;
    cut.key = sample->key;
    cut.text = ExampleText(*example, vocabulary);
  }
  if (cut.records == 0) return absl::nullopt;
  return cut;
}

void WarnOfCutTargets(Run& run) {
  if (run.options.quiet) return;
  for (size_t stage = 0; stage < run.data.stages.size(); ++stage) {
    const std::vector<StageSource>& sources = run.data.stages[stage];
    for (size_t i = 0; i < sources.size(); ++i) {
      Warn(run, SourceField(static_cast<int>(stage), static_cast<int>(i)), *sources[i].task,
           *sources[i].source);
    }
  }
  for (size_t i = 0; i < run.data.evaluations.size(); ++i) {
    const auto task = run.pipeline->task(run.plan.proto.evaluation(static_cast<int>(i)).task());
    if (task.ok()) Warn(run, absl::StrCat("evaluation[", i, "]"), **task, *run.data.evaluations[i]);
  }
}

}  // namespace unival
