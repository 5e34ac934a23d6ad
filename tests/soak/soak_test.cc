// Many predictions of mixed media in one process; one in twenty inputs is damaged. Resident memory
// does not grow, no file stays open, and every answer is the same as when its input is given alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/pipeline.h"
#include "sdk/base/memory_use.h"
#include "sdk/base/random.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"
#include "tests/soak/soak_media.h"

namespace unival::soak {
namespace {

int64_t wanted_predictions = 4000;

constexpr double kDamagedShare = 0.05;
// Limit of the growth of memory after the first fifth of the run. In the first fifth, caches and
// memory pools grow.
constexpr double kMostBytesPerPrediction = 64, kMostNoiseBytes = 16 << 20;

constexpr char kTasks[] = R"(
name: "soak"
task {
  name: "image" input { name: "image" modality: "image" }
  prompt: " what?" target: " {caption:text}" generation { beam: 1 min_tokens: 1 max_tokens: 1 }
}
task {
  name: "sound" input { name: "sound" modality: "audio" }
  prompt: " what?" target: " {caption:text}" generation { beam: 1 min_tokens: 1 max_tokens: 1 }
}
task {
  name: "video" input { name: "video" modality: "video" }
  prompt: " what?" target: " {caption:text}" generation { beam: 1 min_tokens: 1 max_tokens: 1 }
}
task {
  name: "text"
  prompt: "{text:text}" target: " {caption:text}"
  generation { beam: 1 min_tokens: 1 max_tokens: 1 }
}
)";

constexpr char kModel[] = R"(
name: "soak"
backbone {
  d_model: 32 ffn_dim: 64 heads: 4 encoder_layers: 1 decoder_layers: 1
  token_bucket_size: 16 image_bucket_size: 4 max_positions: 64 attn_scale_factor: 2
  type_rows: 2 add_type_embedding: true encoder_pre_norm: true decoder_pre_norm: true
}
tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
modality {
  id: "image"
  image {
    width: 16 height: 16
    normalization { mean: 0.5 mean: 0.5 mean: 0.5 std: 0.5 std: 0.5 std: 0.5 }
  }
  encoder { small_cnn { in_channels: 3 widths: 8 widths: 16 } }
}
modality {
  id: "video"
  video {
    frames: 2 width: 16 height: 16 resize: true
    normalization { mean: 0.5 mean: 0.5 mean: 0.5 std: 0.5 std: 0.5 std: 0.5 }
  }
  encoder { small_cnn { in_channels: 6 widths: 8 widths: 16 } }
}
modality {
  id: "audio"
  audio {
    sample_rate_hz: 8000 max_samples: 800
    log_mel { window: 128 hop: 80 mel_bins: 16 min_hz: 60 max_hz: 4000 }
  }
  encoder {
    small_cnn {
      in_channels: 1 widths: 8 widths: 16 flatten_height: true spectrogram_bins: 16
    }
  }
}
connection { modality: "image" shared_type_row: 1 }
connection { modality: "video" shared_type_row: 1 }
connection { modality: "audio" shared_type_row: 1 }
)";

int64_t OpenFiles() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

// A model with random weights, because no trained model of this small size has four modalities.
class Soak : public ::testing::Test {
 protected:
  void SetUp() override {
    RuntimeOptions options;
    options.threads = 1;
    auto runtime = Runtime::Create(options);
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    runtime_ = *std::move(runtime);
    Manifest manifest;
    ASSERT_TRUE(ParseTextProto(kModel, "model", &manifest).ok());
    auto model = Model::CreateFresh(manifest, "training/testdata/tokenizer", 1, *runtime_);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    model_->SetTraining(false);
    const std::string templates = WriteText(NewFolder("soak") + "/soak.textproto", kTasks);
    auto pipeline = Pipeline::Create(model_.get(), std::vector<std::string>{templates});
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    pipeline_ = *std::move(pipeline);
    questions_ = MakeQuestions();
    AskAlone();
  }

  // The answer to each valid input alone. Scores distinguish inputs whose texts are the same.
  void AskAlone() {
    for (const Questions& questions : questions_) {
      std::set<std::string> different;
      for (const TaskSample& sample : questions.whole) {
        const auto answer = pipeline_->Predict(questions.task, sample);
        ASSERT_TRUE(answer.ok()) << sample.key << ": " << answer.status();
        alone_[sample.key] = *answer;
        different.insert(absl::StrCat(answer->text, answer->score));
      }
      ASSERT_GT(different.size(), questions.whole.size() / 2) << questions.task;
      for (const TaskSample& sample : questions.damaged) {
        ASSERT_FALSE(pipeline_->Predict(questions.task, sample).ok()) << sample.key;
      }
    }
  }

  // Predicts a batch of one to eight inputs of one task, drawn by `seed`. Returns how many were
  // damaged.
  int64_t AskTogether(uint64_t seed, int64_t* asked) {
    const Questions& questions = questions_[Mix(seed, 1) % questions_.size()];
    const size_t count = 1 + Mix(seed, 2) % 8;
    std::vector<TaskSample> samples;
    std::vector<bool> is_damaged;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t draw = Mix(seed, 3, i);
      is_damaged.push_back(static_cast<double>(draw % 1000) < 1000 * kDamagedShare);
      const auto& from = is_damaged.back() ? questions.damaged : questions.whole;
      samples.push_back(from[draw / 1000 % from.size()]);
    }
    const auto answers = pipeline_->PredictBatch(questions.task, samples);
    EXPECT_TRUE(answers.ok()) << answers.status();
    if (!answers.ok()) return 0;
    for (size_t i = 0; i < count; ++i) Compare(samples[i], is_damaged[i], (*answers)[i]);
    *asked += static_cast<int64_t>(count);
    return std::count(is_damaged.begin(), is_damaged.end(), true);
  }

  void Compare(const TaskSample& sample, bool is_damaged,
               const absl::StatusOr<Prediction>& answer) {
    ASSERT_EQ(answer.ok(), !is_damaged) << sample.key << ": " << answer.status();
    if (is_damaged) {
      EXPECT_FALSE(answer.status().message().empty());
      return;
    }
    const Prediction& alone = alone_.at(sample.key);
    EXPECT_EQ(answer->text, alone.text) << sample.key;
    // Tolerance for sums in another order: in a batch, rows of one shape are computed together.
    EXPECT_NEAR(answer->score, alone.score, 1e-5) << sample.key;
  }

  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<Questions> questions_;
  std::map<std::string, Prediction> alone_;
};

// Least-squares fit of bytes over predictions.
double Slope(const std::vector<std::pair<double, double>>& points) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const auto& [at, bytes] : points) x += at, y += bytes;
  x /= static_cast<double>(points.size()), y /= static_cast<double>(points.size());
  for (const auto& [at, bytes] : points) xx += (at - x) * (at - x), xy += (at - x) * (bytes - y);
  return xx > 0 ? xy / xx : 0;
}

TEST_F(Soak, MemoryStaysAndNoAnswerDependsOnItsNeighbours) {
  const int64_t settled = wanted_predictions / 5, every = std::max<int64_t>(1, settled / 20);
  std::vector<std::pair<double, double>> points;
  int64_t asked = 0, damaged = 0, files = 0, next = settled;
  for (uint64_t round = 0; asked < wanted_predictions && !HasFailure(); ++round) {
    damaged += AskTogether(Mix(11, round), &asked);
    if (asked < next) continue;
    if (points.empty()) files = OpenFiles();
    points.emplace_back(static_cast<double>(asked),
                        static_cast<double>(MemoryOfThisProcess().resident));
    next += every;
  }
  ASSERT_GE(points.size(), 10u);
  const double slope = Slope(points), growth = points.back().second - points.front().second;
  std::printf(
      "%lld predictions, %lld of damaged inputs: resident %.1f MiB at %.0f, %.1f MiB at %.0f; "
      "%.2f bytes a prediction\n",
      static_cast<long long>(asked), static_cast<long long>(damaged),
      points.front().second / (1 << 20), points.front().first, points.back().second / (1 << 20),
      points.back().first, slope);
  EXPECT_NEAR(static_cast<double>(damaged) / static_cast<double>(asked), kDamagedShare, 0.02);
  EXPECT_LT(growth, kMostNoiseBytes + kMostBytesPerPrediction * static_cast<double>(asked));
  if (asked >= 50000) {
    EXPECT_LT(slope, kMostBytesPerPrediction);
  }
  EXPECT_EQ(OpenFiles(), files);
}

}  // namespace

void SetPredictions(int64_t count) { wanted_predictions = count; }

}  // namespace unival::soak

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    long long count = 0;
    if (std::sscanf(argv[i], "--predictions=%lld", &count) == 1 && count >= 100)
      unival::soak::SetPredictions(count);
  }
  return RUN_ALL_TESTS();
}
