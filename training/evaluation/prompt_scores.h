// unival: prompt_scores.h
//
// How much a task's scores hang on the words that it asks with: the same records, asked with the
// template's prompt and with each of its paraphrases.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto prompts, ScorePrompts(*pipeline, "vqa", *source, options));
//   SpreadOf(prompts).at("accuracy").worst
#ifndef UNIVAL_TRAINING_EVALUATION_PROMPT_SCORES_H_
#define UNIVAL_TRAINING_EVALUATION_PROMPT_SCORES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/evaluation/evaluate.h"

namespace unival {

struct PromptScores {
  std::string prompt;  // as the template has it
  EvaluationResult result;
};

// The prompt first, then the paraphrases. FailedPrecondition for a task that is code or has no
// paraphrases; else the errors of Evaluate. `options.results_file` is not written.
absl::StatusOr<std::vector<PromptScores>> ScorePrompts(Pipeline& pipeline, const std::string& task,
                                                       const Source& source,
                                                       const EvaluationOptions& options);

struct PromptSpread {
  double mean = 0, deviation = 0;  // over prompts; sample deviation, 0 for one prompt
  double worst = 0;                // lowest, or highest of a score of which less is better
};

// The spread of every score that all prompts have.
std::map<std::string, PromptSpread> SpreadOf(const std::vector<PromptScores>& prompts);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_PROMPT_SCORES_H_
