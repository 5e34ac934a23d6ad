#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <thread>
#include <utility>

#include "examples/quickstart/child.h"
#include "examples/quickstart/depth_picture.h"
#include "examples/quickstart/phases.h"
#include "examples/quickstart/plan_variants.h"
#include "examples/quickstart/run_results.h"
#include "examples/quickstart/workspace.h"
#include "sdk/base/own_object.h"
#include "sdk/base/process.h"
#include "sdk/base/test_files.h"
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

struct Loaded {
  PlanVariant connection;
  std::vector<PlanVariant> controls;
};

Loaded LoadFrom(const fs::path& folder, PlanOptions options) {
  options.plans_folder = (folder / "out" / "plans").string();
  options.model = (folder / "models" / "nano").string();
  const std::string recipe = WriteText(folder / "recipes" / "depth_adapter.textproto", kRecipe);
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
  WriteText(folder / "models" / "nano" / "manifest.textproto", "");
  EXPECT_THAT(FindInputs(options).status().message(), HasSubstr("libdepth.so: no such file"));
  WriteText(options.plugin, "");
  EXPECT_THAT(FindInputs(options).status().message(),
              HasSubstr("depth_adapter.textproto: no such file"));
  WriteText(folder / "recipes" / "depth_adapter.textproto", "");
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
  WriteText(workspace.runs + "/old.json", "{}");
  ASSERT_TRUE(PrepareOutput(options, workspace).ok());
  EXPECT_FALSE(fs::exists(workspace.runs + "/old.json"));
  options.output = folder.string();
  WriteText(folder / "thesis.tex", "");
  EXPECT_THAT(PrepareOutput(options, workspace).message(), HasSubstr("name another with --output"));
  EXPECT_TRUE(fs::exists(folder / "thesis.tex"));
}

TEST(RunResults, ReadsSummaryAndLossCurve) {
  const fs::path folder = NewFolder("results");
  const std::string summary =
      WriteText(folder / "run.json",
                R"({"trainable_parameters": 41, "seconds": 2.5, "evaluations":
                                        {"caption_seen": {"exact_match": 0.9},
                                         "boxes": {"mean_iou": 0.5}}})");
  const std::string log =
      WriteText(folder / "log.jsonl",
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
    EXPECT_THAT(ReadText(run.output_file), HasSubstr("EachWritesItsOwnOutput"));
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
  EXPECT_THAT(ReadText(runs[1].output_file), HasSubstr("FailureNamesTheCommand"));
}

// The child process of the test above.
TEST(Fixture, FailsOnStandardError) {
  if (std::getenv("UNIVAL_TEST_FIXTURE") == nullptr) return;
  std::cerr << "told on standard error\n";
  std::_Exit(7);
}

// A process with two children; a test below sends it a signal. quickstart_test starts
// quickstart_test (RunsTwoChildren), which starts quickstart_test (Sleeps) twice.
constexpr char kPidFolder[] = "UNIVAL_TEST_PIDS";

void SleepAMinute() {
  const char* folder = std::getenv(kPidFolder);
  if (folder == nullptr) return;
  WriteText(fs::path(folder) / std::to_string(getpid()), "");
  alarm(60);
  while (true) pause();
}

TEST(Fixture, Sleeps) { SleepAMinute(); }

TEST(Fixture, SleepsDeafToPoliteSignals) {
  if (std::getenv(kPidFolder) != nullptr) std::signal(SIGTERM, SIG_IGN);
  SleepAMinute();
}

TEST(Fixture, RunsTwoChildren) {
  const char* folder = std::getenv(kPidFolder);
  if (folder == nullptr) return;
  const std::string sleeper = std::getenv("UNIVAL_TEST_SLEEPER");
  const std::string out = std::string(folder) + "/../";
  const auto ignored = RunChildren(ThisProgram(),
                                   {{"one", {"--gtest_filter=" + sleeper}, out + "a"},
                                    {"two", {"--gtest_filter=" + sleeper}, out + "b"}},
                                   2);
}

// Polls for at most half a minute.
bool Becomes(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return condition();
}

class SignalTest : public ::testing::Test {
 protected:
  // This process becomes the parent of orphans, so that all of them are found and none is left
  // running.
  void SetUp() override { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }

  void TearDown() override {
    parent_.reset();
    for (const pid_t child : started_) kill(child, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
  }

  void StartWithTwoChildren(const std::string& sleeper) {
    const fs::path folder = fs::path(NewFolder("signals_" + sleeper)) / "pids";
    fs::create_directories(folder);
    ::setenv(kPidFolder, folder.c_str(), 1);
    ::setenv("UNIVAL_TEST_SLEEPER", sleeper.c_str(), 1);
    ProcessOptions options;
    options.command = {ThisProgram(), "--gtest_filter=Fixture.RunsTwoChildren"};
    options.output = options.error_output = folder / "../log";
    absl::StatusOr<Process> parent = Process::Start(options);
    ::unsetenv(kPidFolder);
    ASSERT_TRUE(parent.ok()) << parent.status();
    parent_ = *std::move(parent);
    ASSERT_TRUE(Becomes([&] {
      children_.clear();
      for (const auto& file : fs::directory_iterator(folder)) {
        children_.push_back(std::stoi(file.path().filename().string()));
      }
      return children_.size() == 2;
    }));
    started_.insert(started_.end(), children_.begin(), children_.end());
  }

  // The signal that ended the parent; 0: no signal.
  int WaitForParent() { return parent_->Wait()->signal; }

  // Whether both children end within `limit`. A child whose parent has ended is now a child of this
  // process.
  bool ChildrenEnd(std::chrono::milliseconds limit) {
    const auto latest = std::chrono::steady_clock::now() + limit;
    while (!children_.empty()) {
      const pid_t child = children_.back();
      if (waitpid(child, nullptr, WNOHANG) == child || kill(child, 0) != 0) {
        children_.pop_back();
      } else if (std::chrono::steady_clock::now() > latest) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  absl::optional<Process> parent_;
  std::vector<pid_t> children_;  // of `parent_`, those that are not known to have ended
  std::vector<pid_t> started_;   // in the whole test
};

constexpr std::chrono::seconds kSoon(5);

TEST_F(SignalTest, EndsTheChildrenBeforeTheParent) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ASSERT_NO_FATAL_FAILURE(StartWithTwoChildren("Fixture.Sleeps"));
    parent_->Send(signal);
    EXPECT_EQ(WaitForParent(), signal);
    for (const pid_t child : children_) EXPECT_NE(kill(child, 0), 0) << "signal " << signal;
    EXPECT_TRUE(ChildrenEnd(kSoon)) << "signal " << signal;
  }
}

TEST_F(SignalTest, AParentThatIsKilledTakesItsChildrenWithIt) {
  ASSERT_NO_FATAL_FAILURE(StartWithTwoChildren("Fixture.SleepsDeafToPoliteSignals"));
  parent_->Send(SIGKILL);
  EXPECT_EQ(WaitForParent(), SIGKILL);
  EXPECT_TRUE(ChildrenEnd(kSoon));
}

TEST_F(SignalTest, ASecondSignalEndsChildrenThatDoNotObeyTheFirst) {
  ASSERT_NO_FATAL_FAILURE(StartWithTwoChildren("Fixture.SleepsDeafToPoliteSignals"));
  parent_->Send(SIGTERM);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_FALSE(parent_->Poll()->has_value());
  parent_->Send(SIGTERM);
  EXPECT_EQ(WaitForParent(), SIGTERM);
  EXPECT_TRUE(ChildrenEnd(kSoon));
}

TEST_F(SignalTest, TheSameRequestTwiceLeavesTheChildrenTheirTime) {
  ASSERT_NO_FATAL_FAILURE(StartWithTwoChildren("Fixture.SleepsDeafToPoliteSignals"));
  parent_->Send(SIGINT);  // as timeout(1) does, to the program and to its group
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  parent_->Send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_FALSE(parent_->Poll()->has_value());
  parent_->Send(SIGINT);
  EXPECT_EQ(WaitForParent(), SIGINT);
  EXPECT_TRUE(ChildrenEnd(kSoon));
}

TEST_F(SignalTest, ASignalThatWasIgnoredStaysIgnored) {
  std::signal(SIGHUP, SIG_IGN);  // as under nohup
  ASSERT_NO_FATAL_FAILURE(StartWithTwoChildren("Fixture.Sleeps"));
  std::signal(SIGHUP, SIG_DFL);
  parent_->Send(SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_FALSE(parent_->Poll()->has_value());
  parent_->Send(SIGTERM);
  EXPECT_EQ(WaitForParent(), SIGTERM);
  EXPECT_TRUE(ChildrenEnd(kSoon));
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
