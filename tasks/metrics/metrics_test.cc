#include "tasks/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "sdk/base/test_files.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/task_scores.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Json = nlohmann::json;

// References in column "answer" (one or several) and "box".
absl::StatusOr<References> Read(const TaskSample& sample) {
  References references;
  const auto answer = sample.fields.find("answer");
  if (answer != sample.fields.end()) {
    if (const auto* text = std::get_if<std::string>(&answer->second)) references.texts = {*text};
    if (const auto* texts = std::get_if<std::vector<std::string>>(&answer->second)) {
      references.texts = *texts;
    }
  }
  const auto box = sample.fields.find("box");
  if (box != sample.fields.end()) {
    const auto& values = std::get<std::vector<double>>(box->second);
    references.box = {{values[0], values[1], values[2], values[3]}};
  }
  return references;
}

std::unique_ptr<Metric> Make(const std::string& name) {
  return (*BuiltinMetrics().FindMetric(name))->create(&Read);
}

Prediction Says(const std::string& text) {
  Prediction prediction;
  prediction.text = text;
  return prediction;
}

double Once(const std::string& metric, FieldValue answer, const std::string& text) {
  const auto object = Make(metric);
  EXPECT_TRUE(object->Add({"k", {{"answer", std::move(answer)}}}, Says(text)).ok());
  return object->Result().begin()->second;
}

using Results = std::map<std::string, double>;

// Every built-in score is described by its metric, so that no other code needs its name.
TEST(TaskScores, KnowEveryScoreThatShips) {
  std::map<std::string, std::vector<std::string>> undescribed;
  for (const Registry::Entry& entry : BuiltinMetrics().List()) {
    const MetricFactory* factory = *BuiltinMetrics().FindMetric(entry.type);
    std::set<std::string> described;
    for (const ScoreInfo& info : factory->scores) described.insert(info.name);
    for (const auto& [name, value] : factory->create(&Read)->Result()) {
      // Of iou_thresholds all but one are like what nobody describes.
      if (described.count(name) == 0 && entry.type != "iou_thresholds")
        undescribed[entry.type].push_back(name);
    }
  }
  EXPECT_TRUE(undescribed.empty()) << undescribed.begin()->first;
}

TEST(TaskScores, SayOfWhichScoresLessIsBetter) {
  const TaskScores scores(BuiltinMetrics());
  for (const char* less : {"wer", "wer/kind=noisy", "chair_i", "chair_s", "failures"}) {
    EXPECT_TRUE(scores.LessIsBetter(less)) << less;
    EXPECT_TRUE(scores.IsBetter(less, 0.1, 0.2)) << less;
  }
  for (const char* more : {"accuracy", "accuracy/kind=wer", "werewolves", "iou@0.5", "samples"}) {
    EXPECT_FALSE(scores.LessIsBetter(more)) << more;
    EXPECT_TRUE(scores.IsBetter(more, 0.2, 0.1)) << more;
  }
  EXPECT_FALSE(scores.IsBetter("wer", std::nan(""), 0.1));
  EXPECT_FALSE(scores.IsBetter("wer", 0.1, std::nan("")));
  EXPECT_EQ(scores.Label("wer"), "wer (less is better)");
  EXPECT_EQ(scores.Label("accuracy"), "accuracy");
}

TEST(TaskScores, JudgeByTheScoreOfTheHighestRank) {
  const TaskScores scores(BuiltinMetrics());
  EXPECT_EQ(scores.Main(Results{{"bleu_4", 0}, {"cider", 0}, {"exact_match", 0}, {"wer", 0}}),
            "exact_match");
  EXPECT_EQ(scores.Main(Results{{"bleu_4", 0}, {"cider", 0}, {"rouge_l", 0}}), "cider");
  EXPECT_EQ(scores.Main(Results{{"mean_iou", 0}, {"iou@0.25", 0}, {"iou@0.5", 0}}), "iou@0.5");
  EXPECT_EQ(scores.Main(Results{{"wer", 0}, {"meteor", 0}, {"samples", 0}, {"a/kind=b", 0}}),
            "meteor");
  EXPECT_EQ(scores.Label("meteor/kind=a"), "meteor/kind=a (modules exact and stem)");
  EXPECT_EQ(scores.Label("wer"), "wer (less is better)");
  EXPECT_EQ(scores.Label("cider"), "cider");
  EXPECT_EQ(scores.Main(Results{{"cider", 0}, {"contains", 0}}, /*shares=*/true), "contains");
  EXPECT_EQ(scores.Main(Results{{"samples", 0}, {"failures", 0}}), "");
}

// The remark of any metric is shown next to the direction of its score.
TEST(TaskScores, SayWhatTheMetricHasToSay) {
  Registry registry;
  MetricFactory factory = **BuiltinMetrics().FindMetric("wer");
  factory.name = "excess";
  factory.scores = {{"excess", ScoreOrder::kLessIsBetter, 0, false, "in words"}, {"plain"}};
  ASSERT_TRUE(registry.AddMetric(factory).ok());
  const TaskScores scores(registry);
  EXPECT_EQ(scores.Remark("excess/kind=a"), "less is better, in words");
  EXPECT_EQ(scores.Label("excess"), "excess (less is better, in words)");
  EXPECT_EQ(scores.Remark("plain"), "");
  EXPECT_EQ(scores.Remark("failures"), "");
  EXPECT_THAT(scores.Remarks(Results{{"excess", 1}, {"plain", 1}, {"samples", 2}}),
              ElementsAre(Pair("excess", "less is better, in words")));
}

TEST(Registry, RefusesAScoreThatNoResultCanHave) {
  Registry registry;
  MetricFactory factory = **BuiltinMetrics().FindMetric("wer");
  for (const char* name : {"", "wer/kind=noisy"}) {
    factory.scores = {{name, ScoreOrder::kLessIsBetter}};
    EXPECT_THAT(std::string(registry.AddMetric(factory).message()), HasSubstr("scores: expected"));
  }
}

TEST(MetricsTest, ExactMatchForgivesCaseAndSpacingOnly) {
  EXPECT_EQ(Once("exact_match", "a red  circle", " A Red circle "), 1);
  EXPECT_EQ(Once("exact_match", "a red circle", "a red circle."), 0);
  EXPECT_EQ(Once("exact_match", "a red circle", "a red circles"), 0);
  EXPECT_EQ(Once("exact_match", std::vector<std::string>{"two", "2"}, "2"), 1);
}

TEST(MetricsTest, AccuracyForgivesPunctuationToo) {
  EXPECT_EQ(Once("accuracy", "yes", "Yes."), 1);
  EXPECT_EQ(Once("accuracy", "yes", "yes yes"), 0);
  EXPECT_EQ(Once("accuracy", "", ""), 1);
}

TEST(MetricsTest, LastWordComparesTheEndsOfSentences) {
  EXPECT_EQ(Once("last_word", "the digit is seven", "seven"), 1);
  EXPECT_EQ(Once("last_word", "the digit is seven", "the digit is seven."), 1);
  EXPECT_EQ(Once("last_word", "the digit is seven", "seven is the digit"), 0);
  EXPECT_EQ(Once("last_word", "the digit is seven", ""), 0);
}

TEST(MetricsTest, ContainsLooksForWholeWords) {
  EXPECT_EQ(Once("contains", "seven", "the digit is seven"), 1);
  EXPECT_EQ(Once("contains", "seven", "seventeen"), 0);
}

TEST(MetricsTest, MeansAreGivenPerKind) {
  const auto metric = Make("accuracy");
  const auto add = [&](const char* kind, const char* right, const char* said) {
    EXPECT_TRUE(metric->Add({"k", {{"answer", right}, {"kind", kind}}}, Says(said)).ok());
  };
  add("count", "two", "two");
  add("count", "two", "three");
  add("color", "red", "red");
  metric->AddFailure({"k", {{"answer", "x"}, {"kind", "color"}}});
  EXPECT_THAT(metric->Result(), ElementsAre(Pair("accuracy", 0.5), Pair("accuracy/kind=color", 0.5),
                                            Pair("accuracy/kind=count", 0.5)));
}

TEST(MetricsTest, BoxesAreScoredByOverlapAndAMissingBoxIsWrong) {
  const TaskSample reference{"k", {{"box", std::vector<double>{0, 0, 0.5, 0.5}}}};
  Prediction good, none;
  good.box = {{0, 0, 0.5, 0.375}};
  const auto mean = Make("mean_iou"), hits = Make("iou");
  for (const auto& metric : {mean.get(), hits.get()}) {
    EXPECT_TRUE(metric->Add(reference, good).ok());
    EXPECT_TRUE(metric->Add(reference, none).ok());
  }
  EXPECT_THAT(mean->Result(), ElementsAre(Pair("mean_iou", 0.375)));
  EXPECT_THAT(hits->Result(), ElementsAre(Pair("iou@0.5", 0.5)));
}

TEST(MetricsTest, CombinedMetricsCountSamplesAndFailures) {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(Make("exact_match"));
  metrics.push_back(Make("bleu"));
  const auto metric = CombineMetrics(std::move(metrics));
  EXPECT_TRUE(metric->Add({"k", {{"answer", "a b c d"}}}, Says("a b c d")).ok());
  metric->AddFailure({"k", {{"answer", "a b c d"}}});
  const auto result = metric->Result();
  EXPECT_EQ(result.at("samples"), 2);
  EXPECT_EQ(result.at("failures"), 1);
  EXPECT_EQ(result.at("exact_match"), 0.5);
  EXPECT_LT(result.at("bleu_4"), 1);
}

TEST(MetricsTest, UnknownNamesListTheKnownOnes) {
  const absl::Status status = BuiltinMetrics().FindMetric("spice").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"spice\"; known: accuracy, bleu, chair, cider, cider_d, cider_plain, "
                        "class_balanced_accuracy, consistency, contains, exact_match, iou, "
                        "iou_thresholds, last_word, mean_iou, meteor, rouge_l, vqa_accuracy, wer"));
}

TEST(MetricsTest, MetricsWithoutSamplesAreZero) {
  int metrics = 0;
  for (const Registry::Entry& entry : BuiltinMetrics().List()) {
    ++metrics;
    for (const auto& result : Make(entry.type)->Result()) EXPECT_EQ(result.second, 0) << entry.type;
  }
  EXPECT_EQ(metrics, 18);
}

TEST(MetricsTest, NamesOfMetricsThatShipDiffer) {
  Registry registry;
  EXPECT_TRUE(RegisterBuiltinMetrics(registry).ok());
  EXPECT_EQ(RegisterBuiltinMetrics(registry).code(), absl::StatusCode::kAlreadyExists);
}

class CaptionScoresTest : public testing::Test {
 protected:
  void SetUp() override {
    golden_ = Json::parse(ReadText("tests/golden/metrics/caption_metrics.json"));
    for (const auto& candidate : golden_["candidates"].items()) {
      keys_.push_back(candidate.key());
      items_.push_back({candidate.value(), golden_["references"][candidate.key()]});
    }
    ASSERT_EQ(items_.size(), 300u);
  }

  Json golden_;
  std::vector<std::string> keys_;
  std::vector<CaptionItem> items_;
};

TEST_F(CaptionScoresTest, BleuEqualsTheCocoEvaluation) {
  const std::array<double, 4> bleu = Bleu(items_);
  for (int n = 0; n < 4; ++n) {
    EXPECT_NEAR(bleu[n], golden_["expected"]["bleu"][n].get<double>(), 1e-9);
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    EXPECT_NEAR(Bleu({items_[i]})[3], golden_["per_image"][keys_[i]]["bleu4"].get<double>(), 1e-9);
  }
}

TEST_F(CaptionScoresTest, RougeEqualsTheCocoEvaluation) {
  double sum = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    const double rouge = RougeL(items_[i]);
    EXPECT_NEAR(rouge, golden_["per_image"][keys_[i]]["rouge_l"].get<double>(), 1e-9);
    sum += rouge;
  }
  EXPECT_NEAR(sum / 300, golden_["expected"]["rouge_l"].get<double>(), 1e-9);
}

TEST_F(CaptionScoresTest, CiderEqualsTheCocoEvaluation) {
  const std::vector<double> cider = CiderD(items_);
  double sum = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    EXPECT_NEAR(cider[i], golden_["per_image"][keys_[i]]["cider"].get<double>(), 1e-9) << keys_[i];
    sum += cider[i];
  }
  EXPECT_NEAR(sum / 300, golden_["expected"]["cider"].get<double>(), 1e-9);
}

TEST_F(CaptionScoresTest, MetricsGiveTheCorpusScores) {
  for (const auto& [name, key, expected] :
       {std::tuple("cider", "cider", golden_["expected"]["cider"].get<double>()),
        std::tuple("rouge_l", "rouge_l", golden_["expected"]["rouge_l"].get<double>()),
        std::tuple("bleu", "bleu_4", golden_["expected"]["bleu"][3].get<double>())}) {
    const auto metric = Make(name);
    for (const CaptionItem& item : items_) {
      ASSERT_TRUE(metric->Add({"k", {{"answer", item.references}}}, Says(item.candidate)).ok());
    }
    EXPECT_NEAR(metric->Result().at(key), expected, 1e-9);
  }
}

}  // namespace
}  // namespace unival
