// A run continues only with the data that it began with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utime.h>

#include <filesystem>
#include <fstream>

#include "training/data/read/index_tests.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSource[] = "stage[0].source[0]";

TrainingPlan DataPlan(const std::string& data) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->mutable_source(0)->set_path(data);
  plan.clear_evaluation();
  return plan;
}

// A copy of the captions of World() that a test may change.
std::string OwnData(const std::string& name) {
  fs::copy_file(World() + "/caption.jsonl", World() + "/" + name,
                fs::copy_options::overwrite_existing);
  LetTimePass();
  return World() + "/" + name;
}

std::string RecordedData(const std::string& output) {
  return Json::parse(ReadText(World() + "/" + output + "/run.json")).at("sources").at(kSource);
}

void RecordData(const std::string& output, const std::string& identity) {
  const std::string file = World() + "/" + output + "/run.json";
  Json json = Json::parse(ReadText(file));
  json["sources"][kSource] = identity;
  WriteText(file, json.dump());
}

// Begun, and stopped after two steps; to be resumed.
TrainOptions Stopped(const TrainingPlan& plan, const std::string& output, bool verify = false) {
  TrainOptions options = Options(World(), plan, FreshOutput(output));
  options.index.smallest = 1;
  options.verify_data = verify;
  options.stop_after_step = 2;
  TrainOk(options);
  options.stop_after_step = 0;
  options.verify_data = false;
  options.resume = true;
  return options;
}

TEST(TrainerData, ACopyWithOtherTimesIsTheSameData) {
  const std::string data = OwnData("touched.jsonl");
  const TrainingPlan plan = DataPlan("touched.jsonl");
  TrainOk(Options(World(), plan, FreshOutput("untouched_run")));
  const TrainOptions options = Stopped(plan, "touched_run");
  EXPECT_THAT(RecordedData("touched_run"), StartsWith("content:"));
  ASSERT_TRUE(fs::exists(IndexOf(data)));
  const struct utimbuf other_times = {1000, 1000};
  ASSERT_EQ(utime(data.c_str(), &other_times), 0);
  TrainOk(options);
  EXPECT_EQ(After("untouched_run"), After("touched_run"));
}

TEST(TrainerData, ARunOfAnEarlierVersionGoesOnWithTheFingerprintThatItRecorded) {
  OwnData("earlier.jsonl");
  const TrainingPlan plan = DataPlan("earlier.jsonl");
  TrainOk(Options(World(), plan, FreshOutput("whole_run")));
  const TrainOptions options = Stopped(plan, "earlier_run");
  RecordData("earlier_run", std::string(32, 'a'));
  const absl::Status refused = Train(options, TheRuntime()).status();
  EXPECT_THAT(refused.message(), HasSubstr("expected data with fingerprint aaaaaaaa"));
  // What it was to be follows behind "got".
  const std::string message(refused.message());
  const std::string own = message.substr(message.find(", got ") + 6, 32);
  EXPECT_EQ(own.find(':'), std::string::npos);
  RecordData("earlier_run", own);
  TrainOk(options);
  EXPECT_EQ(After("whole_run"), After("earlier_run"));
}

// An index that is correct except for the content, as if the file had changed without a trace: only
// reading the file shows it.
TEST(TrainerData, VerifyingReadsWhatAnIndexWouldSay) {
  const std::string data = OwnData("silent.jsonl");
  const TrainingPlan plan = DataPlan("silent.jsonl");
  const TrainOptions options = Stopped(plan, "silent_run");
  const std::string content = ParseSourceIndex(ReadText(IndexOf(data)))->content();
  std::string text = ReadText(data);
  text.replace(text.find("red"), 3, "tan");
  OverwriteWithItsTime(data, text);
  LetTimePass();
  const absl::Status seen = Train(options, TheRuntime()).status();  // the file system knows
  EXPECT_THAT(seen.message(), HasSubstr("the data has changed since the run began"));
  Forge(IndexOf(data), [&](SourceIndex* index) { index->set_content(content); });
  TrainOptions verifying = options;
  verifying.verify_data = true;
  EXPECT_THAT(Train(verifying, TheRuntime()).status().message(),
              HasSubstr("the data has changed since the run began"));
  // What was kept is right again, too.
  EXPECT_NE(ParseSourceIndex(ReadText(IndexOf(data)))->content(), content);
  Forge(IndexOf(data), [&](SourceIndex* index) { index->set_content(content); });
  EXPECT_TRUE(Train(options, TheRuntime()).ok());
}

TEST(TrainerData, WhatIsRecordedSaysHowMuchOfTheDataWasRead) {
  const std::string folder = World() + "/large";
  fs::create_directories(folder);
  const std::string image = ReadText(World() + "/images/0.png");
  ASSERT_FALSE(image.empty());
  WriteTar(folder + "/large.tar",
           {{"1.png", image}, {"2.png", image}, {"filling.bin", std::string(kWholeTar, 'x')}});
  WriteText(folder + "/large.jsonl",
            "{\"image\": \"large.tar:1.png\", \"caption\": \"red\"}\n"
            "{\"image\": \"large.tar:2.png\", \"caption\": \"red\"}\n");
  LetTimePass();
  const TrainingPlan plan = DataPlan("large/large.jsonl");
  const TrainOptions sampled = Stopped(plan, "sampled_run");
  EXPECT_THAT(RecordedData("sampled_run"), StartsWith("sampled:"));
  const TrainOptions whole = Stopped(plan, "verified_run", /*verify=*/true);
  EXPECT_THAT(RecordedData("verified_run"), StartsWith("content:"));
  std::fstream file(folder + "/large.tar", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((kWholeTar / 64) * 5 + (kWholeTar / 128));  // between the pieces of the sample
  file.put('z').flush();
  const auto resumed = Train(sampled, TheRuntime());
  EXPECT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_THAT(Train(whole, TheRuntime()).status().message(), HasSubstr("the data has changed"));
}

TEST(TrainerData, ATarWithoutAnEndIsReadWithAWarning) {
  const std::string folder = World() + "/cut";
  fs::create_directories(folder);
  const std::string image = ReadText(World() + "/images/0.png");
  const std::string whole = ReadText(WriteTar(folder + "/whole.tar", {{"1.png", image}}));
  const size_t blocks = 1 + (image.size() + 511) / 512;
  WriteText(folder + "/cut.tar", whole.substr(0, 512 * blocks));
  for (const char* tar : {"whole", "cut"}) {
    const std::string line =
        absl::StrCat("{\"image\": \"", tar, ".tar:1.png\", ", "\"caption\": \"red\"}\n");
    WriteText(absl::StrCat(folder, "/", tar, ".jsonl"), line + line);
    const TrainingPlan plan = DataPlan(absl::StrCat("cut/", tar, ".jsonl"));
    TrainOptions options = Options(World(), plan, FreshOutput(absl::StrCat(tar, "_tar_run")));
    options.quiet = false;
    ::testing::internal::CaptureStderr();
    TrainOk(options);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(said.find("cut/cut.tar: ends without an end-of-archive block") != std::string::npos,
              std::string(tar) == "cut")
        << said;
  }
}

// Two stages with data of their own.
TrainingPlan TwoStages() {
  TrainingPlan plan = DataPlan(fs::path(OwnData("early.jsonl")).filename().string());
  plan.mutable_stage(0)->set_steps(2);
  *plan.add_stage() = plan.stage(0);
  plan.mutable_stage(1)->set_name("later");
  plan.mutable_stage(1)->mutable_source(0)->set_path(
      fs::path(OwnData("later.jsonl")).filename().string());
  return plan;
}

std::string Mapped() {
  std::ifstream maps("/proc/self/maps");
  std::string found;
  for (std::string line; std::getline(maps, line);) {
    for (const char* name : {"early.jsonl", "later.jsonl"}) {
      if (line.find(name) != std::string::npos && found.find(name) == std::string::npos)
        found += std::string(name) + " ";
    }
  }
  return found;
}

TEST(DataOfStages, IsOpenWhileItsStageIsAtWorkAndCheckedBefore) {
  TrainingPlan plan = TwoStages();
  TrainOptions options = Options(World(), plan, FreshOutput("stages_of_data"));
  std::vector<std::string> seen;
  options.progress = [&](const ProgressRecord& record) {
    seen.push_back(record.stage + ": " + Mapped());
  };
  TrainOk(options);
  EXPECT_THAT(seen, ::testing::ElementsAre("connection: early.jsonl ", "connection: early.jsonl ",
                                           "later: later.jsonl ", "later: later.jsonl "));
  fs::remove(World() + "/later.jsonl");
  plan.mutable_stage(0)->set_steps(1);
  options.output = World() + "/" + FreshOutput("stages_without_data");
  EXPECT_THAT(std::string(Train(options, TheRuntime()).status().message()),
              HasSubstr("stage[1].source[0].path"));
  EXPECT_FALSE(fs::exists(options.output + "/log.jsonl")) << "before the first step";
}

TEST(DataOfStages, ThatChangesBeforeItsStageBeginsIsRefusedAndGoesOnWhenRestored) {
  const TrainingPlan plan = TwoStages();
  const std::string later = World() + "/later.jsonl", was = ReadText(later);
  TrainOk(Options(World(), plan, FreshOutput("unchanged_data")));
  TrainOptions options = Options(World(), plan, FreshOutput("changed_data"));
  options.progress = [&](const ProgressRecord& record) {
    if (record.stage == "connection") WriteText(later, was + was);
  };
  const absl::Status status = Train(options, TheRuntime()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("later.jsonl: expected the data that was"));
  WriteText(later, was);
  options.progress = nullptr;
  options.resume = true;
  TrainOk(options);
  EXPECT_EQ(After("changed_data"), After("unchanged_data"));
}

}  // namespace
}  // namespace unival::trainer_tests
