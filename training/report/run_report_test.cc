#include "training/report/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "training/report/crc32c.h"
#include "training/report/event_file.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// RFC 3720, appendix B.4.
TEST(Crc32c, EqualsTheVectorsOfTheStandard) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c(falling), 0x113fdb5cu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(EventFile, ARecordIsAnEventWithItsLengthAndChecksums) {
  // wall_time 1.5 (field 1), step 300 (2), summary (5) with a value (1): tag "a" (1), 0.5f (2).
  const std::string event = absl::HexStringToBytes(
      "09000000000000f83f"
      "10ac02"
      "2a0a"
      "0a08"
      "0a0161"
      "150000003f");
  const std::string record = EventRecord(1.5, 300, {{"a", 0.5}});
  ASSERT_EQ(record.size(), 8 + 4 + event.size() + 4);
  EXPECT_EQ(absl::BytesToHexString(record.substr(12, event.size())), absl::BytesToHexString(event));
  EXPECT_EQ(record.substr(0, 8),
            std::string(1, static_cast<char>(event.size())) + std::string(7, '\0'));
  const uint32_t crc = Crc32c(event);
  const uint32_t masked = (crc >> 15 | crc << 17) + 0xa282ead8u;
  std::string stored;
  for (int i = 0; i < 4; ++i) stored.push_back(static_cast<char>(masked >> (8 * i) & 0xff));
  EXPECT_EQ(record.substr(12 + event.size()), stored);
}

constexpr char kLog[] =
    R"({"stage": "s", "step": 1, "loss": 2.5, "source_loss": {"a<b": 2.5}, "learning_rate": 0.1, )"
    R"("tokens_per_second": 7, "seconds": 1, "part_seconds": {"waiting": 0.25}}
{"stage": "s", "step": 2, "validation": "caption", "metrics": {"exact_match": 0.5}, )"
    R"("judged_by": "exact_match", "is_best": true}
{"step": 2, "skipped": "the loss is nan", "records": ["train.jsonl:17"]}
{"step": 2, "decode_failure": "x.png: no picture"}
{"stage": "s", "step": 2, "loss": null, "part_seconds": {"waiting": 0.5}}
{"stage": "s", "step": 3, "loss": 1)";

std::string RunFolder() {
  const std::string run = NewFolder();
  WriteText(run + "/plan.textproto", "name: \"p\" stage { steps: 4 } stage { steps: 6 }");
  WriteText(run + "/log.jsonl", kLog);
  WriteText(run + "/validation/caption/000000002.jsonl",
            "{\"key\": \"e.jsonl:1\", \"text\": \"<red>\", \"references\": [\"red\"]}\n");
  WriteText(run + "/validation/caption/000000004.jsonl",
            "{\"key\": \"e.jsonl:1\", \"text\": \"red\", \"references\": [\"red\"]}\n");
  return run;
}

TEST(RunReport, SaysOfWhichMetricsLessIsBetter) {
  const std::string run = RunFolder();
  WriteText(run + "/log.jsonl",
            R"({"stage": "s", "step": 2, "validation": "speech", "metrics": {"wer": 0.5}, )"
            R"("less_is_better": ["wer"], "judged_by": "wer", "is_best": true})"
            "\n");
  const auto history = ReadRunHistory(run);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_THAT(RunText(*history), HasSubstr("speech wer (less is better) 0.5000 at step 2"));
  EXPECT_THAT(RenderRun(*history, {}), HasSubstr("wer (less is better)"));
}

// Scores of a plugin's metric, which need not be there when the run is looked at.
TEST(RunReport, SaysWhatAMetricHadToSay) {
  const std::string run = RunFolder();
  WriteText(run + "/log.jsonl",
            R"({"stage": "s", "step": 2, "validation": "speech", "metrics": {"excess": 0.5}, )"
            R"("less_is_better": ["excess"], "remarks": {"excess": "in <words>"}, )"
            R"("judged_by": "excess", "is_best": true})"
            "\n");
  const auto history = ReadRunHistory(run);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_THAT(RunText(*history), HasSubstr("excess (less is better, in <words>) 0.5000"));
  EXPECT_THAT(RenderRun(*history, {}), HasSubstr("excess (less is better, in &lt;words&gt;)"));
}

TEST(RunHistory, ReadsALogWhoseLastLineIsStillBeingWritten) {
  const auto history = ReadRunHistory(RunFolder());
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->planned_steps, 10);
  EXPECT_EQ(history->last_step(), 2);
  EXPECT_FALSE(history->finished);
  ASSERT_EQ(history->steps.size(), 2u);
  EXPECT_EQ(history->steps[0].value("loss/a<b"), 2.5);
  EXPECT_EQ(history->steps[1].part_seconds.at("waiting"), 0.5);
  EXPECT_EQ(history->skipped.at(0).records.at(0), "train.jsonl:17");
  EXPECT_EQ(history->decode_failures, 1);
  EXPECT_EQ(ReadRunHistory(NewFolder("no_run")).status().code(), absl::StatusCode::kNotFound);
  const std::string broken = RunFolder();
  WriteText(broken + "/log.jsonl", "{}\n[1]\n");
  EXPECT_THAT(std::string(ReadRunHistory(broken).status().message()), HasSubstr("log.jsonl:2"));
}

TEST(RunReport, ShowsNumbersAndAnswersOverTimeAndLoadsNothing) {
  const std::string run = RunFolder();
  const RunHistory history = *ReadRunHistory(run);
  EXPECT_THAT(RunText(history), AllOf(HasSubstr("step 2 of 10"), HasSubstr("exact_match 0.5000"),
                                      HasSubstr("train.jsonl:17")));
  const auto answers = ReadValidationAnswers(run, "caption", 5);
  ASSERT_TRUE(answers.ok()) << answers.status();
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_EQ(answers->at(0).answers.at(4).text, "red");
  const std::string page = RenderRun(history, {{"caption", *answers}});
  EXPECT_THAT(page,
              AllOf(HasSubstr("&lt;red&gt;"), HasSubstr("step 4"), HasSubstr("<polyline"),
                    HasSubstr("loss/a&lt;b"), Not(HasSubstr("http")), Not(HasSubstr("nan,"))));
}

TEST(EventFile, HoldsTheVersionAndEveryNumberOfTheLog) {
  const std::string text = EventFileText(*ReadRunHistory(RunFolder()));
  EXPECT_THAT(
      text, AllOf(HasSubstr("brain.Event:2"), HasSubstr("train/loss"), HasSubstr("seconds/waiting"),
                  HasSubstr("validation/caption/exact_match")));
}

}  // namespace
}  // namespace unival
