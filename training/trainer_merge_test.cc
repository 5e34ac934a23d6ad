// Merges of trained models whose running statistics are computed again.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/model_directory.h"
#include "runtime/collate.h"
#include "sdk/base/test_files.h"
#include "training/evaluation/evaluate.h"
#include "training/merging/measure.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor>;

constexpr double kClose = 1e-4;

// Two models that go on from the base one, each with a BatchNorm network that moved.
const std::vector<std::string>& TwoTrunks() {
  static const auto* const kModels = [] {
    auto* models = new std::vector<std::string>();
    for (const uint64_t seed : {5, 6}) {
      TrainingPlan plan = Parse(R"(
        name: "trunk" model: "base/model" templates: "tasks.textproto"
        stage {
          name: "all" trainable: "all" steps: 3 batch: 4 optimizer { learning_rate: 5e-3 }
          source { name: "caption" task: "caption" path: "caption.jsonl" }
        })");
      plan.set_seed(seed);
      const std::string output = FreshOutput(absl::StrCat("trunk_", seed));
      TrainOk(Options(World(), plan, output));
      models->push_back(World() + "/" + output + "/model");
    }
    return models;
  }();
  return *kModels;
}

MergeOptions MergeTo(const std::string& output) {
  MergeOptions merge;
  merge.models = TwoTrunks();
  merge.output = World() + "/" + FreshOutput(output);
  return merge;
}

std::unique_ptr<Measurer> MeasurerOn(const std::string& task, const std::string& data) {
  MeasureOptions options;
  options.pipeline.runtime.threads = 1;
  options.pipeline.templates = {World() + "/tasks.textproto"};
  options.scratch = World() + "/scratch";
  options.reestimate = {{task, World() + "/" + data}};
  auto measurer = Measurer::Create(options);
  EXPECT_TRUE(measurer.ok()) << measurer.status();
  return *std::move(measurer);
}

Tensors TensorsOf(const std::string& directory) {
  Tensors tensors;
  const auto model = ModelDirectory::Open(directory);
  EXPECT_TRUE(model.ok()) << model.status();
  for (const std::string& id : (*model)->ComponentIds()) {
    const auto component = (*model)->ReadComponent(id);
    if (!component.ok()) continue;  // no tensors: templates, the tokenizer
    for (const auto& [name, tensor] : *component) tensors[absl::StrCat(id, ".", name)] = tensor;
  }
  return tensors;
}

bool IsRunning(const std::string& name) {
  return absl::EndsWith(name, "running_mean") || absl::EndsWith(name, "running_var");
}

std::unique_ptr<Pipeline> PipelineOf(const std::string& directory) {
  PipelineOptions options;
  options.model = directory;
  options.runtime.threads = 1;
  options.templates = {World() + "/tasks.textproto"};
  auto pipeline = Pipeline::Create(options);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status();
  return *std::move(pipeline);
}

// The limit of the network's own updates when it is trained on the same batch for a long time.
Tensors SettledStatistics(const std::string& directory) {
  const auto pipeline = PipelineOf(directory);
  const Task* task = pipeline->task("caption").value();
  const auto source = OpenTaskSource(*task, World() + "/caption.jsonl", {}, 0).value();
  PreprocessedBatch batch;
  for (int64_t i = 0; i < source->size(); ++i) {
    Seq2SeqExample example =
        task->MakeExample(source->Read(i).value(), ExampleMode::kPrediction, 0).value();
    PreparedExample prepared = Prepare(pipeline->model(), std::move(example), {}).value();
    batch.samples.push_back(std::move(prepared.media[0].sample));
  }
  Modality* modality = pipeline->model().modality("image");
  const at::NoGradGuard no_grad;
  modality->module()->train();
  for (int pass = 0; pass < 300; ++pass) EXPECT_TRUE(EncodeChecked(*modality, batch).ok());
  Tensors settled;
  for (const NamedTensor& entry : pipeline->model().State()) {
    if (IsRunning(entry.name)) settled[entry.name] = entry.tensor.clone();
  }
  return settled;
}

TEST(MergedStatistics, AreThoseOfTheRecordsAndNothingElseMoves) {
  const MergeOptions plain = MergeTo("merged_plain"), measured = MergeTo("merged_measured");
  ASSERT_TRUE(MergeModels(plain).ok());
  const auto report = MeasurerOn("caption", "caption.jsonl")->Merge(measured);
  ASSERT_TRUE(report.ok()) << report.status();
  const Tensors before = TensorsOf(plain.output), after = TensorsOf(measured.output);
  const Tensors settled = SettledStatistics(plain.output);
  ASSERT_EQ(before.size(), after.size());
  int64_t moved = 0;
  for (const auto& [name, tensor] : before) {
    if (!IsRunning(name)) {
      EXPECT_TRUE(at::equal(tensor, after.at(name))) << name;
      continue;
    }
    moved += !at::equal(tensor, after.at(name));
    EXPECT_EQ(tensor.scalar_type(), after.at(name).scalar_type());
    EXPECT_TRUE(at::allclose(after.at(name), settled.at(name), kClose, kClose)) << name;
    EXPECT_FALSE(at::allclose(tensor, settled.at(name), kClose, kClose))
        << name << ": the average would do as well";
  }
  EXPECT_EQ(moved, static_cast<int64_t>(settled.size()));
  EXPECT_EQ(report->measured, moved);
  const auto model = ModelDirectory::Open(measured.output).value();
  EXPECT_THAT(model->manifest().ShortDebugString(), HasSubstr("statistics of caption on "));
  EXPECT_FALSE(fs::exists(World() + "/scratch"));
}

TEST(MergedStatistics, AreTheSameEachTimeAndTheMeanOverBatches) {
  MergeOptions plain = MergeTo("merged_batches");
  ASSERT_TRUE(MergeModels(plain).ok());
  const std::vector<std::string> lines =
      absl::StrSplit(ReadText(World() + "/caption.jsonl"), '\n', absl::SkipEmpty());
  const auto measure = [&](const std::string& data, int batch) {
    ReestimationOptions options;
    options.batch = batch;
    const auto measured =
        ReestimateStatistics(*PipelineOf(plain.output), {{"caption", data}}, options);
    EXPECT_TRUE(measured.ok()) << measured.status();
    return measured->tensors;
  };
  Tensors mean;
  for (int part = 0; part < 3; ++part) {
    std::string text;
    for (int i = 0; i < 8; ++i) absl::StrAppend(&text, lines[part * 8 + i], "\n");
    const std::string file = WriteText(World() + absl::StrCat("/part_", part, ".jsonl"), text);
    for (const auto& [name, tensor] : measure(file, 8)) {
      mean[name] = part == 0 ? tensor / 3 : mean[name] + tensor / 3;
    }
  }
  const Tensors together = measure(World() + "/caption.jsonl", 8);
  const Tensors again = measure(World() + "/caption.jsonl", 8);
  ASSERT_FALSE(together.empty());
  for (const auto& [name, tensor] : together) {
    EXPECT_TRUE(at::equal(tensor, again.at(name))) << name;
    EXPECT_TRUE(at::allclose(tensor, mean.at(name), 1e-5, 1e-6)) << name;
  }
  const Tensors without_rest = measure(World() + "/caption.jsonl", 20);
  WriteText(World() + "/twenty.jsonl",
            absl::StrJoin(lines.begin(), lines.begin() + 20, "\n") + "\n");
  for (const auto& [name, tensor] : measure(World() + "/twenty.jsonl", 20)) {
    EXPECT_TRUE(at::equal(tensor, without_rest.at(name))) << name << ": four more are no batch";
  }
}

TEST(MergedStatistics, MayBeOfAModalityThatOneModelAloneHas) {
  WriteText(World() + "/feel.textproto", R"(
    name: "feel" task {
      name: "feel" input { name: "image" modality: "faulty" }
      prompt: " what is it?" target: " {caption:text}" metric: "exact_match"
    })");
  TrainingPlan plan = Parse(R"(
    name: "feel" seed: 5 model: "base/model" templates: "feel.textproto"
    new_modality {
      modality { id: "faulty" options { key: "fault" value: "seventh_is_no_number" } }
      connection { shared_type_row: -1 }
    }
    stage {
      name: "both" trainable: "connection:faulty" trainable: "modality:faulty" steps: 3 batch: 3
      optimizer { learning_rate: 1e-2 }
      source { name: "feel" task: "feel" path: "caption.jsonl" limit: 6 }
    })");
  TrainOk(Options(World(), plan, FreshOutput("feel")));
  MergeOptions merge = MergeTo("merged_feel");
  merge.models[1] = World() + "/feel/model";
  MeasureOptions options;
  options.pipeline.runtime.threads = 1;
  options.pipeline.runtime.plugins = {"training/libfaulty.so"};
  options.scratch = World() + "/scratch";
  options.reestimate = {{"feel", World() + "/caption.jsonl", 6}};
  const auto report = Measurer::Create(options).value()->Merge(merge);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->measured, 2);
  const Tensors after = TensorsOf(merge.output), before = TensorsOf(merge.models[1]);
  const std::string norm = "modality.faulty.norm.";
  EXPECT_NE(before.at(norm + "running_mean")[0].item<float>(), 1);
  for (int64_t i = 0; i < 2; ++i) {  // its media are ones
    EXPECT_NEAR(after.at(norm + "running_mean")[i].item<float>(), 1, 1e-5);
    EXPECT_NEAR(after.at(norm + "running_var")[i].item<float>(), 0, 1e-5);
  }
}

TEST(MergedStatistics, AWrongTaskOrFileIsSaidBeforeAnythingIsMerged) {
  const MergeOptions merge = MergeTo("merged_wrong");
  const auto message = [&](const std::string& task, const std::string& data) {
    const auto measurer = MeasurerOn(task, data);
    const absl::Status status = measurer->Merge(merge).status();
    EXPECT_TRUE(fs::is_empty(World() + "/scratch")) << "a merge was made first";
    EXPECT_FALSE(fs::exists(merge.output));
    return std::string(status.message());
  };
  EXPECT_THAT(message("nothing", "caption.jsonl"),
              AllOf(HasSubstr("re-estimation"), HasSubstr("task \"nothing\" is not known")));
  EXPECT_THAT(message("caption", "none.jsonl"), HasSubstr("none.jsonl"));
  EXPECT_THAT(message("caption", "copy.jsonl"), HasSubstr("copy.jsonl"));
}

TEST(MergedStatistics, RecordsThatReachNoneAreRefusedAndNothingIsWritten) {
  const MergeOptions merge = MergeTo("merged_text");
  const auto report = MeasurerOn("copy", "copy.jsonl")->Merge(merge);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("running statistics, got none"));
  EXPECT_FALSE(fs::exists(merge.output));
}

}  // namespace
}  // namespace unival::trainer_tests
