#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "sdk/base/test_files.h"
#include "training/evaluation/evaluate.h"
#include "training/run/trainable.h"
#include "training/trainer_tests.h"

namespace unival::trainer_tests {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TrainerTest, WritesModelLogReceiptAndResults) {
  const std::string base = World() + "/base";
  for (const char* name : {"plan.textproto", "run.json", "log.jsonl", "receipt.json",
                           "results.json", "results/caption.jsonl", "model/manifest.textproto"}) {
    EXPECT_TRUE(fs::exists(base + "/" + name)) << name;
  }
  const std::vector<Json> log = Log("base");
  ASSERT_EQ(log.size(), 6u);
  EXPECT_EQ(log[5].at("step"), 6);
  EXPECT_GT(log[5].at("tokens_per_second"), 0);
  EXPECT_EQ(log[0].at("source_loss").size(), 1u) << "the second source is locked at first";
  EXPECT_EQ(log[5].at("source_loss").size(), 2u);
  const Json results = Json::parse(ReadText(base + "/results.json"));
  EXPECT_EQ(results.at("evaluations").at("caption").at("samples"), 4);
  EXPECT_EQ(results.at("seed"), 3);
  EXPECT_GT(results.at("trainable_parameters"), 1000);
}

TEST(TrainerTest, LearnsToCaptionItsTrainingData) {
  TrainingPlan plan = Parse(kFreshPlan);
  plan.mutable_stage(0)->set_steps(80);
  plan.mutable_stage(0)->set_batch(12);
  plan.mutable_stage(0)->set_micro_batches(1);
  plan.mutable_stage(0)->mutable_source()->DeleteSubrange(1, 1);
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(5e-3f);
  plan.mutable_evaluation(0)->set_limit(0);
  TrainResult result = TrainOk(Options(World(), plan, FreshOutput("learned")));
  EXPECT_GT(result.evaluations["caption"].metrics["exact_match"], 0.9);
}

TEST(TrainerTest, AModuleWithoutTrainableParametersIsInEvaluationMode) {
  auto model = Model::Load(World() + "/base/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  auto set = SelectTrainable(**model, {"connection:image"});
  ASSERT_TRUE(set.ok()) << set.status();
  (*model)->SetTraining(true);
  ApplyTrainable(**model, *set);
  for (const NamedTensor& entry : (*model)->State()) {
    if (entry.is_buffer) continue;
    EXPECT_EQ(entry.tensor.requires_grad(), set->Contains(entry.name)) << entry.name;
  }
  EXPECT_TRUE(set->Touches("connection.image."));
  EXPECT_FALSE(set->Touches("modality.image."));
}

TEST(TrainerTest, RefusesPatternsThatSelectNothing) {
  auto model = Model::Load(World() + "/base/model", TheRuntime());
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(SelectTrainable(**model, {"connection:depth"}).status().message(),
              HasSubstr("connection.image"));
  EXPECT_THAT(SelectTrainable(**model, {"everything"}).status().message(), HasSubstr("\"all\""));
  EXPECT_THAT(SelectTrainable(**model, {"name:("}).status().message(),
              HasSubstr("regular expression"));
  EXPECT_TRUE(SelectTrainable(**model, {"name:backbone\\.encoder\\..*bias"}).ok());
}

std::vector<double> LearningRates(const std::string& output) {
  std::vector<double> rates;
  for (const Json& line : Log(output)) rates.push_back(line.at("learning_rate"));
  return rates;
}

// tests/plug_points/ has an optimizer and a schedule, each in a file of its own.
TEST(TrainerTest, AnOptimizerAndAScheduleFromElsewhereTrainThroughAPlan) {
  TrainingPlan plan = Parse(kAdapterPlan);
  OptimizerPlan* optimizer = plan.mutable_stage(0)->mutable_optimizer();
  optimizer->set_type("signum");
  (*optimizer->mutable_option())["momentum"] = 0.5;
  optimizer->set_schedule("halving");
  (*optimizer->mutable_schedule_option())["every"] = 4;
  optimizer->set_learning_rate(0.0078125f);
  TrainOk(Options(World(), plan, FreshOutput("signum")));
  EXPECT_GT(Losses("signum").front(), Losses("signum").back());
  const double r = 0.0078125;
  EXPECT_THAT(LearningRates("signum"),
              ElementsAre(r, r, r, r, r / 2, r / 2, r / 2, r / 2, r / 4, r / 4, r / 4, r / 4));
  TrainOptions options = Options(World(), plan, FreshOutput("signum_stopped"));
  options.stop_after_step = 5;
  TrainOk(options);
  options.stop_after_step = 0;
  options.resume = true;
  TrainOk(options);
  EXPECT_EQ(After("signum"), After("signum_stopped"));
}

TEST(TrainerTest, AnExplicitZeroIsNotTheDefault) {
  TrainingPlan plan = Parse(kAdapterPlan);
  Stage* stage = plan.mutable_stage(0);
  *stage->add_source() = stage->source(0);
  stage->mutable_source(1)->set_name("none");
  stage->mutable_source(1)->set_weight(0);
  stage->set_log_every(0);
  TrainOk(Options(World(), plan, FreshOutput("zero_weight")));
  const std::vector<Json> log = Log("zero_weight");
  ASSERT_EQ(log.size(), 1u) << "the last step alone";
  EXPECT_EQ(log[0].at("source_loss").count("none"), 0u);
  plan = Parse(kAdapterPlan);
  TrainOk(Options(World(), plan, FreshOutput("default_beta")));
  plan.mutable_stage(0)->mutable_optimizer()->set_beta1(0);
  TrainOk(Options(World(), plan, FreshOutput("zero_beta")));
  EXPECT_NE(After("default_beta"), After("zero_beta"));
}

TEST(TrainerTest, NamesTheFieldOfAPlanThatDoesNotFitModelOrData) {
  struct Case {
    const char* expected;
    std::function<void(TrainingPlan*)> spoil;
  };
  const std::vector<Case> cases = {
      {"stage[0].source[0].task: ",
       [](TrainingPlan* p) { p->mutable_stage(0)->mutable_source(0)->set_task("sing"); }},
      {"stage[0].source[0]: ",
       [](TrainingPlan* p) { p->mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl"); }},
      {"stage[0]: trainable",
       [](TrainingPlan* p) { p->mutable_stage(0)->set_trainable(0, "modality:depth"); }},
      {"stage[0].source[0]: task \"copy\" (text only) reaches none of the parameters that the "
       "stage "
       "trains (connection:image)",
       [](TrainingPlan* p) {
         p->mutable_stage(0)->mutable_source(0)->set_task("copy");
         p->mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl");
       }},
      {"stage[0].source[0]: task \"copy\" (text only) reaches none of the parameters that the "
       "stage trains (name:backbone.encoder.image_rel_pos_table_list.*)",
       [](TrainingPlan* p) {
         p->mutable_stage(0)->set_trainable(0, "name:backbone.encoder.image_rel_pos_table_list.*");
         p->mutable_stage(0)->mutable_source(0)->set_task("copy");
         p->mutable_stage(0)->mutable_source(0)->set_path("copy.jsonl");
       }},
      {"plugin[0]: ", [](TrainingPlan* p) { p->add_plugin("depth"); }},
      {"reset: ", [](TrainingPlan* p) { p->add_reset("modality.depth"); }},
      {"new_modality[0]: ",
       [](TrainingPlan* p) { p->add_new_modality()->mutable_modality()->set_id("image"); }},
  };
  for (const Case& test : cases) {
    TrainingPlan plan = Parse(kAdapterPlan);
    test.spoil(&plan);
    const absl::Status status =
        Train(Options(World(), plan, FreshOutput("unfit")), TheRuntime()).status();
    EXPECT_FALSE(status.ok()) << test.expected;
    EXPECT_THAT(status.message(), HasSubstr(test.expected));
  }
}

// Rows of the token embedding by the text of their piece.
std::map<std::string, at::Tensor> RowsByText(const Model& model) {
  std::map<std::string, at::Tensor> rows;
  for (const NamedTensor& entry : model.State()) {
    if (entry.name != "backbone.encoder.embed_tokens.weight") continue;
    for (int64_t id = 0; id < model.vocabulary().size(); ++id) {
      const std::string text = model.vocabulary().DecodeText({id}).value();
      if (!text.empty()) rows[text] = entry.tensor[id];
    }
  }
  return rows;
}

double MeanSquare(const std::map<std::string, at::Tensor>& rows) {
  double sum = 0;
  for (const auto& entry : rows) sum += entry.second.square().mean().item<double>();
  return sum / static_cast<double>(rows.size());
}

TEST(TrainerTest, AFreshModelStartsFromAnotherWithAnotherTokenizer) {
  std::string corpus;
  for (const char* text : {" red", " green", " blue", " yellow", " copy: red"})
    for (int i = 0; i < 20; ++i) absl::StrAppend(&corpus, text, "\n");
  // No piece of the parent has capitals: each letter is a piece of its own, and fresh.
  for (char letter = 'A'; letter <= 'Z'; ++letter)
    absl::StrAppend(&corpus, " ", std::string(3, letter), "\n");
  fs::create_directories(World() + "/other_tokenizer");
  TokenizerTraining training;
  training.corpus = WriteText(World() + "/other.txt", corpus);
  training.output = World() + "/other_tokenizer/tokenizer.model";
  training.vocabulary_size = 80;
  ASSERT_TRUE(TheRuntime().registry().TrainTokenizer("sentencepiece", training).ok());
  TrainingPlan plan = Parse(kFreshPlan);
  plan.set_tokenizer_directory("other_tokenizer");
  plan.set_start_from("base/model");
  plan.mutable_stage(0)->set_steps(1);
  plan.mutable_stage(0)->mutable_source(1)->clear_unlock_step();
  plan.mutable_stage(0)->mutable_optimizer()->set_learning_rate(1e-20f);
  TrainOk(Options(World(), plan, FreshOutput("from_another")));
  auto parent = Model::Load(World() + "/base/model", TheRuntime());
  auto child = Model::Load(World() + "/from_another/model", TheRuntime());
  ASSERT_TRUE(parent.ok()) << parent.status();
  ASSERT_TRUE(child.ok()) << child.status();
  std::map<std::string, at::Tensor> of_parent;
  for (const NamedTensor& entry : (*parent)->State()) of_parent[entry.name] = entry.tensor;
  for (const NamedTensor& entry : (*child)->State()) {
    const bool fits = of_parent.at(entry.name).sizes() == entry.tensor.sizes();
    if (fits && !entry.is_buffer) {
      const at::Tensor moved = (of_parent.at(entry.name) - entry.tensor).abs();
      EXPECT_LE(moved.max().item<double>(), 1e-15) << entry.name;
    }
  }
  const auto before = RowsByText(**parent), after = RowsByText(**child);
  std::map<std::string, at::Tensor> taken, fresh;
  for (const auto& [text, row] : after) {
    (before.count(text) > 0 ? taken : fresh)[text] = row;
    if (before.count(text) > 0) {
      EXPECT_TRUE(row.equal(before.at(text))) << text;
    }
  }
  EXPECT_GT(taken.size(), 5u);
  ASSERT_GT(fresh.size(), 2u);
  EXPECT_NEAR(MeanSquare(fresh), MeanSquare(taken), 0.1 * MeanSquare(taken));
  EXPECT_EQ((*child)->manifest().lineage(0).parent_backbone_sha256(),
            (*parent)->BackboneHash().value());
}

TEST(TrainerTest, AFrozenLanguageModelIsAskedWhetherItCanSayTheTargets) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_steps(1);
  *plan.add_evaluation() = Parse(kFreshPlan).evaluation(0);
  TrainOptions options = Options(World(), plan, FreshOutput("asked"));
  options.quiet = false;
  ::testing::internal::CaptureStderr();
  TrainResult result = TrainOk(options);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("cannot repeat 3 of 3 target texts"));
  EXPECT_THAT(said, HasSubstr("\"green\" (it says"));
  EXPECT_THAT(said, HasSubstr("trainable: \"backbone\""));
  // After one step nothing is right; the result says what the constant answer gets, and why.
  const EvaluationResult& caption = result.evaluations["caption"];
  ASSERT_TRUE(caption.constant);
  EXPECT_EQ(caption.constant->text, "red");
  EXPECT_EQ(caption.constant->metrics.at("exact_match"), 0.5);
  EXPECT_THAT(caption.diagnosis, HasSubstr("always answering \"red\" (0.500)"));
  EXPECT_THAT(caption.diagnosis, HasSubstr("the language model cannot say them"));
  EXPECT_THAT(said, HasSubstr(caption.diagnosis));
  const Json results = Json::parse(ReadText(World() + "/asked/results.json"));
  EXPECT_EQ(results.at("evaluations").at("caption").at("constant").at("answer"), "red");

  // What is wrong is said without progress too.
  ::testing::internal::CaptureStderr();
  result = TrainOk(Options(World(), plan, FreshOutput("asked_quietly")));
  const std::string quietly = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(quietly, HasSubstr("warning: evaluation \"caption\": "));
  EXPECT_THAT(quietly, Not(HasSubstr("stage \"")));

  plan.mutable_stage(0)->set_trainable(0, "backbone");
  TrainOptions trains = Options(World(), plan, FreshOutput("not_asked"));
  trains.quiet = false;
  ::testing::internal::CaptureStderr();
  TrainOk(trains);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("cannot repeat")));
}

TEST(TrainerTest, TrainsInBfloat16) {
  TrainingPlan plan = Parse(kAdapterPlan);
  plan.mutable_stage(0)->set_precision("bfloat16");
  TrainOk(Options(World(), plan, FreshOutput("bfloat16")));
  const std::vector<double> exact = Losses("uncached"), reduced = Losses("bfloat16");
  ASSERT_EQ(reduced.size(), 12u);
  EXPECT_NE(exact, reduced);
  for (size_t i = 0; i < exact.size() && i < reduced.size(); ++i)
    EXPECT_NEAR(exact[i], reduced[i], 0.1);
}

}  // namespace

// trainer_checkpoint_test.cc
int TrainChild(const std::string& folder, const std::string& output, const std::string& cache);

}  // namespace unival::trainer_tests

int main(int argc, char** argv) {
  if (argc == 5 && std::string(argv[1]) == "--train-child")
    return unival::trainer_tests::TrainChild(argv[2], argv[3], argv[4]);
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
