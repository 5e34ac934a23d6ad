// Only the parts that a task needs are in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "runtime/pipeline.h"
#include "runtime/test_runtime.h"
#include "sdk/base/memory_use.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kNano[] = "models/nano";
constexpr char kTemplates[] = "tasks/templates/quickstart.textproto";

// Two encoders of 14 M parameters, 57 MB each.
constexpr char kTwoEncoders[] = R"(
name: "two"
backbone {
  d_model: 16 ffn_dim: 32 heads: 2 encoder_layers: 1 decoder_layers: 1
  token_bucket_size: 16 image_bucket_size: 4 max_positions: 32 attn_scale_factor: 2
  type_rows: 2 add_type_embedding: true encoder_pre_norm: true decoder_pre_norm: true
}
tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
modality { id: "image" image { width: 16 height: 16 }
           encoder { small_cnn { in_channels: 3 widths: 512 widths: 1024 widths: 1024 } } }
modality { id: "second" type: "image" image { width: 16 height: 16 }
           encoder { small_cnn { in_channels: 3 widths: 512 widths: 1024 widths: 1024 } } }
connection { modality: "image" shared_type_row: 1 }
connection { modality: "second" shared_type_row: 1 }
)";
constexpr double kEncoderBytes = 4.0 * (512 * 1024 + 1024 * 1024) * 9;

double BytesOfLoading(const std::string& folder, const ModelLoadOptions& options) {
  malloc_trim(0);  // freed memory that the C library keeps would be filled first
  const int64_t before = MemoryOfThisProcess().resident;
  const auto model = Model::Load(folder, TheRuntime(), options);
  EXPECT_TRUE(model.ok()) << model.status();
  return static_cast<double>(MemoryOfThisProcess().resident - before);
}

TEST(SelectiveLoad, ResidentMemoryDropsByTheEncoderLeftOut) {
  Manifest manifest;
  ASSERT_TRUE(ParseTextProto(kTwoEncoders, "test", &manifest).ok());
  const std::string folder = absl::StrCat(::testing::TempDir(), "/two");
  {
    auto model = Model::CreateFresh(manifest, absl::StrCat(kNano, "/tokenizer"), 1, TheRuntime());
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_TRUE((*model)->Save(folder, Lineage(), /*half=*/false).ok());
  }
  ModelLoadOptions one;
  one.all_modalities = false;
  one.modalities = {"image"};
  BytesOfLoading(folder, one);  // what the first load leaves behind for ever is not counted
  const double with_one = BytesOfLoading(folder, one), with_both = BytesOfLoading(folder, {});
  EXPECT_GT(with_one, 0.9 * kEncoderBytes);
  EXPECT_LT(with_one, 1.3 * kEncoderBytes) << "the other encoder is in memory";
  EXPECT_GT(with_both - with_one, 0.9 * kEncoderBytes);
}

TEST(SelectiveLoad, APipelineForOneTaskHoldsItsModalities) {
  PipelineOptions options;
  options.model = kNano;
  options.templates = {kTemplates};
  options.task = "image_caption";
  auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_THAT((*pipeline)->model().modality_ids(), ElementsAre("image"));
  const auto other = (*pipeline)->Predict(
      "video_caption", {"clip", {{"video", MediaSource{"", "clip.mp4", nullptr}}}});
  EXPECT_THAT(std::string(other.status().message()),
              AllOf(HasSubstr("\"video\""), HasSubstr("not loaded")));
}

TEST(SelectiveLoad, ATextTaskNeedsNoEncoder) {
  PipelineOptions options;
  options.model = kNano;
  options.templates = {kTemplates};
  options.task = "text_copy";
  auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_THAT((*pipeline)->model().modality_ids(), ElementsAre());
}

TEST(SelectiveLoad, NamedModalitiesComeBeforeTheTask) {
  PipelineOptions options;
  options.model = kNano;
  options.templates = {kTemplates};
  options.task = "image_caption";
  options.load.all_modalities = false;
  options.load.modalities = {"video"};
  auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_THAT((*pipeline)->model().modality_ids(), ElementsAre("video"));
}

TEST(SelectiveLoad, AnUnknownTaskLoadsAllAndIsNamed) {
  PipelineOptions options;
  options.model = kNano;
  options.task = "no_such_task";
  auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_THAT((*pipeline)->model().modality_ids(), ElementsAre("image", "video"));
  EXPECT_THAT(std::string((*pipeline)->task("no_such_task").status().message()),
              HasSubstr("not known"));
}

}  // namespace
}  // namespace unival
