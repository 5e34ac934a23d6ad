// The shipped model keeps its quality with weights in fewer bits: compares each task's scores with
// those in float32, on pictures and videos that were not in training.
#include <gtest/gtest.h>

#include <string>

#include "examples/world/world.h"
#include "runtime/pipeline.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/task_source.h"

namespace unival {
namespace {

constexpr int64_t kRecords = 200;
constexpr double kMayDiffer = 0.01;

struct Task {
  std::string name, file;
};

const std::vector<Task>& Tasks() {
  static const auto* const kTasks = new std::vector<Task>{
      {"image_caption", "image/eval/caption.jsonl"},
      {"vqa", "image/eval/vqa.jsonl"},
      {"grounding", "image/eval/grounding.jsonl"},
      {"video_caption", "video/eval/caption.jsonl"},
  };
  return *kTasks;
}

std::string World() {
  static const auto* const kFolder = [] {
    world::WorldOptions options;
    options.output_dir = ::testing::TempDir() + "/precision_world";
    options.kinds = {"image", "video"};
    options.train_count = 1;
    options.eval_count = kRecords;
    EXPECT_TRUE(world::GenerateWorld(options).ok());
    return new std::string(options.output_dir);
  }();
  return *kFolder;
}

EvaluationResult Measure(const Task& task, const std::string& precision) {
  PipelineOptions options;
  options.model = "models/nano";
  options.task = task.name;
  options.precision = precision;
  auto pipeline = Pipeline::Create(options);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status();
  const auto source =
      OpenFittingSource(**(*pipeline)->task(task.name), (*pipeline)->model().known_modalities(),
                        {World() + "/" + task.file, {}, kRecords});
  EXPECT_TRUE(source.ok()) << source.status();
  auto result = Evaluate(**pipeline, task.name, **source, {});
  EXPECT_TRUE(result.ok()) << result.status();
  return *std::move(result);
}

class Precision : public ::testing::TestWithParam<std::string> {};

TEST_P(Precision, KeepsTheScoresOfTheShippedModel) {
  for (const Task& task : Tasks()) {
    const EvaluationResult exact = Measure(task, "float32"), found = Measure(task, GetParam());
    EXPECT_GE(exact.samples, kRecords / 2);
    EXPECT_GE(exact.metrics.size(), 3u);
    EXPECT_EQ(found.failures.size(), 0u);
    for (const auto& [name, value] : exact.metrics) {
      // For scores over few records, one record changes the score by more than the bound.
      if (name.find('/') != std::string::npos) continue;
      EXPECT_NEAR(found.metrics.at(name), value, kMayDiffer) << task.name << " " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Nano, Precision, ::testing::Values("bfloat16", "int8"),
                         [](const auto& test) { return test.param; });

TEST(PipelineOptions, NameAPrecisionThatThereIs) {
  PipelineOptions options;
  options.model = "models/nano";
  options.precision = "float16";
  const auto pipeline = Pipeline::Create(options);
  EXPECT_EQ(pipeline.status().message(),
            "precision: expected float32, bfloat16, int8, got \"float16\"");
}

}  // namespace
}  // namespace unival
