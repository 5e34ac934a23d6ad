// What is known of an evaluation from its answers alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "training/evaluation/constant_answer.h"
#include "training/evaluation/unseen_answers.h"

namespace unival {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// The share of right answers, in all and per kind.
class ShareOfRight : public Metric {
 public:
  absl::Status Add(const TaskSample& reference, const Prediction& said) override {
    const auto text = [&](const char* name) {
      return std::get<std::string>(reference.fields.at(name));
    };
    for (const std::string& name : {std::string("accuracy"), "accuracy/kind=" + text("kind")}) {
      ++asked_[name];
      right_[name] += said.text == text("answer") ? 1 : 0;
    }
    return absl::OkStatus();
  }
  void AddFailure(const TaskSample&) override {}
  std::map<std::string, double> Result() const override {
    std::map<std::string, double> shares;
    for (const auto& [name, count] : asked_) shares[name] = right_.at(name) / count;
    return shares;
  }

 private:
  std::map<std::string, double> asked_, right_;
};

// Its tokens are the letters of the answer.
class Spelled : public Task {
 public:
  const TaskInfo& info() const override { return info_; }
  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode,
                                             uint64_t) const override {
    Seq2SeqExample example;
    const auto& text = std::get<std::string>(sample.fields.at("answer"));
    example.target.assign(text.begin(), text.end());
    example.target.push_back(0);
    return example;
  }
  absl::StatusOr<Prediction> Interpret(const TaskSample&, const Hypothesis& best) const override {
    Prediction prediction;
    prediction.text.assign(best.tokens.begin(), best.tokens.end());
    return prediction;
  }
  std::unique_ptr<Metric> NewMetric() const override { return std::make_unique<ShareOfRight>(); }

 private:
  const TaskInfo info_;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;  // (kind, answer)

class Rows : public Source {
 public:
  explicit Rows(Pairs rows) : rows_(std::move(rows)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override {
    const auto& [kind, answer] = rows_[static_cast<size_t>(index)];
    return TaskSample{"k", {{"kind", kind}, {"answer", answer}}};
  }
  absl::StatusOr<DataIdentity> Identity(bool) const override { return DataIdentity(); }
  std::string fingerprint() const override { return ""; }

 private:
  const std::string path_ = "rows";
  const Pairs rows_;
};

TEST(ConstantAnswer, AKindIsReadBesideItsOwnMostFrequentAnswer) {
  const Rows rows(Pairs{{"is", "yes"},
                        {"is", "yes"},
                        {"is", "no"},
                        {"count", "two"},
                        {"count", "one"},
                        {"count", "two"},
                        {"is", "yes"},
                        {"count", "two"}});
  const auto constant = ScoreConstantAnswer(Spelled(), rows).value().value();
  EXPECT_EQ(constant.metrics.at("accuracy/kind=is"), 0.75);
  EXPECT_EQ(constant.metrics.at("accuracy/kind=count"), 0.75);
  EXPECT_EQ(constant.metrics.at("accuracy"), 0.375);
  EXPECT_EQ(constant.TextOf("accuracy"), constant.text);
  EXPECT_EQ(constant.TextOf("accuracy/kind=count"), "two");
  EXPECT_THAT(constant.text_of_kind, UnorderedElementsAre(Pair("is", "yes"), Pair("count", "two")));
}

TEST(UnseenAnswers, AreCountedOverTheRecordsOfTheTest) {
  const Rows train(Pairs{{"", "one"}, {"", "two"}}),
      test(Pairs{{"", "two"}, {"", "six"}, {"", "ten"}});
  const auto unseen = CountUnseenAnswers(Spelled(), train, test).value();
  EXPECT_EQ(UnseenText(unseen), "2 of 3 test answers never occur in training, such as \"six\"");
  EXPECT_EQ(CountUnseenAnswers(Spelled(), test, train).value().records, 1);
  EXPECT_EQ(CountUnseenAnswers(Spelled(), train, train).value().records, 0);
}

TEST(UnseenAnswers, NothingIsSaidOfASourceThatIsNotReadWhole) {
  const Rows train(Pairs{{"", "one"}, {"", "two"}}), test(Pairs{{"", "six"}}), empty(Pairs{});
  EXPECT_EQ(CountUnseenAnswers(Spelled(), train, test, /*most=*/1).value().records, 0);
  EXPECT_EQ(CountUnseenAnswers(Spelled(), empty, test).value().records, 0);
}

}  // namespace
}  // namespace unival
