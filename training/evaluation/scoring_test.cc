#include "training/evaluation/scoring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "tasks/metrics/metrics.h"
#include "tasks/metrics/scored_metric.h"

namespace unival {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ScoringOptions Quick() {
  ScoringOptions options;
  options.bootstrap.resamples = 50;
  return options;
}

std::string Written(const std::string& name, const std::string& text) {
  const std::string file = testing::TempDir() + "/" + name;
  WriteText(file, text);
  return file;
}

absl::StatusOr<ScoredInput> ScoreFile(const std::string& file, const std::string& references = "") {
  absl::StatusOr<ScoreInput> input = ReadScoreInput(file, references);
  if (!input.ok()) return input.status();
  return ScoreAnswers(*std::move(input), BuiltinMetrics(), Quick());
}

TEST(Scoring, TheGoldenFileHasItsOwnNumbers) {
  const auto scored = ScoreFile("tests/golden/metrics/caption_metrics.json");
  ASSERT_TRUE(scored.ok()) << scored.status();
  const ExpectedCheck check = CompareWithExpected(*scored);
  EXPECT_EQ(check.compared, 6 + 3 * 300);
  EXPECT_LT(check.largest_difference, 1e-9) << check.at;
  EXPECT_NEAR(scored->scores.at("cider_d").value, 2.9874308434637813, 1e-9);
  EXPECT_LT(scored->scores.at("cider_d").interval->low, 2.98);
  EXPECT_GT(scored->scores.at("cider_d").interval->high, 2.99);
}

constexpr char kCaptions[] = R"({"images": [{"id": 7}, {"id": 3}, {"id": 9}], "annotations": [
  {"image_id": 3, "id": 1, "caption": "A dog's t-shirt."},
  {"image_id": 7, "id": 2, "caption": "Two cats"},
  {"image_id": 7, "id": 3, "caption": "Two black cats sit."},
  {"image_id": 9, "id": 4, "caption": "x"}]})";

TEST(Scoring, CocoResultsAreScoredAgainstTheirAnnotations) {
  const std::string captions = Written("captions.json", kCaptions);
  const auto scored =
      ScoreFile(Written("results.json", R"([{"image_id": 3, "caption": "a dog 's t-shirt"},
                                  {"image_id": 7, "caption": "two cats sit"}])"),
                captions);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->input.samples[0].key, "7") << "in the order of the annotations' pictures";
  EXPECT_EQ(scored->input.note, "1 of 3 pictures have no caption and are left out");
  const ScoredMetric& metric = *scored->metric;
  EXPECT_NEAR(metric.PerSample().at("bleu_4")[1], 1, 1e-6);
  EXPECT_NEAR(metric.PerSample().at("rouge_l")[1], 1, 1e-12);
}

TEST(Scoring, VqaResultsAreScoredAgainstTenAnswers) {
  std::string answers;
  for (int i = 0; i < 10; ++i) {
    answers += std::string(i > 0 ? "," : "") + R"({"answer": ")" + (i < 3 ? "Two" : "three") +
               R"(", "answer_id": )" + std::to_string(i) + "}";
  }
  const std::string questions =
      Written("questions.json", R"({"annotations": [{"question_id": 1, "answer_type": "number",
                                 "answers": [)" +
                                    answers + "]}]}");
  const auto scored =
      ScoreFile(Written("vqa.json", R"([{"question_id": 1, "answer": "2"}])"), questions);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_NEAR(scored->scores.at("vqa_accuracy").value, (3 * 2.0 / 3 + 7) / 10, 1e-12);
  EXPECT_EQ(scored->scores.count("vqa_accuracy/kind=number"), 1u);
}

TEST(Scoring, LinesOfAnEvaluationAreReadBack) {
  const auto scored = ScoreFile(Written(
      "answers.jsonl",
      "{\"key\": \"a:1\", \"text\": \"red\", \"score\": -0.1, \"references\": [\"Red\"], \"kind\": "
      "\"color\"}\n{\"key\": \"a:2\", \"error\": \"cannot be decoded\", \"references\": "
      "[\"two\"]}\n"));
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->scores.at("accuracy").value, 0.5);
  EXPECT_EQ(scored->scores.at("accuracy/kind=color").value, 1);
  EXPECT_EQ(scored->scores.at("failures").value, 1);
}

TEST(Scoring, BoxesAreScoredByTheirOverlap) {
  const auto scored = ScoreFile(
      Written("boxes.jsonl",
              "{\"key\": \"a\", \"text\": \"\", \"references\": [\"\"], \"box\": [0, 0, 1, "
              "0.5], \"reference_box\": [0, 0, 1, 1]}\n"));
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->scores.at("mean_iou").value, 0.5);
  EXPECT_EQ(scored->scores.at("iou@0.5").value, 1);
  EXPECT_EQ(scored->scores.at("iou@0.7").value, 0);
}

TEST(Scoring, ErrorsNameFileEntryFieldAndRemedy) {
  const std::string captions = Written("captions.json", kCaptions);
  const auto error = [&](const std::string& text, const std::string& references = "") {
    return std::string(ScoreFile(Written("bad.json", text), references).status().message());
  };
  EXPECT_THAT(error("{\"a\": "), HasSubstr("bad.json: expected JSON"));
  EXPECT_THAT(error(R"({"key": "1", "text": "a", "references": ["a"]})", "other.json"),
              HasSubstr("bad.json: expected answers alone beside --references other.json"));
  EXPECT_THAT(error("[1, 2]"), HasSubstr("the layouts are: {\"references\""));
  EXPECT_THAT(error("{}"), HasSubstr("expected answers in a known layout"));
  EXPECT_THAT(error(R"([{"image_id": 3, "caption": "a"}])"), HasSubstr("give --references"));
  EXPECT_THAT(error(R"([{"image_id": 3, "caption": "a"}, {"image_id": 7}])", captions),
              HasSubstr("bad.json: entry 1: expected field \"caption\""));
  EXPECT_THAT(error(R"([{"image_id": 3, "caption": 5}])", captions),
              HasSubstr("entry 0: caption: expected a text, got 5"));
  EXPECT_THAT(
      error(R"([{"image_id": 3, "caption": "a"}, {"image_id": 3, "caption": "b"}])", captions),
      HasSubstr("got a second of 3"));
  EXPECT_THAT(error(R"([{"image_id": 4, "caption": "a"}])", captions),
              HasSubstr("image_id 4: expected one that"));
  const std::string twice = Written("twice.json", R"({"annotations": [
      {"question_id": 1, "answers": ["a"]}, {"question_id": 1, "answers": ["b"]}]})");
  EXPECT_THAT(
      error(R"([{"question_id": 1, "answer": "a"}])", twice),
      HasSubstr("twice.json: annotations[1]: expected one entry per question_id, got a second"));
  EXPECT_THAT(error(R"({"references": {"1": []}, "candidates": {"1": "a"}})"),
              HasSubstr("entry \"1\": expected at least one reference"));
  EXPECT_THAT(error(R"({"references": {"1": ["a"]}, "candidates": {"2": "a"}})"),
              HasSubstr("entry \"2\": expected at least one reference"));
  EXPECT_THAT(error("{\"key\": \"a\", \"text\": \"b\"}\n"),
              HasSubstr("line 1: expected field \"references\""));
}

TEST(Scoring, WhatIsNoJsonIsToldInPlainWords) {
  for (const char* text :
       {"{]", "[1e999]", "{\"key\": 1, \"text\": \"a\", \"references\": [\"a\"]}\n{]"}) {
    const std::string file = Written("no.json", text);
    const std::string error(ReadScoreInput(file, "").status().message());
    EXPECT_THAT(error, AllOf(testing::StartsWith(file), HasSubstr("expected JSON, got an error: "),
                             Not(HasSubstr("json.exception"))));
  }
}

TEST(Scoring, AValueThatIsShownIsCutBetweenCharacters) {
  const std::string long_name = absl::StrCat(std::string(35, 'a'), "\u00e9\u00e9\u00e9\u00e9");
  const std::string text =
      absl::StrCat("{\"key\": 1, \"text\": {\"", long_name, "\": 1}, \"references\": [\"a\"]}\n");
  const std::string error(ReadScoreInput(Written("cut.jsonl", text), "").status().message());
  EXPECT_THAT(error, testing::EndsWith(absl::StrCat("{\"", std::string(35, 'a'), "\u00e9...")));
}

TEST(Scoring, AnIdThatIsGivenTwiceIsRefused) {
  const auto error = [](const std::string& text, const std::string& references = "") {
    return std::string(ReadScoreInput(Written("ids.json", text), references).status().message());
  };
  EXPECT_THAT(error(R"({"references": {"1": ["a"], "1": ["b"]}, "candidates": {"1": "a"}})"),
              HasSubstr("ids.json: \"references\": expected every name once, got a second \"1\""));
  EXPECT_THAT(error(R"({"references": {"1": ["a"]}, "candidates": {"1": "a", "1": "b"}})"),
              HasSubstr("\"candidates\": expected every name once"));
  EXPECT_THAT(error(R"({"7": "a", "7": "b"})", Written("right.json", R"({"7": ["a"]})")),
              HasSubstr("ids.json: expected every name once, got a second \"7\"; keep one"));
}

// Intervals follow from the order, so it is the file's.
TEST(Scoring, AnswersHaveTheOrderOfTheirReferences) {
  for (const char* candidates :
       {R"({"b": "1", "c": "3", "a": "2"})", R"({"a": "2", "b": "1", "c": "3"})"}) {
    const auto input = ReadScoreInput(
        Written("order.json",
                absl::StrCat(R"({"candidates": )", candidates,
                             R"(, "references": {"c": ["3"], "a": ["2"], "b": "1"}})")),
        "");
    ASSERT_TRUE(input.ok()) << input.status();
    std::vector<std::string> keys;
    for (const TaskSample& sample : input->samples) keys.push_back(sample.key);
    EXPECT_THAT(keys, testing::ElementsAre("c", "a", "b"));
  }
}

// Were every id compared with all others, this would not end within the test's time limit.
TEST(Scoring, AHundredThousandIdsAreReadInTheirOrder) {
  std::string references, candidates;
  for (int i = 0; i < 100000; ++i) {
    const char* comma = i > 0 ? "," : "";
    absl::StrAppend(&references, comma, "\"", i, "\":[\"a dog\"]");
    absl::StrAppend(&candidates, comma, "\"", i, "\":\"a dog\"");
  }
  const std::string file = Written(
      "many.json",
      absl::StrCat("{\"references\":{", references, "},\"candidates\":{", candidates, "}}"));
  const auto input = ReadScoreInput(file, "");
  ASSERT_TRUE(input.ok()) << input.status();
  ASSERT_EQ(input->samples.size(), 100000u);
  for (size_t i = 0; i < input->samples.size(); ++i)
    ASSERT_EQ(input->samples[i].key, absl::StrCat(i));
}

TEST(Scoring, AFieldOfAnotherTypeIsNamed) {
  const auto error = [](const std::string& more) {
    return std::string(
        ReadScoreInput(Written("types.json", absl::StrCat("{\"references\": {\"1\": [\"a\"]}, "
                                                          "\"candidates\": {\"1\": \"a\"}, ",
                                                          more, "}")),
                       "")
            .status()
            .message());
  };
  for (const char* field : {"expected", "per_image", "objects", "kinds", "groups"}) {
    for (const char* wrong : {"5", "\"x\"", "[1]", "true", "null"}) {
      EXPECT_THAT(
          error(absl::StrCat("\"", field, "\": ", wrong)),
          AllOf(HasSubstr(absl::StrCat("\"", field, "\": expected an object")), HasSubstr(wrong)));
    }
  }
  EXPECT_THAT(error(R"("expected": {"bleu": "0.5"})"),
              HasSubstr("\"expected\", \"bleu\": expected a number or a list of numbers"));
  EXPECT_THAT(error(R"("per_image": {"1": {"cider": [1, "x"]}})"),
              HasSubstr("\"per_image\", \"1\", \"cider\": expected a number"));
  EXPECT_THAT(error(R"("per_image": {"1": 7})"),
              HasSubstr("\"per_image\", \"1\": expected an object of scores, got 7"));
  EXPECT_THAT(error(R"("groups": {"1": ["a", "b"]})"), HasSubstr("groups \"1\": expected a text"));
  EXPECT_EQ(error(R"("expected": {"bleu": 1, "made_by": "x"}, "groups": {"1": 7})"), "");
  const auto of_line = [](const std::string& more) {
    return std::string(
        ReadScoreInput(
            Written("types.jsonl",
                    absl::StrCat("{\"key\": \"1\", \"text\": \"a\", \"references\": [\"a\"], ",
                                 more, "}\n")),
            "")
            .status()
            .message());
  };
  EXPECT_THAT(of_line("\"score\": \"x\""), HasSubstr("line 1: score: expected a number, got"));
  EXPECT_THAT(of_line("\"group\": {}"), HasSubstr("line 1: group: expected a text, got {}"));
  EXPECT_THAT(of_line("\"kind\": [1]"), HasSubstr("line 1: kind: expected a text, got [1]"));
  EXPECT_EQ(of_line("\"score\": null, \"group\": 7, \"kind\": null"), "");
}

TEST(Scoring, AStatedScoreThatNothingComputesIsNamed) {
  ScoringOptions options = Quick();
  const auto error = [&](const std::string& stated) {
    auto input = ReadScoreInput(
        Written("stated.json", absl::StrCat("{\"references\": {\"1\": [\"a\"]}, \"candidates\": "
                                            "{\"1\": \"a\"}, ",
                                            stated, "}")),
        "");
    EXPECT_TRUE(input.ok()) << input.status();
    const auto scored = ScoreAnswers(*std::move(input), BuiltinMetrics(), options);
    EXPECT_TRUE(scored.ok()) << scored.status();
    return std::string(CheckExpectedNames(*scored, options).message());
  };
  EXPECT_THAT(error(R"("expected": {"nope": 1})"),
              AllOf(HasSubstr("\"expected\""), HasSubstr("got \"nope\""), HasSubstr("rouge_l")));
  EXPECT_THAT(error(R"("per_image": {"1": {"ciderr": 1}})"), HasSubstr("got \"ciderr\""));
  EXPECT_EQ(error(R"("expected": {"cider": 1, "bleu4": 1, "made_by": "x"})"), "");
  options.metrics = {"rouge_l"};
  EXPECT_EQ(error(R"("expected": {"cider": 1})"), "") << "not asked for";
  EXPECT_THAT(error(R"("expected": {"nope": 1})"), HasSubstr("nope"));
}

TEST(Scoring, AColumnThatAMetricNeedsIsAskedForInTheWordsOfTheLayout) {
  ScoringOptions options = Quick();
  const auto error = [&](const std::string& file) {
    return std::string(
        ScoreAnswers(*ReadScoreInput(file, ""), BuiltinMetrics(), options).status().message());
  };
  const std::string captions =
      Written("columns.json", R"({"references": {"7": ["a"]}, "candidates": {"7": "a"}})");
  const std::string lines =
      Written("columns.jsonl", R"({"key": "7", "text": "a", "references": ["a"]})");
  options.metrics = {"consistency"};
  EXPECT_THAT(error(captions),
              AllOf(HasSubstr("consistency needs \"group\""), HasSubstr("got none for \"7\""),
                    HasSubstr("\"groups\" by id"), Not(HasSubstr("--column"))));
  EXPECT_THAT(error(lines), HasSubstr("the field \"group\" of its line"));
  options.metrics = {"chair"};
  EXPECT_THAT(error(captions), HasSubstr("\"objects\" by id"));
}

TEST(Scoring, TwoRunsAreComparedByTheirKeys) {
  const auto read = [](const char* name, const char* first, const char* second) {
    return *ReadScoreInput(Written(name, absl::StrCat("{\"key\": \"", first,
                                                      "\", \"text\": \"x\", \"references\": "
                                                      "[\"x\"]}\n{\"key\": \"",
                                                      second,
                                                      "\", \"text\": \"y\", \"references\": "
                                                      "[\"x\"]}\n")),
                           "");
  };
  const ScoreInput a = read("a.jsonl", "1", "2"), b = read("b.jsonl", "2", "1");
  const auto moved = CompareAnswers(a, b, BuiltinMetrics(), Quick());
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->at("accuracy").difference, 0);
  EXPECT_EQ(moved->at("accuracy").higher, 1);
  EXPECT_EQ(moved->at("accuracy").lower, 1) << "one learnt, one forgotten";
  const auto same = CompareAnswers(a, a, BuiltinMetrics(), Quick());
  EXPECT_EQ(same->at("accuracy").same, 2);
  EXPECT_EQ(same->at("bleu_4").difference, 0);
  const ScoreInput other = read("c.jsonl", "1", "3");
  EXPECT_THAT(std::string(CompareAnswers(a, other, BuiltinMetrics(), Quick()).status().message()),
              HasSubstr("expected an answer to \"2\" in both files"));
}

}  // namespace
}  // namespace unival
