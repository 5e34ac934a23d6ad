// Merges whole model directories that are so small that every number is known.
#include "backbone/merging/merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/token_rows.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kWidth = 16;

// A model for tests: every weight is a ramp plus `shift`, so that all models have similar
// directions.
struct Parts {
  Parts(float shift, std::string parent = "ancestor", std::string modality = "",
        int64_t batches = 0, int64_t columns = kWidth)
      : shift(shift),
        parent(std::move(parent)),
        modality(std::move(modality)),
        batches(batches),
        columns(columns) {}

  float shift;
  std::string parent;    // parent_backbone_sha256; empty: none
  std::string modality;  // a modality of its own, with `shift` in its weights
  int64_t batches;       // num_batches_tracked of the modality
  int64_t columns;       // of the backbone's matrix
  bool permuted = false;
  std::string tokenizer = "words";
};

class MergeTest : public ::testing::Test {
 protected:
  MergeTest() : folder_(NewFolder()) { WriteText(folder_ + "/tokenizer/model", "words"); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  static at::Tensor Matrix(const Parts& parts) {
    at::Tensor matrix = (at::arange(kWidth * parts.columns, at::kFloat).reshape({kWidth, -1}) -
                         kWidth * parts.columns / 2) /
                            16 +
                        parts.shift;
    return parts.permuted ? matrix.flip(0) : matrix;
  }

  std::string Write(const std::string& name, const Parts& parts) {
    Manifest manifest;
    manifest.set_name(name);
    manifest.mutable_backbone()->set_d_model(kWidth);
    BaseBlocks base;
    base.text_size = 10;
    *manifest.mutable_vocabulary() = BaseLayout(base).value();
    manifest.mutable_tokenizer()->set_block("core.bpe");
    manifest.mutable_tokenizer()->set_directory("tokenizer");
    Lineage* lineage = manifest.add_lineage();
    lineage->set_command("train");
    lineage->set_plan(name);
    lineage->set_parent_backbone_sha256(parts.parent);
    auto writer = ModelDirectoryWriter::Create(Path(name), {true}).value();
    const int64_t size = LayoutSize(manifest.vocabulary());
    EXPECT_TRUE(AddTokenComponents(at::full({size, kWidth}, 1 + parts.shift), manifest.vocabulary(),
                                   *writer)
                    .ok());
    EXPECT_TRUE(
        writer->AddTensors("backbone", {{"w", Matrix(parts)}, {"buckets", at::arange(4)}}).ok());
    const std::map<std::string, std::string> tokenizer = {{"model", parts.tokenizer}};
    EXPECT_TRUE(writer->AddFolder("tokenizer", tokenizer).ok());
    if (!parts.modality.empty()) AddModality(parts, &manifest, *writer);
    const absl::Status status = writer->Commit(manifest);
    EXPECT_TRUE(status.ok()) << status;
    return Path(name);
  }

  void AddModality(const Parts& parts, Manifest* manifest, ModelDirectoryWriter& writer) {
    const std::string& id = parts.modality;
    manifest->add_modality()->set_id(id);
    manifest->add_connection()->set_modality(id);
    const TensorMap encoder = {{"bn.running_mean", at::full({2}, parts.shift)},
                               {"bn.num_batches_tracked", at::tensor({parts.batches}, at::kLong)}};
    EXPECT_TRUE(writer.AddTensors(ModalityComponentId(id), encoder).ok());
    AdapterRecord* record = manifest->add_adapter();
    record->set_modality(id);
    record->set_d_model(kWidth);
    record->set_schema_version(kAdapterSchemaVersion);
    const auto path_of = [&](const std::string& component) { return writer.PathOf(component); };
    record->set_backbone_sha256(BackboneSha256(path_of, manifest->vocabulary()).value());
    const TensorMap weights = {{"weight", at::full({2, 2}, parts.shift)}};
    EXPECT_TRUE(writer.AddTensors(AdapterComponentId(id), weights).ok());
  }

  MergeOptions Options(std::vector<std::string> models) const {
    MergeOptions options;
    options.models = std::move(models);
    options.method = "interpolate";
    options.output = Path("merged");
    options.overwrite = true;
    return options;
  }

  at::Tensor Read(const std::string& component, const std::string& name) const {
    return ModelDirectory::Open(Path("merged")).value()->ReadComponent(component)->at(name);
  }

  Manifest MergedManifest() const {
    return ModelDirectory::Open(Path("merged")).value()->manifest();
  }

  static std::string MessageOf(const MergeOptions& options) {
    return std::string(MergeModels(options).status().message());
  }

  std::string folder_;
};

TEST_F(MergeTest, MixesEveryPartByLambda) {
  MergeOptions options = Options({Write("a", {4}), Write("b", {0})});
  options.lambda = 0.25;
  const MergeReport report = MergeModels(options).value();
  EXPECT_TRUE(Read("backbone", "w").equal(Matrix({1})));
  EXPECT_TRUE(Read("tokens.core.bpe", "rows").equal(at::full({10, kWidth}, 2.f)));
  EXPECT_TRUE(Read("backbone", "buckets").equal(at::arange(4)));
  EXPECT_EQ(report.ancestor_sha256, "ancestor");
  EXPECT_GT(report.mixed, 0);
  EXPECT_EQ(report.same, 1);
}

TEST_F(MergeTest, LambdaOneAndZeroGiveTheInputsBackToTheBit) {
  const std::string a = Write("a", {0.1f, "ancestor", "depth", 3}),
                    b = Write("b", {0.7f, "ancestor", "depth", 9});
  for (const char* method : {"interpolate", "slerp"}) {
    for (const auto& [lambda, directory] : {std::make_pair(1.0, a), std::make_pair(0.0, b)}) {
      MergeOptions options = Options({a, b});
      options.method = method, options.lambda = lambda;
      ASSERT_TRUE(MergeModels(options).ok());
      const auto input = ModelDirectory::Open(directory).value();
      for (const std::string& id : input->ComponentIds()) {
        if (id == "tokenizer") continue;
        const TensorMap tensors = input->ReadComponent(id).value();
        for (const auto& [name, tensor] : tensors) {
          EXPECT_TRUE(at::equal(Read(id, name), tensor)) << method << lambda << id << name;
        }
      }
    }
  }
}

TEST_F(MergeTest, CarriesTheNoticesOfAllModels) {
  const std::string a = Write("a", {4}), b = Write("b", {0});
  WriteText(a + "/NOTICE.txt", "WordNet\n");
  WriteText(b + "/NOTICE.txt", "Intents\n");
  ASSERT_TRUE(MergeModels(Options({a, b})).ok());
  EXPECT_EQ(ReadText(Path("merged") + "/NOTICE.txt"), "WordNet\n\nIntents\n");
}

TEST_F(MergeTest, NamesTheTemplateSetsOfAllModels) {
  const auto write = [&](const std::string& name, float shift, const std::string& hashes) {
    const std::string path = Write(name, {shift}), file = path + "/manifest.textproto";
    return WriteText(file, ReadText(file) + "template_set_hash: \"" + hashes + "\"\n"), path;
  };
  ASSERT_TRUE(MergeModels(Options({write("a", 4, "x y"), write("b", 0, "y z")})).ok());
  EXPECT_EQ(MergedManifest().template_set_hash(), "x y z");
}

TEST_F(MergeTest, APartMayHaveItsOwnLambdaAndTheLastThatMatchesCounts) {
  const std::string a = Write("a", {4, "ancestor", "depth"}),
                    b = Write("b", {0, "ancestor", "depth"});
  MergeOptions options = Options({a, b});
  options.lambda = 0.25;
  const auto is_connection = [](const std::string& name) {
    return name == "connection.depth.weight";
  };
  options.parts = {{"all", [](const std::string&) { return true; }, 0.5},
                   {"connection:depth", is_connection, 1}};
  ASSERT_TRUE(MergeModels(options).ok());
  EXPECT_TRUE(Read("backbone", "w").equal(Matrix({2})));
  EXPECT_TRUE(Read("adapter.depth", "weight").equal(at::full({2, 2}, 4.f)));
  options.parts = {{"modality:nose", [](const std::string&) { return false; }, 1}};
  EXPECT_THAT(MessageOf(options), AllOf(HasSubstr("modality:nose"), HasSubstr("adapter.depth")));
}

TEST_F(MergeTest, TakesTheDifferencesFromABaseThatAllComeFrom) {
  const std::string base = Write("base", {1});
  const std::string hash = BackboneSha256(*ModelDirectory::Open(base).value()).value();
  MergeOptions options = Options({Write("a", {2, hash}), Write("b", {4, hash})});
  options.method = "task_arithmetic", options.base = base, options.lambda = 0.5;
  ASSERT_EQ(MergeModels(options).status(), absl::OkStatus());
  EXPECT_TRUE(Read("backbone", "w").equal(Matrix({3})));  // 1 + 0.5 * (1 + 3)
  options.models = {Write("c", {2})};
  EXPECT_THAT(MessageOf(options), AllOf(HasSubstr("base"), HasSubstr("lineage")));
}

TEST_F(MergeTest, StatisticsAndCountersFollowTheirPolicy) {
  const std::string a = Write("a", {4, "ancestor", "depth", 3}),
                    b = Write("b", {0, "ancestor", "depth", 9});
  MergeOptions options = Options({a, b});
  options.method = "slerp", options.lambda = 0.25;
  ASSERT_TRUE(MergeModels(options).ok());
  EXPECT_TRUE(Read("modality.depth", "bn.running_mean").equal(at::full({2}, 1.f)));
  EXPECT_EQ(Read("modality.depth", "bn.num_batches_tracked").item<int64_t>(), 9);
  options.statistics = options.counters = "first";
  ASSERT_TRUE(MergeModels(options).ok());
  EXPECT_TRUE(Read("modality.depth", "bn.running_mean").equal(at::full({2}, 4.f)));
  EXPECT_EQ(Read("modality.depth", "bn.num_batches_tracked").item<int64_t>(), 3);
}

TEST_F(MergeTest, CarriesWhatOneModelAloneHasAndSaysSo) {
  MergeOptions options =
      Options({Write("a", {4, "ancestor", "depth"}), Write("b", {0, "ancestor", "sound"})});
  const MergeReport report = MergeModels(options).value();
  EXPECT_TRUE(Read("adapter.depth", "weight").equal(at::full({2, 2}, 4.f)));
  EXPECT_TRUE(Read("adapter.sound", "weight").equal(at::full({2, 2}, 0.f)));
  EXPECT_EQ(report.carried, 6);
  EXPECT_THAT(report.notes, ::testing::Contains(HasSubstr("adapter.sound: carried from")));
  EXPECT_EQ(MergedManifest().modality_size(), 2);
}

TEST_F(MergeTest, AdaptersAreBoundToTheMergedBackbone) {
  MergeOptions options =
      Options({Write("a", {4, "ancestor", "depth"}), Write("b", {0, "ancestor", "depth"})});
  ASSERT_TRUE(MergeModels(options).ok());
  const auto merged = ModelDirectory::Open(Path("merged")).value();
  EXPECT_EQ(merged->manifest().adapter(0).backbone_sha256(), BackboneSha256(*merged).value());
  EXPECT_EQ(merged->Verify(), absl::OkStatus());
}

TEST_F(MergeTest, TheLineageNamesParentsAndMethodAndTheMergedModelHasItsAncestors) {
  const std::string a = Write("a", {4}), b = Write("b", {0}), c = Write("c", {2});
  MergeOptions options = Options({a, b});
  options.plan = "soup";
  ASSERT_TRUE(MergeModels(options).ok());
  const Manifest manifest = MergedManifest();
  ASSERT_EQ(manifest.lineage_size(), 4);
  EXPECT_EQ(manifest.lineage(2).command(), "merge interpolate");
  EXPECT_EQ(manifest.lineage(2).plan(), "soup");
  EXPECT_EQ(manifest.lineage(3).parent_backbone_sha256(),
            BackboneSha256(*ModelDirectory::Open(b).value()).value());
  EXPECT_THAT(manifest.lineage(3).note(), HasSubstr("b, share 0.5"));
  fs::rename(Path("merged"), Path("first"));
  EXPECT_EQ(MergeModels(Options({Path("first"), c})).status(), absl::OkStatus());
  EXPECT_EQ(MergeModels(Options({Path("first"), a})).status(), absl::OkStatus());
}

TEST_F(MergeTest, RefusesModelsWithoutACommonAncestor) {
  MergeOptions options = Options({Write("a", {4}), Write("b", {0, "another"})});
  EXPECT_THAT(MessageOf(options),
              AllOf(HasSubstr("lineage"), HasSubstr("another"), HasSubstr("ancestor")));
  EXPECT_FALSE(fs::exists(Path("merged")));
  options.allow_unrelated = true;
  EXPECT_EQ(MergeModels(options).status(), absl::OkStatus());
  // A training step that began with new weights ends the lineage before it.
  Write("c", {1, ""});
  EXPECT_THAT(MessageOf(Options({Path("a"), Path("c")})), HasSubstr("lineage"));
}

TEST_F(MergeTest, RefusesPermutedWeightsWhateverTheLineageSays) {
  Parts permuted(4);
  permuted.permuted = true;
  const MergeOptions options = Options({Write("a", {4}), Write("b", permuted)});
  EXPECT_THAT(MessageOf(options),
              AllOf(HasSubstr("backbone.w: cosine"), HasSubstr("another order")));
}

TEST_F(MergeTest, NamesTensorsThatDifferWithBothShapes) {
  const MergeOptions options = Options({Write("a", {4}), Write("b", {4, "ancestor", "", 0, 24})});
  EXPECT_THAT(MessageOf(options),
              AllOf(HasSubstr("backbone.w: F32 [16, 16] in "), HasSubstr("F32 [16, 24] in ")));
}

TEST_F(MergeTest, RefusesWeightsThatAreNoNumbersAndNamesTheirFile) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    MergeOptions options = Options({Write("a", {4}), Write("b", {bad})});
    const std::string message = MessageOf(options);
    EXPECT_THAT(message, AllOf(HasSubstr(Path("b") + "/"), HasSubstr("no numbers"))) << bad;
    EXPECT_FALSE(fs::exists(Path("merged"))) << bad;
    options.lambda = 0;  // the damaged one alone
    EXPECT_THAT(MessageOf(options), HasSubstr("no numbers")) << bad;
  }
}

TEST_F(MergeTest, RefusesAnotherTokenizerAndAdaptersOfOtherWeights) {
  Parts other(0);
  other.tokenizer = "other words";
  EXPECT_THAT(MessageOf(Options({Write("a", {4}), Write("b", other)})), HasSubstr("tokenizer"));
  const std::string c = Write("c", {0, "ancestor", "depth"});
  std::string text = ReadText(c + "/manifest.textproto");
  const std::string hash = BackboneSha256(*ModelDirectory::Open(c).value()).value();
  text.replace(text.find(hash), hash.size(), std::string(64, '0'));
  WriteText(c + "/manifest.textproto", text);
  EXPECT_THAT(MessageOf(Options({Path("a"), c})), HasSubstr("adapter of modality \"depth\""));
}

TEST_F(MergeTest, ChecksItsOptions) {
  const std::string a = Write("a", {4}), b = Write("b", {0});
  MergeOptions options = Options({a, b});
  options.lambda = 1.5;
  EXPECT_THAT(MessageOf(options), HasSubstr("lambda: expected a number from 0 to 1, got 1.5"));
  options = Options({a, b});
  options.method = "blend";
  EXPECT_THAT(MessageOf(options), HasSubstr("task_arithmetic"));
  options.method = "ties";
  EXPECT_THAT(MessageOf(options), HasSubstr("base"));
  options.base = a;
  for (const double factor : {1e308, -10.5, std::nan("")}) {
    const std::string got = absl::StrCat("expected a number from -10 to 10, got ", factor);
    options.lambda = factor, options.weights = {};
    EXPECT_THAT(MessageOf(options), HasSubstr("lambda: " + got));
    options.lambda = absl::nullopt, options.weights = {1, factor};
    EXPECT_THAT(MessageOf(options), HasSubstr("weight: " + got));
  }
  options = Options({a, b});
  options.method = "average", options.weights = {1e308, 1e308};
  EXPECT_THAT(MessageOf(options), HasSubstr("weight: expected shares that have a sum, got 1e+308"));
  options.method = "average", options.weights = {1};
  EXPECT_THAT(MessageOf(options), HasSubstr("2, one for each model"));
  options.models = {a};
  EXPECT_THAT(MessageOf(options), HasSubstr("2 or more"));
}

}  // namespace
}  // namespace unival
