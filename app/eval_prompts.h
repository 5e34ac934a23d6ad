// unival: eval_prompts.h - `unival eval --prompts all`: scores by prompt, as text and JSON.
#ifndef UNIVAL_APP_EVAL_PROMPTS_H_
#define UNIVAL_APP_EVAL_PROMPTS_H_

#include <string>
#include <vector>

#include "training/evaluation/prompt_scores.h"

namespace unival {

// {"prompts": [{"prompt", "metrics"}], "spread": {score: {"mean", "deviation", "worst"}},
// "remarks": {score: text}}
std::string PromptsAsJson(const std::vector<PromptScores>& prompts);

void PrintPrompts(const std::vector<PromptScores>& prompts);

}  // namespace unival

#endif  // UNIVAL_APP_EVAL_PROMPTS_H_
