// unival: trainer_adapter_tests.h - what the tests of adapters share: one case of each kind, runs
// of them, and what a model answers.
#ifndef UNIVAL_TRAINING_TRAINER_ADAPTER_TESTS_H_
#define UNIVAL_TRAINING_TRAINER_ADAPTER_TESTS_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backbone/model/backbone.h"
#include "runtime/model.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {

struct AdapterCase {
  std::string name;    // of the kind
  std::string fields;  // of AdapterConfig
  bool merges = false;
};

void PrintTo(const AdapterCase& one, std::ostream* out);

// "lora" first.
const std::vector<AdapterCase>& AdapterCases();

AdapterConfig ParseConfig(const std::string& text);

// kAdapterPlan with the case's adapter, which is all that it trains.
TrainingPlan PlanOf(const AdapterCase& one);

std::string InWorld(const std::string& path);
std::unique_ptr<Model> LoadOk(const std::string& path, const ModelLoadOptions& options = {});
// Of an adapter in the model of a run.
std::string FileOf(const std::string& output, const std::string& id);

// A run of the case's plan, once for all tests that only look at it: World()/<name>_adapter.
const std::string& Trained(const AdapterCase& one);

// Rows of World()'s images, whose prompts have different lengths.
ModelInput InputFor(const Model& model, const std::vector<int>& images);
at::Tensor PreviousTokens(int64_t rows);  // [rows, 5]
at::Tensor LogitsOf(const Model& model, const std::vector<int>& images = {0, 1, 4});
double LargestDifference(const at::Tensor& a, const at::Tensor& b);

}  // namespace unival::trainer_tests

#endif  // UNIVAL_TRAINING_TRAINER_ADAPTER_TESTS_H_
