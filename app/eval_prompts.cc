#include "app/eval_prompts.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "app/score_table.h"
#include "sdk/base/json_text.h"
#include "tasks/metrics/task_scores.h"

namespace unival {
namespace {

std::string RemarkOf(const std::vector<PromptScores>& prompts, const std::string& score) {
  return prompts.empty() ? "" : prompts[0].result.scores.Remark(score);
}

}  // namespace

std::string PromptsAsJson(const std::vector<PromptScores>& prompts) {
  nlohmann::ordered_json json;
  for (const PromptScores& prompt : prompts)
    json["prompts"].push_back({{"prompt", prompt.prompt}, {"metrics", prompt.result.metrics}});
  for (const auto& [name, spread] : SpreadOf(prompts)) {
    json["spread"][name] = {
        {"mean", spread.mean}, {"deviation", spread.deviation}, {"worst", spread.worst}};
    const std::string remark = RemarkOf(prompts, name);
    if (!remark.empty()) json["remarks"][name] = remark;
  }
  return JsonText(json, 2) + "\n";
}

void PrintPrompts(const std::vector<PromptScores>& prompts) {
  std::cout << absl::StrFormat("%-32s %8s %9s %8s\n", absl::StrFormat("%d prompts", prompts.size()),
                               "mean", "deviation", "worst");
  const auto spreads = SpreadOf(prompts);
  for (const auto& [name, spread] : spreads) {
    std::cout << absl::StrFormat("%-32s %8.4f %9.4f %8.4f%s\n", name, spread.mean, spread.deviation,
                                 spread.worst, NoteOfScore(RemarkOf(prompts, name)));
  }
  for (const PromptScores& prompt : prompts) {
    std::cout << "prompt  " << prompt.prompt << "\n";
    for (const auto& [name, value] : prompt.result.metrics) {
      if (spreads.count(name) > 0 && !IsCount(name))
        std::cout << absl::StrFormat("  %-30s %8.4f\n", name, value);
    }
  }
}

}  // namespace unival
