// unival: eval_output.h - what `unival eval` found, as text and JSON.
#ifndef UNIVAL_APP_EVAL_OUTPUT_H_
#define UNIVAL_APP_EVAL_OUTPUT_H_

#include <string>

#include "training/evaluation/evaluate.h"

namespace unival {

struct EvaluationOutput {
  std::string model, data;  // as they were given
  std::string set_hash;     // of the set that words the task; empty: unknown
  const EvaluationResult* result = nullptr;
  BootstrapOptions bootstrap;
};

// An object, indented, with a line end.
std::string EvaluationAsJson(const EvaluationOutput& output);

void PrintEvaluation(const EvaluationOutput& output);

}  // namespace unival

#endif  // UNIVAL_APP_EVAL_OUTPUT_H_
