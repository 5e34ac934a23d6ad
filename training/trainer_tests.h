// unival: trainer_tests.h - what the tests of the trainer share: a small world, plans, and what a
// run left behind.
#ifndef UNIVAL_TRAINING_TRAINER_TESTS_H_
#define UNIVAL_TRAINING_TRAINER_TESTS_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "training/run/receipt.h"
#include "training/trainer.h"

namespace unival::trainer_tests {

using Json = nlohmann::json;

constexpr int kImages = 24;

// The templates of World(), in its file tasks.textproto.
extern const char* const kTasks;

// Plans over World(): a model of its own, and a connection to the model in "base".
extern const char* const kFreshPlan;
extern const char* const kAdapterPlan;

TrainingPlan Parse(const char* text);

// With the modality of training/testdata/faulty.cc and the metrics of
// tests/plug_points/extras_plugin.cc.
const Runtime& TheRuntime();

// Of a run of `plan` from `folder` into `folder`/`output`.
TrainOptions Options(const std::string& folder, const TrainingPlan& plan,
                     const std::string& output);

// A folder with images of one colour each, their captions, texts to copy, templates and a
// tokenizer, and a base model trained on them for a few steps.
const std::string& World();

// `name`, with nothing in that folder of World().
std::string FreshOutput(const std::string& name);

TrainResult TrainOk(const TrainOptions& options);

// What a run left in World()/`output`: its receipt, the hash of every tensor after training by
// name, the lines of its log, and the losses in them.
Receipt ReadReceipt(const std::string& output);
std::map<std::string, std::string> After(const std::string& output);
std::vector<Json> Log(const std::string& output);
std::vector<double> Losses(const std::string& output);

}  // namespace unival::trainer_tests

#endif  // UNIVAL_TRAINING_TRAINER_TESTS_H_
