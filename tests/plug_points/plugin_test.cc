// Metrics and a network of a plugin that the loader opens. The metrics are named in a template,
// reported by evaluation, and ranked by their description; the network is named in a modality's
// configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "modalities/io/decoder.h"
#include "runtime/pipeline.h"
#include "sdk/base/text_format.h"
#include "tasks/metrics/bootstrap.h"
#include "tasks/metrics/scored_metric.h"
#include "training/data/read/source.h"
#include "training/evaluation/evaluate.h"
#include "training/evaluation/main_metric.h"
#include "training/evaluation/prompt_scores.h"
#include "training/report/evaluation_report.h"

namespace unival {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Key;

constexpr char kPlugin[] = "tests/plug_points/libextras.so";

std::string Written(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path) << text;
  return path;
}

std::string Templates() {
  return Written("brief.textproto",
                 "task { name: \"copy\" prompt: \" {a}\" target: \" {b}\" metric: \"brevity\" "
                 "generation { max_tokens: 4 } }");
}

absl::StatusOr<std::unique_ptr<Pipeline>> Open(const std::vector<std::string>& plugins) {
  PipelineOptions options;
  options.model = "models/nano";
  options.templates = {Templates()};
  options.task = "copy";
  options.runtime.plugins = plugins;
  options.runtime.threads = 1;
  return Pipeline::Create(options);
}

TEST(MetricOfAPlugin, IsReportedByEvaluation) {
  auto pipeline = Open({kPlugin});
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  SourceOptions options;
  // At most four tokens are at most four words; no answer is shorter than no words.
  options.path = Written("records.jsonl",
                         "{\"a\": \"one\", \"b\": \"one two three four\"}\n"
                         "{\"a\": \"two\", \"b\": \"five six seven eight\"}\n");
  const auto source = OpenSource(options);
  ASSERT_TRUE(source.ok()) << source.status();
  const auto result = Evaluate(**pipeline, "copy", **source, {});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->metrics, Contains(Key("brevity")));
  EXPECT_EQ(result->metrics.at("brevity"), 1);
  EXPECT_EQ(result->samples, 2);
  EXPECT_EQ(result->scores.Label("brevity"), "brevity (words at blanks)");
}

// A template with one metric for which less is better. One reference has eight words, the other
// none.
class ErrorsOfAPlugin : public testing::Test {
 protected:
  void SetUp() override {
    PipelineOptions options;
    options.model = "models/nano";
    options.templates = {
        Written("excess.textproto",
                "task { name: \"copy\" prompt: \" {a}\" paraphrase: \" say {a}\" target: \" {b}\" "
                "metric: \"excess\" generation { min_tokens: 3 max_tokens: 3 } }")};
    options.task = "copy";
    options.runtime.plugins = {kPlugin};
    options.runtime.threads = 1;
    auto pipeline = Pipeline::Create(options);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    pipeline_ = *std::move(pipeline);
    SourceOptions source;
    source.path = Written("excess.jsonl",
                          "{\"a\": \"one\", \"b\": \"\"}\n"
                          "{\"a\": \"two\", \"b\": \"one two three four five six seven eight\"}\n");
    auto opened = OpenSource(source);
    ASSERT_TRUE(opened.ok()) << opened.status();
    source_ = *std::move(opened);
  }

  EvaluationResult Evaluated(int tokens) {
    EvaluationOptions options;
    options.keep_metric = true;
    options.bootstrap.resamples = 20;
    options.generation.set_min_tokens(tokens);
    options.generation.set_max_tokens(tokens);
    auto result = Evaluate(*pipeline_, "copy", *source_, options);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : EvaluationResult();
  }

  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Source> source_;
};

TEST_F(ErrorsOfAPlugin, JudgeByWhatTheMetricSaysOfItself) {
  const EvaluationResult result = Evaluated(3);
  EXPECT_GT(result.metrics.at("excess"), 0) << "three tokens, and no word is right";
  EXPECT_EQ(*MainMetric(result, ""), "excess");
  EXPECT_TRUE(result.scores.IsBetter("excess", 0.5, 2));
  EXPECT_TRUE(result.scores.LessIsBetter("excess/kind=noisy"));
  EXPECT_THAT(result.intervals, Contains(Key("excess")));
}

TEST_F(ErrorsOfAPlugin, AreWorstOfSeveralPromptsWhereTheyAreMost) {
  const auto prompts = ScorePrompts(*pipeline_, "copy", *source_, {});
  ASSERT_TRUE(prompts.ok()) << prompts.status();
  ASSERT_EQ(prompts->size(), 2u);
  std::vector<PromptScores> scores = *prompts;
  scores[0].result.metrics["excess"] = 1;
  scores[1].result.metrics["excess"] = 3;
  EXPECT_EQ(SpreadOf(scores).at("excess").worst, 3);
}

TEST_F(ErrorsOfAPlugin, AreComparedSoThatMoreOfThemAreWorse) {
  const EvaluationResult few = Evaluated(1), many = Evaluated(8);
  ASSERT_LT(few.metrics.at("excess"), many.metrics.at("excess"));
  const auto differences = ComparePaired(*AsScored(few.metric.get()), *AsScored(many.metric.get()),
                                         {/*resamples=*/20}, few.scores);
  ASSERT_TRUE(differences.ok()) << differences.status();
  const PairedDifference& excess = differences->at("excess");
  EXPECT_EQ(excess.higher, 1);
  EXPECT_EQ(excess.worse(), 1) << "what was forgotten";
  EXPECT_EQ(excess.better(), 0);
}

TEST_F(ErrorsOfAPlugin, SortThePageSoThatTheMostIsTheWorst) {
  const EvaluationResult result = Evaluated(3);
  const std::unique_ptr<MediaDecoder> decoder = NewFfmpegDecoder();
  const auto html = report::RenderEvaluation(
      {"models/nano", "excess.jsonl", *pipeline_->task("copy"), &result}, *source_, *decoder);
  ASSERT_TRUE(html.ok()) << html.status();
  const size_t worst = html->find("Worst by excess (less is better)");
  const size_t best = html->find("Best by excess (less is better)");
  ASSERT_NE(worst, std::string::npos) << *html;
  ASSERT_NE(best, std::string::npos) << *html;
  EXPECT_LT(html->find("excess.jsonl:1", worst), html->find("excess.jsonl:2", worst));
  EXPECT_LT(html->find("excess.jsonl:2", best), html->find("excess.jsonl:1", best));
}

TEST(MetricOfAPlugin, IsUnknownWithoutThePlugin) {
  const auto pipeline = Open({});
  EXPECT_THAT(std::string(pipeline.status().message()),
              testing::AllOf(HasSubstr("brief.textproto:1: task \"copy\": metric:0: unknown metric "
                                       "\"brevity\"; known: accuracy, bleu"),
                             HasSubstr("load the plugin with --plugin FILE")));
}

TEST(MetricOfAPlugin, IsListedWithThePluginThatItIsFrom) {
  RuntimeOptions options;
  options.plugins = {kPlugin};
  const auto runtime = Runtime::Create(options);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  std::map<std::string, std::string> origins;
  for (const Registry::Entry& entry : (*runtime)->registry().List()) {
    origins[absl::StrCat(entry.kind, " ", entry.type)] = entry.origin;
  }
  EXPECT_EQ(origins["metric bleu"], "built-in");
  EXPECT_EQ(origins["network resnet"], "built-in");
  EXPECT_THAT(origins["metric brevity"], HasSubstr("extras 1.0.0"));
  EXPECT_THAT(origins["network rows"], HasSubstr("extras 1.0.0"));
}

TEST(NetworkOfAPlugin, ServesTheImageModality) {
  RuntimeOptions options;
  options.plugins = {kPlugin};
  const auto runtime = Runtime::Create(options);
  ASSERT_TRUE(runtime.ok()) << runtime.status();
  ModalityConfig config;
  ASSERT_TRUE(ParseTextProto("id: \"image\" image { width: 8 height: 8 } "
                             "encoder { named { network: \"rows\" } }",
                             "test", &config)
                  .ok());
  const auto image = (*runtime)->registry().CreateModality(config, (*runtime)->services());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->info().feature_schema, "rows-4-8x8/1");
}

// When the plugin of a template's metric is not loaded, the model's other tasks must still work.
TEST(MetricOfAPlugin, ThatIsAwayLeavesAModelsOtherTasksUsable) {
  const std::string folder = absl::StrCat(testing::TempDir(), "/stored");
  {
    RuntimeOptions options;
    options.plugins = {kPlugin};
    options.threads = 1;
    const auto runtime = Runtime::Create(options);
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    const auto set = ParseTemplateSet(
        "task { name: \"copy\" prompt: \" {a}\" target: \" {b}\" metric: \"brevity\" } "
        "task { name: \"plain\" prompt: \" {a}\" target: \" {b}\" metric: \"accuracy\" }",
        "brief.textproto", ".", (*runtime)->template_types());
    ASSERT_TRUE(set.ok()) << set.status();
    auto model = Model::Load("models/nano", **runtime, {});
    ASSERT_TRUE(model.ok()) << model.status();
    (*model)->AddTemplates("brief.textproto", std::make_shared<const LoadedTemplateSet>(*set));
    const absl::Status saved = (*model)->Save(folder, Lineage(), /*half=*/false);
    ASSERT_TRUE(saved.ok()) << saved;
  }
  PipelineOptions options;
  options.model = folder;
  options.runtime.threads = 1;
  const auto pipeline = Pipeline::Create(options);
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  EXPECT_TRUE((*pipeline)->task("plain").ok());
  EXPECT_THAT(std::string((*pipeline)->task("copy").status().message()),
              HasSubstr("unknown metric \"brevity\""));
}

}  // namespace
}  // namespace unival
