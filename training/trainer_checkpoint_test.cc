#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "sdk/base/folder_lock.h"
#include "sdk/base/own_object.h"
#include "sdk/base/process.h"
#include "sdk/base/test_files.h"
#include "tasks/templates/template_set.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(TrainerTest, AResumedRunEndsWithTheSameWeightsToTheBit) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->mutable_optimizer()->set_ema_decay(0.9f);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("backbone");
  plan.mutable_stage(1)->set_trainable(0, "backbone");
  plan.clear_evaluation();
  TrainOk(Options(World(), plan, FreshOutput("straight")));
  TrainOptions options = Options(World(), plan, FreshOutput("stopped"));
  for (int64_t stop : {2, 6, 9, 0}) {
    options.stop_after_step = stop;
    const TrainResult result = TrainOk(options);
    EXPECT_EQ(result.finished, stop == 0);
    EXPECT_EQ(result.steps, stop == 0 ? 12 : stop);
    options.resume = true;
  }
  EXPECT_EQ(After("straight"), After("stopped"));
  EXPECT_EQ(Losses("straight"), Losses("stopped"));
}

// Trains in another process, so that it can be killed; with a cache, CachedPlan().
absl::StatusOr<Process> StartChild(const std::string& output, const std::string& cache = "") {
  ProcessOptions options;
  options.command = {ThisProgram(), "--train-child", World(), output, cache};
  options.ends_with_parent = true;
  return Process::Start(options);
}

TrainingPlan KilledPlan() {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->set_steps(20);
  plan.mutable_stage(0)->set_checkpoint_every(2);
  plan.clear_evaluation();
  return plan;
}

TrainingPlan CachedPlan() {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_cache()->set_enabled(true);
  return plan;
}

int64_t NewestCheckpoint(const std::string& output) {
  int64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(World() + "/" + output + "/checkpoint", error)) {
    if (entry.path().extension() == ".tmp") continue;
    newest = std::max<int64_t>(newest, std::atoll(entry.path().filename().c_str()));
  }
  return newest;
}

TEST(TrainerTest, AKilledRunGoesOnFromItsCheckpoint) {
  const TrainingPlan plan = KilledPlan();
  TrainOk(Options(World(), plan, FreshOutput("unharmed")));
  auto child = StartChild(FreshOutput("killed"));
  ASSERT_TRUE(child.ok()) << child.status();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (NewestCheckpoint("killed") < 4 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  child->Send(SIGKILL);
  const auto end = child->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_EQ(end->signal, SIGKILL) << "the child ended before it could be killed: " << end->Text();
  ASSERT_GE(NewestCheckpoint("killed"), 4);
  TrainOptions options = Options(World(), plan, "killed");
  options.resume = true;
  EXPECT_TRUE(TrainOk(options).finished);
  EXPECT_EQ(After("unharmed"), After("killed"));
  EXPECT_EQ(Losses("unharmed"), Losses("killed"))
      << "records after the checkpoint are written once";
}

TEST(TrainerTest, RunsInSeveralProcessesShareOneCache) {
  const TrainingPlan plan = CachedPlan();
  TrainOptions options = Options(World(), plan, FreshOutput("sharing"));
  options.cache_dir = World() + "/" + FreshOutput("shared_cache");
  FreshOutput("shared_with");
  // Runs a complete other run while this one has the cache open and half filled.
  options.progress = [&](const ProgressRecord& record) {
    if (record.step != 2) return;
    auto child = StartChild("shared_with", options.cache_dir);
    ASSERT_TRUE(child.ok()) << child.status();
    const auto end = child->Wait();
    ASSERT_TRUE(end.ok()) << end.status();
    EXPECT_TRUE(end->ok()) << end->Text();
  };
  const TrainResult result = TrainOk(options);
  EXPECT_LT(result.encoder_calls, kImages) << "what the other run encoded is found";
  EXPECT_EQ(After("sharing"), After("shared_with"));
  EXPECT_EQ(Losses("sharing"), Losses("shared_with"));
}

TEST(TrainerTest, TheLogOfAResumedRunIsThatOfOneThatWasNotStopped) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_steps(8);
  plan.mutable_stage(0)->set_log_every(4);
  plan.clear_evaluation();
  TrainOk(Options(World(), plan, FreshOutput("log_whole")));
  TrainOptions options = Options(World(), plan, FreshOutput("log_stopped"));
  options.stop_after_step = 3;  // inside a window of the log
  const TrainResult stopped = TrainOk(options);
  EXPECT_FALSE(stopped.finished);
  EXPECT_GT(stopped.peak_memory_mb, 0);
  EXPECT_GT(stopped.trainable_scalars, 0);
  options.stop_after_step = 0;
  options.resume = true;
  EXPECT_EQ(TrainOk(options).trainable_scalars, stopped.trainable_scalars);
  const std::vector<Json> whole = Log("log_whole"), resumed = Log("log_stopped");
  ASSERT_EQ(whole.size(), 2u);
  ASSERT_EQ(resumed.size(), 2u);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char* field :
         {"step", "loss", "source_loss", "token_accuracy", "learning_rate", "grad_norm", "rows"}) {
      EXPECT_EQ(whole[i].at(field), resumed[i].at(field)) << field;
    }
  }
}

TEST(TrainerTest, RefusesAnOutputFolderWithFiles) {
  const TrainingPlan plan = Parse(kFreshPlan);
  const absl::Status status = Train(Options(World(), plan, "base"), TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("--resume"));
}

TEST(TrainerTest, RefusesToResumeWithAnotherPlanOrOtherData) {
  fs::copy_file(World() + "/caption.jsonl", World() + "/changing.jsonl",
                fs::copy_options::overwrite_existing);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path("changing.jsonl");
  TrainOptions options = Options(World(), plan, FreshOutput("changed"));
  options.stop_after_step = 2;
  TrainOk(options);
  options.resume = true;
  TrainingPlan other = plan;
  other.mutable_stage(0)->mutable_optimizer()->set_learning_rate(0.5f);
  options.plan = &other;
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("stage[0].optimizer.learning_rate"));
  options.plan = &plan;
  std::string text = ReadText(World() + "/caption.jsonl");
  text.replace(text.find("red"), 3, "tan");
  WriteText(World() + "/changing.jsonl", text);
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("stage[0].source[0].path"));
}

// Stops a run after two steps, damages a file of its checkpoint, and goes on.
absl::Status ResumeDamaged(const std::string& file,
                           const std::function<std::string(std::string)>& damage) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.clear_evaluation();
  TrainOptions options = Options(World(), plan, FreshOutput("damaged"));
  options.stop_after_step = 2;
  TrainOk(options);
  const std::string path = World() + "/damaged/checkpoint/000000002/" + file;
  WriteText(path, damage(ReadText(path)));
  options.resume = true;
  return Train(options, TheRuntime()).status();
}

TEST(TrainerTest, ADamagedCheckpointIsRefusedByName) {
  const auto flip = [](std::string bytes) {
    bytes[bytes.size() - 5] ^= 4;
    return bytes;
  };
  EXPECT_THAT(std::string(ResumeDamaged("tensors.safetensors", flip).message()),
              HasSubstr("tensors.safetensors: damaged checkpoint"));
  for (const auto& [field, value] : std::vector<std::pair<const char*, int>>{
           {"stage", -1}, {"stage", 99}, {"step", -3}, {"stage_step", 1000}, {"last_loss", 7}}) {
    const auto edit = [&](std::string text) {
      Json json = Json::parse(text);
      json[field] = value;
      return json.dump();
    };
    EXPECT_THAT(std::string(ResumeDamaged("state.json", edit).message()),
                HasSubstr("state.json: damaged checkpoint"))
        << field << " " << value;
  }
}

TEST(TrainerTest, ACheckpointThatIsNoJsonIsToldInPlainWords) {
  const auto cut = [](const std::string& text) { return text.substr(0, text.size() / 2); };
  const auto other = [](const std::string&) { return std::string("{\"format\": 3}"); };
  for (const auto& damage : std::vector<std::function<std::string(std::string)>>{cut, other}) {
    EXPECT_THAT(
        std::string(ResumeDamaged("state.json", damage).message()),
        ::testing::AllOf(HasSubstr("state.json"), ::testing::Not(HasSubstr("json.exception"))));
  }
}

TEST(TrainerTest, AResumedRunRemovesWhatAKillLeftBesideItsCheckpoint) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.clear_evaluation();
  TrainOptions options = Options(World(), plan, FreshOutput("beside"));
  TrainOk(options);
  const std::string folder = World() + "/beside/checkpoint";
  fs::copy(folder + "/000000006", folder + "/000000004", fs::copy_options::recursive);
  fs::create_directories(folder + "/000000005.tmp");
  options.resume = true;
  EXPECT_TRUE(TrainOk(options).finished);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, ::testing::ElementsAre("000000006"));
}

TEST(TrainerTest, APlaceOutsideThePlanIsRefusedWithoutHashesToo) {
  for (const int stage : {-1, 99}) {
    const auto edit = [&](std::string text) {
      Json json = Json::parse(text);
      json.erase("state_sha256");
      json["stage"] = stage;
      return json.dump();
    };
    EXPECT_THAT(std::string(ResumeDamaged("state.json", edit).message()),
                HasSubstr("damaged checkpoint"));
  }
}

TEST(TrainerTest, OneRunAtATimeWritesToAFolder) {
  const std::string output = FreshOutput("locked");
  fs::create_directories(World() + "/" + output);
  auto lock = FolderLock::Take(World() + "/" + output);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status status =
      Train(Options(World(), Parse(kAdapterPlan), output), TheRuntime()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process is writing"));
}

TEST(TrainerTest, RefusesToResumeWithOtherTemplates) {
  WriteText(World() + "/changing.textproto", kTasks);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_templates(0, "changing.textproto");
  TrainOptions options = Options(World(), plan, FreshOutput("reworded"));
  options.stop_after_step = 2;
  TrainOk(options);
  options.resume = true;
  std::string text = kTasks;
  text.replace(text.find("describe"), 8, "show");
  WriteText(World() + "/changing.textproto", text);
  EXPECT_THAT(Train(options, TheRuntime()).status().message(),
              HasSubstr("cannot resume: templates[0]"));
}

// A file that changes during a run must not make the records of the run inconsistent.
TEST(TrainerTest, TheTemplatesOfARunAreThoseThatItBeganWith) {
  WriteText(World() + "/live.textproto", kTasks);
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.set_templates(0, "live.textproto");
  TrainOptions options = Options(World(), plan, FreshOutput("live"));
  options.progress = [](const ProgressRecord&) {
    WriteText(World() + "/live.textproto", "not a set");
  };
  EXPECT_TRUE(TrainOk(options).finished);
  const auto began = ParseTemplateSet(kTasks, "live.textproto", ".");
  EXPECT_EQ(Json::parse(ReadText(World() + "/live/results.json")).at("template_hash"),
            TemplateSetHash(*began));
}

}  // namespace

// What the killed process runs (trainer_test.cc).
int TrainChild(const std::string& folder, const std::string& output, const std::string& cache) {
  const TrainingPlan plan = cache.empty() ? KilledPlan() : CachedPlan();
  TrainOptions options = Options(folder, plan, output);
  options.cache_dir = cache;
  return Train(options, TheRuntime()).ok() ? 0 : 1;
}

}  // namespace unival::trainer_tests
