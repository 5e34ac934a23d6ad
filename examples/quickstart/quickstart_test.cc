#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "examples/quickstart/child.h"
#include "examples/quickstart/depth_picture.h"
#include "examples/quickstart/phases.h"
#include "examples/quickstart/plan_variants.h"
#include "examples/quickstart/run_results.h"
#include "examples/quickstart/workspace.h"
#include "sdk/base/text_format.h"

namespace unival::quickstart {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kRecipe[] = R"(
name: "depth_adapter" seed: 1 model: "../models/nano" plugin: "depth"
templates: "../tasks/quickstart.textproto"
new_modality { modality { id: "depth" } encoder_from: "image" }
stage { name: "connection" trainable: "connection:depth" steps: 800
        optimizer { learning_rate: 4e-3 }
        source { task: "depth_caption" path: "depth/train/caption.jsonl" } cache { enabled: true } }
evaluation { name: "other" task: "depth_caption" path: "x.jsonl" }
)";

std::string Write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
  return file.string();
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

fs::path NewFolder(const std::string& name) {
  const fs::path folder = fs::path(::testing::TempDir()) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

struct Loaded {
  PlanVariant connection;
  std::vector<PlanVariant> controls;
};

Loaded LoadFrom(const fs::path& folder, PlanOptions options) {
  options.plans_folder = (folder / "out" / "plans").string();
  options.model = (folder / "models" / "nano").string();
  const std::string recipe = Write(folder / "recipes" / "depth_adapter.textproto", kRecipe);
  Loaded loaded{*LoadConnectionPlan(recipe, options), {}};
  loaded.controls = *Controls(loaded.connection, options);
  return loaded;
}

TEST(PlanVariants, PathsBecomeRelativeToThePlansFolder) {
  const TrainingPlan plan = LoadFrom(NewFolder("paths"), {}).connection.plan;
  EXPECT_EQ(plan.model(), "../../models/nano");
  EXPECT_EQ(plan.templates(0), "../../tasks/quickstart.textproto");
}

TEST(PlanVariants, EveryRunHasTheSameEvaluations) {
  const Loaded loaded = LoadFrom(NewFolder("evaluations"), {});
  for (const PlanVariant& variant : loaded.controls) {
    ASSERT_EQ(variant.plan.evaluation_size(), 4);
    EXPECT_EQ(variant.plan.evaluation(1).name(), kCaptionHeldOut);
    EXPECT_EQ(variant.plan.evaluation(1).path(), "depth/eval_held_out/caption.jsonl");
  }
}

TEST(PlanVariants, EachControlChangesOneThing) {
  PlanOptions options;
  options.no_text_model = "nano_notext";
  const Loaded loaded = LoadFrom(NewFolder("controls"), options);
  ASSERT_EQ(loaded.controls.size(), 4u);
  EXPECT_THAT(loaded.controls[0].plan.stage(0).trainable(), ElementsAre("all"));
  EXPECT_TRUE(loaded.controls[1].plan.random_backbone());
  EXPECT_EQ(loaded.controls[1].plan.new_modality(0).encoder_from(), "image");
  EXPECT_EQ(loaded.controls[2].plan.new_modality(0).encoder_from(), "");
  EXPECT_THAT(loaded.controls[3].plan.model(), HasSubstr("nano_notext"));
  EXPECT_FALSE(loaded.connection.plan.random_backbone());
}

TEST(PlanVariants, LessEffortMeansFewerStepsAndRecords) {
  PlanOptions options;
  options.effort = 0.25;
  const TrainingPlan plan = LoadFrom(NewFolder("effort"), options).connection.plan;
  EXPECT_EQ(plan.stage(0).steps(), 200);
  EXPECT_EQ(plan.evaluation(0).limit(), 100);
}

TEST(PlanVariants, WrittenPlanReadsBackEqual) {
  const fs::path folder = NewFolder("written");
  PlanOptions options;
  options.plans_folder = folder.string();
  const PlanVariant connection = LoadFrom(folder, {}).connection;
  const auto path = WritePlan(connection, options);
  ASSERT_TRUE(path.ok()) << path.status();
  TrainingPlan read;
  ASSERT_TRUE(ReadTextProto(*path, &read).ok());
  EXPECT_EQ(read.SerializeAsString(), connection.plan.SerializeAsString());
}

TEST(Workspace, NamesWhatIsMissingAndTheRemedy) {
  const fs::path folder = NewFolder("inputs");
  QuickstartOptions options;
  options.model = (folder / "models" / "nano").string();
  options.recipes = (folder / "recipes").string();
  options.plugin = (folder / "libdepth.so").string();
  EXPECT_THAT(FindInputs(options).status().message(), HasSubstr("name one with --model"));
  Write(folder / "models" / "nano" / "manifest.textproto", "");
  EXPECT_THAT(FindInputs(options).status().message(), HasSubstr("libdepth.so: no such file"));
  Write(options.plugin, "");
  EXPECT_THAT(FindInputs(options).status().message(),
              HasSubstr("depth_adapter.textproto: no such file"));
  Write(folder / "recipes" / "depth_adapter.textproto", "");
  fs::create_directories(folder / "models" / "nano_notext");
  const auto found = FindInputs(options);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->no_text_model, HasSubstr("nano_notext"));
  EXPECT_EQ(found->full_recipe, "");
}

TEST(Workspace, ReplacesAnEarlierQuickstartAndNothingElse) {
  const fs::path folder = NewFolder("output");
  QuickstartOptions options;
  options.output = (folder / "out").string();
  Workspace workspace;
  workspace.data = options.output + "/data";
  workspace.plans = options.output + "/plans";
  workspace.runs = options.output + "/runs";
  ASSERT_TRUE(PrepareOutput(options, workspace).ok());
  Write(workspace.runs + "/old.json", "{}");
  ASSERT_TRUE(PrepareOutput(options, workspace).ok());
  EXPECT_FALSE(fs::exists(workspace.runs + "/old.json"));
  options.output = folder.string();
  Write(folder / "thesis.tex", "");
  EXPECT_THAT(PrepareOutput(options, workspace).message(), HasSubstr("name another with --output"));
  EXPECT_TRUE(fs::exists(folder / "thesis.tex"));
}

TEST(RunResults, ReadsSummaryAndLossCurve) {
  const fs::path folder = NewFolder("results");
  const std::string summary = Write(folder / "run.json",
                                    R"({"trainable_parameters": 41, "seconds": 2.5, "evaluations":
                                        {"caption_seen": {"exact_match": 0.9},
                                         "boxes": {"mean_iou": 0.5}}})");
  const std::string log =
      Write(folder / "log.jsonl",
            "{\"step\": 20, \"loss\": 1.5}\n{\"step\": 20, \"decode_failure\": \"x\"}\n");
  const auto run = ReadRun(summary, log);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->trainable_parameters, 41);
  EXPECT_EQ(run->caption_seen, 0.9);
  EXPECT_EQ(run->caption_held_out, absl::nullopt);
  EXPECT_EQ(run->box_iou, 0.5);
  EXPECT_THAT(run->loss, ElementsAre(Pair(20, 1.5)));
}

TEST(DepthPicture, IsAPngWhateverTheDepths) {
  const std::vector<int32_t> depths = {0, 1, 500, 2500, 8000, 65535};
  const auto png = DepthPicturePng(depths, 3, 2);
  ASSERT_TRUE(png.ok()) << png.status();
  EXPECT_EQ(png->substr(1, 3), "PNG");
}

// The program that children run is this test itself.
TEST(RunChildren, EachWritesItsOwnOutput) {
  const fs::path folder = NewFolder("children");
  const std::vector<ChildRun> runs = {
      {"list", {"--gtest_list_tests"}, (folder / "a.json").string()},
      {"again", {"--gtest_list_tests"}, (folder / "b.json").string()},
      {"third", {"--gtest_list_tests"}, (folder / "c.json").string()}};
  const absl::Status status = RunChildren(ThisProgram(), runs, 2);
  ASSERT_TRUE(status.ok()) << status;
  for (const ChildRun& run : runs) {
    EXPECT_THAT(Read(run.output_file), HasSubstr("EachWritesItsOwnOutput"));
    EXPECT_TRUE(fs::exists(run.output_file + ".progress"));
  }
}

TEST(RunChildren, FailureNamesTheCommandAndRepeatsItsMessage) {
  const fs::path folder = NewFolder("failing");
  const std::vector<ChildRun> runs = {
      {"fails", {"--gtest_filter=Fixture.FailsOnStandardError"}, (folder / "a.json").string()},
      {"lists", {"--gtest_list_tests"}, (folder / "b.json").string()}};
  ::setenv("UNIVAL_TEST_FIXTURE", "1", 1);
  const absl::Status status = RunChildren(ThisProgram(), runs, 2);
  ::unsetenv("UNIVAL_TEST_FIXTURE");
  EXPECT_THAT(status.message(), HasSubstr("Fixture.FailsOnStandardError` ended with code 7"));
  EXPECT_THAT(status.message(), HasSubstr("told on standard error"));
  EXPECT_THAT(Read(runs[1].output_file), HasSubstr("FailureNamesTheCommand"));
}

// What the test above runs as a child.
TEST(Fixture, FailsOnStandardError) {
  if (std::getenv("UNIVAL_TEST_FIXTURE") == nullptr) return;
  std::cerr << "told on standard error\n";
  std::_Exit(7);
}

TEST(Phases, FailureNamesThePhase) {
  Phases phases(2);
  EXPECT_TRUE(phases.Run("first", [] { return absl::OkStatus(); }).ok());
  const absl::Status failed = phases.Run("second", [] { return absl::NotFoundError("no file"); });
  EXPECT_EQ(failed.message(), "second: no file");
  EXPECT_EQ(phases.times().size(), 1u);
}

}  // namespace
}  // namespace unival::quickstart
