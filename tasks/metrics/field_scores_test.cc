// Compares the scores with those of the standard programs of the field. The expected words and
// numbers were printed by these programs: Stanford's tokenizer 3.4.1 with the COCO caption
// evaluation's list of punctuation, METEOR 1.5 with `-l en -norm -m "exact stem"`, the VQA
// evaluation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tasks/metrics/bootstrap.h"
#include "tasks/metrics/calibration.h"
#include "tasks/metrics/caption_scores.h"
#include "tasks/metrics/meteor.h"
#include "tasks/metrics/metric_columns.h"
#include "tasks/metrics/metrics.h"
#include "tasks/metrics/ptb_tokenizer.h"
#include "tasks/metrics/scored_metric.h"
#include "tasks/metrics/vqa_answer.h"

namespace unival {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// References in the text or texts of column "answer".
absl::StatusOr<References> ReadAnswers(const TaskSample& sample) {
  References references;
  const auto answer = sample.fields.find("answer");
  if (answer == sample.fields.end()) return references;
  if (const auto* text = std::get_if<std::string>(&answer->second)) references.texts = {*text};
  if (const auto* texts = std::get_if<std::vector<std::string>>(&answer->second)) {
    references.texts = *texts;
  }
  return references;
}

using Fields = std::map<std::string, FieldValue>;

class Scoring {
 public:
  explicit Scoring(const std::string& name)
      : metric_((*BuiltinMetrics().FindMetric(name))->create(&ReadAnswers)) {}

  Scoring& Add(const std::string& said, Fields fields) {
    Prediction prediction;
    prediction.text = said;
    status = metric_->Add({"data.jsonl:" + std::to_string(++rows_), std::move(fields)}, prediction);
    return *this;
  }
  const ScoredMetric& scored() const { return *AsScored(metric_.get()); }
  double Result(const std::string& name) const { return metric_->Result().at(name); }

  absl::Status status;

 private:
  std::unique_ptr<Metric> metric_;
  int rows_ = 0;
};

using Texts = std::vector<std::string>;

TEST(FieldScores, CaptionsAreSplitAsTheCocoEvaluationSplitsThem) {
  EXPECT_THAT(
      TokenizeCaptions({"A girl's t-shirt (red), isn't it?",
                        "Don't! They cannot... \"really\" go -- o'clock, y'all.",
                        "Two men in U.S. uniforms at 5 p.m. on St. Mark's Ave.",
                        "It costs $5.00, £3 or 50¢ & 1/2 price; 1 1/2 cups.",
                        "L’été: a café’s “menu” – naïve, Zürich 北京 ☺ 😀",
                        "WOW!! What?! A (b) [c] {d} <e> f/g a_b #1 @me",
                        "black-and-white 10,000 people 12:30 1990's '90s 'n' gonna", "plan b.",
                        "A dog"}),
      ElementsAre("a girl 's t-shirt -lrb- red -rrb- is n't it",
                  "do n't they can not really go o'clock y' all",
                  "two men in u.s. uniforms at 5 p.m. on st. mark 's ave.",
                  "it costs $ 5.00 # 3 or 50 cents & 1/2 price 1\u00A01/2 cups",
                  "l’été a café 's menu naïve zürich 北京 ☺",
                  "wow !! what ?! a -lrb- b -rrb- -lsb- c -rsb- -lcb- d -rcb- <e> f/g a_b # 1 @me",
                  "black-and-white 10,000 people 12:30 1990 's '90s 'n' gon na", "plan b",
                  "a dog"));
}

TEST(FieldScores, EmptyCaptionsAndLineEndsKeepTheirPlaces) {
  EXPECT_THAT(TokenizeCaptions({"", "a\nb", "...", "c"}), ElementsAre("", "a b", "", "c"));
  EXPECT_THAT(TokenizeCaptions({}), ElementsAre());
  EXPECT_THAT(TokenizeCaptions({"\xff bad \xe2\x80 bytes", "d"}).size(), 2u);
}

TEST(FieldScores, MeteorEqualsVersion15WithExactMatchesAndStems) {
  const std::vector<CaptionItem> items = {
      {"a dog runs through a green park", {"the dog is running in the park"}},
      {"two dogs play with balls", {"two dogs are playing with a ball", "dogs playing ball"}},
      {"a man 's t-shirt", {"a man 's t-shirt"}},
      {"purple elephants fly", {"a cat"}},
      {"", {"a cat"}}};
  MeteorCounts sums = {};
  std::vector<double> scores;
  for (size_t i = 0; i < items.size(); ++i) {
    const MeteorCounts counts = CountMeteor(items[i]);
    scores.push_back(MeteorScore(counts));
    for (size_t k = 0; k < sums.size() && i < 4; ++k) sums[k] += counts[k];
  }
  EXPECT_THAT(scores, ElementsAre(DoubleNear(0.22941176470588234, 1e-12),
                                  DoubleNear(0.3170379215626192, 1e-12), 1, 0, 0));
  EXPECT_NEAR(MeteorScore(sums), 0.3180448695432382, 1e-12);
}

TEST(FieldScores, VqaAnswersAreNormalisedAsTheVqaEvaluationDoes) {
  for (const auto& [answer, expected] :
       {std::pair("Two dogs.", "2 dogs"), std::pair("The U.S.A.", "usa"),
        std::pair("1,000, people", "1000 people"), std::pair("t-shirt", "t shirt"),
        std::pair("dont know", "don't know"), std::pair("a/b; c", "b c"),
        std::pair("$5.50", "$5.50"), std::pair("none", "0"),
        std::pair("wont, can't", "won't can't"), std::pair("it's 10 o'clock", "it's 10 o'clock"),
        std::pair("3.5 .", "3.5"), std::pair("An apple-pie (hot)", "apple pie hot"),
        std::pair("Café!", "café"), std::pair("", "")}) {
    EXPECT_EQ(NormalizeVqaAnswer(answer), expected) << answer;
  }
}

TEST(FieldScores, VqaAccuracyLeavesOneOfTenAnswersOut) {
  const Texts mixed = {"2", "2", "2", "2", "two", "three", "3", "3", "2 ", "four"};
  EXPECT_NEAR(VqaAccuracy("Two", mixed), 1, 1e-12);
  const Texts yes(10, "yes");
  EXPECT_EQ(VqaAccuracy("yes", yes), 1);
  EXPECT_EQ(VqaAccuracy("Yes", yes), 0) << "all agree, so nothing is normalised";
  const Texts few = {"yes", "yes", "no", "m", "m", "m", "m", "m", "m", "m"};
  EXPECT_NEAR(VqaAccuracy("yes", few), 0.6, 1e-12);
  EXPECT_EQ(VqaAccuracy("A dog.", {"dog"}), 1);
  EXPECT_EQ(VqaAccuracy("dog", {}), 0);
}

TEST(FieldScores, BothCidersHaveTheirNames) {
  Scoring same("cider"), damped("cider_d"), plain("cider_plain");
  for (Scoring* metric : {&same, &damped, &plain}) {
    metric->Add("a red dog runs and runs and runs", {{"answer", Texts{"a red dog runs"}}})
        .Add("two cats", {{"answer", Texts{"two black cats", "cats on a mat"}}})
        .Add("a t-shirt", {{"answer", "a t-shirt"}});
  }
  EXPECT_EQ(same.Result("cider"), damped.Result("cider_d"));
  EXPECT_GT(plain.Result("cider_plain"), damped.Result("cider_d"))
      << "neither clipped nor damped for its length";
  EXPECT_NEAR(plain.scored().PerSample().at("cider_plain")[2], 5, 1e-9);
}

TEST(FieldScores, EmptyCandidatesSingleReferencesAndUnicodeHaveScores) {
  for (const char* name : {"bleu", "rouge_l", "cider_d", "meteor", "wer"}) {
    Scoring metric(name);
    metric.Add("", {{"answer", "a cat"}}).Add("ein süßer Käfer", {{"answer", "Ein süßer Käfer!"}});
    ASSERT_TRUE(metric.status.ok()) << metric.status;
    for (const auto& [score, values] : metric.scored().PerSample()) {
      ASSERT_EQ(values.size(), 2u) << score;
      EXPECT_TRUE(std::isfinite(values[0]) && std::isfinite(values[1])) << score;
      EXPECT_NE(values[0], values[1]) << score;
    }
  }
}

TEST(FieldScores, ASampleWithoutReferencesIsRefusedByName) {
  for (const char* name : {"bleu", "accuracy", "wer", "vqa_accuracy", "class_balanced_accuracy"}) {
    Scoring metric(name);
    metric.Add("a", {{"answer", "a"}}).Add("b", {{"answer", Texts{}}});
    EXPECT_THAT(std::string(metric.status.message()),
                HasSubstr("data.jsonl:2: expected at least one reference answer"))
        << name;
  }
}

TEST(FieldScores, WordErrorsAreCountedOverAllWords) {
  Scoring wer("wer");
  wer.Add("the cat sat", {{"answer", "The cat sat."}})
      .Add("a big cat sat down", {{"answer", "a cat sat down here"}});
  EXPECT_DOUBLE_EQ(wer.Result("wer"), 2.0 / 8);
  EXPECT_THAT(wer.scored().PerSample().at("wer"), ElementsAre(0, 0.4));
}

TEST(FieldScores, ClassesWeighTheSame) {
  Scoring balanced("class_balanced_accuracy");
  for (const char* said : {"no", "no", "no", "yes"}) balanced.Add(said, {{"answer", "no"}});
  balanced.Add("no", {{"answer", "yes"}});
  EXPECT_DOUBLE_EQ(balanced.Result("class_balanced_accuracy"), 0.375);
}

TEST(FieldScores, AGroupCountsWhereAllOfItIsRight) {
  Scoring metric("consistency");
  const auto add = [&](const char* said, const char* group) {
    metric.Add(said, {{"answer", "true"}, {"group", group}});
  };
  add("true", "s1");
  add("true", "s1");
  add("true", "s2");
  add("false", "s2");
  EXPECT_DOUBLE_EQ(metric.Result("consistency"), 0.5);
  EXPECT_THAT(metric.scored().PerSample().at("consistency"), ElementsAre(1, 1, 0, 0));
  metric.Add("true", {{"answer", "true"}});
  EXPECT_THAT(std::string(metric.status.message()),
              HasSubstr("data.jsonl:5: expected text column"));
}

// A run can ask for this before it begins.
TEST(FieldScores, AMetricSaysWhichColumnsItNeedsBesideTheAnswer) {
  EXPECT_TRUE(Scoring("accuracy").scored().Columns().empty());
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const char* name : {"accuracy", "consistency", "chair"})
    metrics.push_back((*BuiltinMetrics().FindMetric(name))->create(&ReadAnswers));
  const auto columns = CombineMetrics(std::move(metrics))->Columns();
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].name, "group");
  EXPECT_EQ(columns[0].metric, "consistency");
  EXPECT_EQ(columns[1].name, "objects");
  EXPECT_EQ(columns[1].metric, "chair");
  EXPECT_TRUE(HoldsColumn({"1", {{"group", "a"}}}, columns[0]));
  EXPECT_TRUE(HoldsColumn({"1", {{"group", 7.0}}}, columns[0]));
  EXPECT_FALSE(HoldsColumn({"1", {{"group", Texts{"a"}}}}, columns[0]));
  EXPECT_TRUE(HoldsColumn({"1", {{"objects", Texts{}}}}, columns[1]));
  EXPECT_FALSE(HoldsColumn({"1", {{"objects", "dog"}}}, columns[1]));
  EXPECT_FALSE(HoldsColumn({"1", {}}, columns[1]));
}

TEST(FieldScores, AGroupMayBeANumber) {
  Scoring metric("consistency");
  for (const double group : {581929.0, 581929.0, 581930.0})
    metric.Add(group > 581929 ? "true" : "false", {{"answer", "true"}, {"group", group}});
  ASSERT_TRUE(metric.status.ok()) << metric.status;
  EXPECT_DOUBLE_EQ(metric.Result("consistency"), 0.5);
}

TEST(FieldScores, ChairCountsObjectsThatAreNotThere) {
  Scoring chair("chair");
  chair
      .Add("two puppies and a frisbee near fire hydrants",
           {{"answer", "a dog"}, {"objects", Texts{"dog|puppy", "fire hydrant"}}})
      .Add("a dog", {{"answer", "a dog runs"}, {"objects", Texts{}}})
      .Add("a cat on a frisbee", {{"answer", "a cat"}, {"objects", Texts{"cat", "frisbee"}}})
      .Add("a cat", {{"answer", "nothing"}, {"objects", Texts{"dog"}}});
  ASSERT_TRUE(chair.status.ok()) << chair.status;
  // puppies, frisbee (absent), fire hydrants; dog; cat, frisbee; cat (absent).
  EXPECT_DOUBLE_EQ(chair.Result("chair_i"), 2.0 / 7);
  EXPECT_DOUBLE_EQ(chair.Result("chair_s"), 0.5);
  chair.Add("a cat", {{"answer", "a cat"}});
  EXPECT_THAT(std::string(chair.status.message()), HasSubstr("expected column \"objects\""));
}

// 100 samples, `right` of them right.
Scoring RunWith(int right) {
  Scoring run("accuracy");
  for (int i = 0; i < 100; ++i) run.Add(i < right ? "yes" : "no", {{"answer", "yes"}});
  return run;
}

TEST(Bootstrap, IntervalsAreAsWideAsTheBinomialsAndTheSameForASeed) {
  const Scoring run = RunWith(80);
  const Interval interval = BootstrapIntervals(run.scored(), {2000, 7}).at("accuracy");
  EXPECT_NEAR(interval.low, 0.72, 0.021);
  EXPECT_NEAR(interval.high, 0.87, 0.021);
  const Interval again = BootstrapIntervals(run.scored(), {2000, 7}).at("accuracy");
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
}

TEST(Bootstrap, APairedTestFindsADifferenceAndNothingWhereNothingMoved) {
  const Scoring a = RunWith(80), b = RunWith(90), same = RunWith(80);
  const auto moved = ComparePaired(a.scored(), b.scored(), {})->at("accuracy");
  EXPECT_NEAR(moved.difference, 0.1, 1e-12);
  EXPECT_EQ(moved.higher, 10);
  EXPECT_EQ(moved.lower, 0);
  EXPECT_LT(moved.p, 0.01);
  EXPECT_GT(moved.interval.low, 0);
  const auto still = ComparePaired(a.scored(), same.scored(), {})->at("accuracy");
  EXPECT_EQ(still.difference, 0);
  EXPECT_EQ(still.interval.low, 0);
  EXPECT_EQ(still.interval.high, 0);
  EXPECT_EQ(still.p, 1);
}

TEST(Bootstrap, AFewSamplesThatMovedOneWayProveNoMoreThanAnExactTestSays) {
  for (const int moved : {1, 2, 3, 5}) {
    const auto difference =
        ComparePaired(RunWith(80).scored(), RunWith(80 + moved).scored(), {})->at("accuracy");
    EXPECT_EQ(difference.moved_units, moved);
    EXPECT_GE(difference.p, std::pow(0.5, moved - 1)) << moved;
  }
}

TEST(Bootstrap, SamplesOfAGroupAreDrawnTogether) {
  Scoring metric("consistency");
  for (int i = 0; i < 40; ++i) {
    metric.Add(i < 20 ? "yes" : "no", {{"answer", "yes"}, {"group", std::to_string(i / 20)}});
  }
  // Two groups, one right: a resample has none, one or both of it.
  const Interval interval = BootstrapIntervals(metric.scored(), {}).at("consistency");
  EXPECT_EQ(interval.low, 0);
  EXPECT_EQ(interval.high, 1);
}

TEST(Calibration, TheExpectedErrorAndWhatAbstainingGains) {
  // Two bins: 0.9 twice with one right, 0.2 twice with none right.
  const Calibration calibration = Calibrate({0.9, 0.9, 0.2, 0.2}, {1, 0, 0, 0});
  EXPECT_NEAR(calibration.expected_error, (2 * 0.4 + 2 * 0.2) / 4, 1e-12);
  EXPECT_EQ(calibration.bins[8].count, 2);
  ASSERT_EQ(calibration.abstentions.size(), 2u);
  EXPECT_EQ(calibration.abstentions[0].coverage, 1);
  EXPECT_EQ(calibration.abstentions[0].right, 0.25);
  EXPECT_EQ(calibration.abstentions[1].threshold, 0.9);
  EXPECT_EQ(calibration.abstentions[1].coverage, 0.5);
  EXPECT_EQ(calibration.abstentions[1].right, 0.5);
  EXPECT_EQ(Calibrate({}, {}).expected_error, 0);
}

}  // namespace
}  // namespace unival
