// Image codes: the pipeline lets a model generate what it learned with teacher forcing.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "backbone/model/backbone.h"
#include "runtime/collate.h"
#include "runtime/pipeline.h"
#include "sdk/base/test_files.h"
#include "training/run/training_step.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;

// As many codes as the model has positions.
constexpr int kCodes = 128, kKinds = 32;
constexpr char kTask[] = "draw";
const char* const kCaptions[] = {"red", "green"};

constexpr char kDrawing[] = R"(
name: "codes"
task {
  name: "draw"
  prompt: " draw {caption}"
  target: "{codes:codes}"
  codes_block: "core.image_code"
  generation { min_tokens: 128 max_tokens: 128 }
}
)";

// What the plan of all trainer tests does not say.
constexpr char kPlan[] = R"(
name: "codes"
fresh_model {
  backbone {
    d_model: 64 ffn_dim: 128 image_bucket_size: 16 max_positions: 128
    code_image_size: 128 code_layernorm_embedding: true
  }
  vocabulary { blocks { id: "core.image_code" extents { size: 32 } } }
}
stage {
  name: "all"
  trainable: "all"
  steps: 150
  batch: 2
  optimizer { learning_rate: 5e-3 clip_norm: 1 }
  source { name: "draw" task: "draw" path: "codes.jsonl" }
  log_every: 50
}
)";

// Of a model without media.
TrainingPlan CodesPlan() {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.clear_stage();
  plan.clear_evaluation();
  plan.mutable_fresh_model()->clear_modality();
  plan.mutable_fresh_model()->clear_connection();
  plan.mutable_fresh_model()->mutable_backbone()->clear_dropout();
  plan.MergeFrom(Parse(kPlan));
  return plan;
}

// The code at each position of a picture; in an irregular order, so that only the position
// determines it.
int CodeAt(int picture, int place) {
  return (place * place * 7 + place * 5 + picture * 11) % kKinds;
}

std::vector<double> CodesOf(int picture) {
  std::vector<double> codes;
  for (int place = 0; place < kCodes; ++place) codes.push_back(CodeAt(picture, place));
  return codes;
}

class ImageCodes : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(::testing::TempDir(), "/codes");
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    fs::copy("training/testdata/tokenizer", folder_ + "/tokenizer");
    WriteText(folder_ + "/tasks.textproto", kDrawing);
    std::string records;
    for (int picture = 0; picture < 2; ++picture) {
      records += Json{{"caption", kCaptions[picture]}, {"codes", CodesOf(picture)}}.dump() + "\n";
    }
    WriteText(folder_ + "/codes.jsonl", records);
  }

  void Train() {
    const TrainingPlan plan = CodesPlan();
    TrainOptions options = Options(folder_, plan, "run");
    options.progress = [this](const ProgressRecord& record) { accuracy_ = record.token_accuracy; };
    TrainOk(options);
  }

  // The likeliest code at every place, as training sees the record.
  std::vector<int64_t> TeacherForced(Model& model, const Task& task, const TaskSample& sample) {
    auto example = task.MakeExample(sample, ExampleMode::kTraining, 0);
    EXPECT_TRUE(example.ok()) << example.status();
    auto prepared = Prepare(model, *std::move(example), {});
    EXPECT_TRUE(prepared.ok()) << prepared.status();
    const std::vector<PreparedExample> batch = {*std::move(prepared)};
    const TargetRows rows = MakeTargetRows(model, batch);
    const at::NoGradGuard no_grad;
    DecodeOptions options;
    options.code_rows = rows.code_rows;
    Backbone& backbone = model.backbone();
    const at::Tensor logits =
        backbone.Decode(backbone.Encode(*MakeModelInput(model, batch)), rows.previous, options)[0];
    const TokenRange codes = model.vocabulary().BlockRanges(kImageCodeBlock)->at(0);
    const at::Tensor best =
        logits.slice(0, 0, kCodes).slice(1, codes.begin, codes.end).argmax(1).contiguous();
    return {best.data_ptr<int64_t>(), best.data_ptr<int64_t>() + best.numel()};
  }

  std::string folder_;
  double accuracy_ = 0;
};

int Equal(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  int count = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) count += a[i] == b[i];
  return count;
}

TEST_F(ImageCodes, ThePipelineWritesWhatTeacherForcingSaysIsLikeliest) {
  Train();
  EXPECT_EQ(accuracy_, 1) << "the codes were not learnt";
  auto model = Model::Load(folder_ + "/run/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  auto pipeline = Pipeline::Create(model->get(), std::vector<std::string>());
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  const Task* task = (*pipeline)->task(kTask).value();
  for (int picture = 0; picture < 2; ++picture) {
    TaskSample sample{"k", {{"caption", std::string(kCaptions[picture])}}};
    const auto answer = (*pipeline)->Predict(kTask, sample);
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_EQ(answer->codes.size(), static_cast<size_t>(kCodes)) << "the count is exact";
    sample.fields["codes"] = CodesOf(picture);
    EXPECT_EQ(Equal(answer->codes, TeacherForced(**model, *task, sample)), kCodes);
  }
}

}  // namespace
}  // namespace unival::trainer_tests
