#include "training/evaluation/prompt_scores.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

// A set of one task, `proto` with `prompt` in the place of its own.
SharedTemplateSet SetWithPrompt(const TaskTemplate& proto, const std::string& prompt) {
  LoadedTemplate task;
  task.proto = proto;
  task.proto.set_prompt(prompt);
  task.proto.clear_paraphrase();
  task.file = absl::StrCat("prompt \"", prompt, "\"");
  auto set = std::make_shared<LoadedTemplateSet>();
  set->name = set->file = task.file;
  set->tasks.push_back(std::move(task));
  return set;
}

PromptSpread SpreadOfValues(const TaskScores& scores, const std::string& name,
                            const std::vector<double>& values) {
  PromptSpread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values) spread.deviation += std::pow(value - spread.mean, 2);
  spread.deviation = values.size() > 1 ? std::sqrt(spread.deviation / (count - 1)) : 0;
  spread.worst = *std::max_element(values.begin(), values.end(),
                                   [&](double a, double b) { return scores.IsBetter(name, a, b); });
  return spread;
}

}  // namespace

absl::StatusOr<std::vector<PromptScores>> ScorePrompts(Pipeline& pipeline, const std::string& task,
                                                       const Source& source,
                                                       const EvaluationOptions& options) {
  UNIVAL_RETURN_IF_ERROR(pipeline.task(task).status());
  const TemplateTask* by_template = pipeline.template_task(task);
  if (by_template == nullptr || by_template->proto().paraphrase().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("task \"", task, "\": expected a template with paraphrases, got ",
                     by_template == nullptr ? "code" : "one prompt",
                     "; add `paraphrase: \"...\"` to its template, or ask with the first alone"));
  }
  const TaskTemplate proto = by_template->proto();
  std::vector<std::string> wordings = {proto.prompt()};
  wordings.insert(wordings.end(), proto.paraphrase().begin(), proto.paraphrase().end());
  EvaluationOptions each = options;
  each.results_file.clear();
  std::vector<PromptScores> prompts;
  for (const std::string& prompt : wordings) {
    UNIVAL_ASSIGN_OR_RETURN(const auto asking,
                            Pipeline::Create(&pipeline.model(), std::vector<SharedTemplateSet>{
                                                                    SetWithPrompt(proto, prompt)}));
    PromptScores scores{prompt, {}};
    UNIVAL_ASSIGN_OR_RETURN(scores.result, Evaluate(*asking, task, source, each));
    scores.result.metric.reset();  // it must not outlive the task
    prompts.push_back(std::move(scores));
  }
  return prompts;
}

std::map<std::string, PromptSpread> SpreadOf(const std::vector<PromptScores>& prompts) {
  std::map<std::string, std::vector<double>> values;
  for (const PromptScores& prompt : prompts) {
    for (const auto& [name, value] : prompt.result.metrics) values[name].push_back(value);
  }
  std::map<std::string, PromptSpread> spreads;
  for (const auto& [name, list] : values) {
    if (name == kSamplesScore || list.size() != prompts.size()) continue;
    spreads[name] = SpreadOfValues(prompts[0].result.scores, name, list);
  }
  return spreads;
}

}  // namespace unival
