#include "backbone/storage/adapter_copy.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/token_rows.h"
#include "backbone/vocabulary/layout.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kWidth = 4;

// The content of a test's model in addition to the text block.
struct Parts {
  float backbone = 1;                  // value of all its weights
  std::vector<BlockSpec> blocks = {};  // beside the base layout
  float depth = 0;                     // value of the connection's weights; 0: no such modality
  std::string trained_against = "";    // backbone_sha256 of the adapter
};

class AdapterCopyTest : public ::testing::Test {
 protected:
  AdapterCopyTest() : folder_(fs::path(::testing::TempDir()) / "adapter_copy") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  void Write(const std::string& name, const Parts& parts) {
    Manifest manifest;
    manifest.set_name(name);
    manifest.mutable_backbone()->set_d_model(kWidth);
    BaseBlocks base;
    base.text_size = 10;
    *manifest.mutable_vocabulary() = AddBlocks(BaseLayout(base).value(), parts.blocks).value();
    manifest.mutable_tokenizer()->set_block("core.bpe");
    auto writer = ModelDirectoryWriter::Create(Path(name)).value();
    const int64_t size = LayoutSize(manifest.vocabulary());
    const at::Tensor rows = at::full({size, kWidth}, parts.backbone);
    ASSERT_TRUE(AddTokenComponents(rows, manifest.vocabulary(), *writer).ok());
    const TensorMap backbone = {{"w", at::full({kWidth}, parts.backbone)}};
    ASSERT_TRUE(writer->AddTensors("backbone", backbone).ok());
    if (parts.depth != 0) AddDepth(parts, &manifest, *writer);
    const absl::Status status = writer->Commit(manifest);
    ASSERT_TRUE(status.ok()) << status;
  }

  void AddDepth(const Parts& parts, Manifest* manifest, ModelDirectoryWriter& writer) {
    manifest->add_modality()->set_id("depth");
    manifest->add_connection()->set_modality("depth");
    AdapterRecord* record = manifest->add_adapter();
    record->set_modality("depth");
    record->set_d_model(kWidth);
    record->set_schema_version(kAdapterSchemaVersion);
    record->set_backbone_sha256(parts.trained_against);
    const TensorMap weights = {{"weight", at::full({kWidth}, parts.depth)}};
    ASSERT_TRUE(writer.AddTensors(AdapterComponentId("depth"), weights).ok());
  }

  std::string BackboneHash(const std::string& name) {
    return BackboneSha256(*ModelDirectory::Open(Path(name)).value()).value();
  }

  AdapterCopy Copy() const {
    AdapterCopy copy;
    copy.from = Path("from"), copy.modality = "depth", copy.into = Path("into");
    return copy;
  }

  float Depth(const std::string& name) {
    const auto model = ModelDirectory::Open(Path(name)).value();
    return model->ReadComponent(AdapterComponentId("depth")).value().at("weight")[0].item<float>();
  }

  fs::path folder_;
};

TEST_F(AdapterCopyTest, TakesAModalityIntoAModelWithOtherBlocks) {
  Write("into", {1, {{"a.code", 3, "", "a"}}});
  Write("from", {1, {{"z.code", 2, "", "z"}}, 7, BackboneHash("into")});
  const auto result = CopyAdapter(Copy());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, Path("into"));
  EXPECT_EQ(result->into_name, "into");
  EXPECT_THAT(result->missing_blocks, ElementsAre("z.code"));
  EXPECT_EQ(Depth("into"), 7);
  const auto model = ModelDirectory::Open(Path("into")).value();
  EXPECT_EQ(model->manifest().modality(0).id(), "depth");
  EXPECT_EQ(model->manifest().lineage(0).command(), "adapter copy depth from from");
  EXPECT_TRUE(model->HasComponent("tokens.a.code"));
}

TEST_F(AdapterCopyTest, WritesAnotherModelWhenAsked) {
  Write("into", {});
  Write("from", {1, {}, 7, BackboneHash("into")});
  AdapterCopy copy = Copy();
  copy.output = Path("joined");
  const auto result = CopyAdapter(copy);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->missing_blocks, IsEmpty());
  EXPECT_EQ(Depth("joined"), 7);
  EXPECT_FALSE(fs::exists(Path("into") + "/adapter.depth.safetensors"));
}

TEST_F(AdapterCopyTest, ReplacesOnlyWhenAsked) {
  Write("into", {1, {}, 3});
  Write("from", {1, {}, 7, BackboneHash("into")});
  AdapterCopy copy = Copy();
  const absl::Status refused = CopyAdapter(copy).status();
  EXPECT_TRUE(absl::IsAlreadyExists(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--replace"));
  EXPECT_EQ(Depth("into"), 3);
  copy.replace = true;
  ASSERT_TRUE(CopyAdapter(copy).ok());
  EXPECT_EQ(Depth("into"), 7);
  EXPECT_EQ(ModelDirectory::Open(Path("into")).value()->manifest().adapter_size(), 1);
}

TEST_F(AdapterCopyTest, OtherWeightsAreRefusedUnlessThatIsAllowedAndWrittenDown) {
  Write("into", {2});
  Write("from", {1, {}, 7, "0123"});
  AdapterCopy copy = Copy();
  const absl::Status refused = CopyAdapter(copy).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("backbone_sha256"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("0123"));
  copy.allow_mismatch = true;
  const absl::Status allowed = CopyAdapter(copy).status();
  ASSERT_TRUE(allowed.ok()) << allowed;
  const auto model = ModelDirectory::Open(Path("into")).value();
  EXPECT_EQ(model->manifest().lineage(0).note(), "trained against the backbone 0123");
  EXPECT_EQ(model->manifest().adapter(0).backbone_sha256(), BackboneHash("into"));
}

TEST_F(AdapterCopyTest, SaysWhichModelLacksWhat) {
  Write("into", {});
  Write("from", {});
  const absl::Status status = CopyAdapter(Copy()).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("modality \"depth\""));
}

}  // namespace
}  // namespace unival
