// Users' own data: columns for metrics, folders with any name, sampled answers, records with two
// pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTasks[] = R"(name: "own"
task {
  name: "agrees"
  input { name: "image" modality: "image" }
  prompt: " {sentence:text}"
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: "no" }
  metric: "accuracy"
  metric: "consistency"
}
task {
  name: "describe"
  input { name: "image" modality: "image" }
  prompt: " what does the image describe?"
  target: " {sentence:text}"
  generation { max_tokens: 12 }
  metric: "chair"
}
task {
  name: "relation"
  input { name: "image" modality: "image" }
  input { name: "second" modality: "image" }
  prompt: " what do both describe?"
  target: " {sentence:text}"
  generation { max_tokens: 12 }
}
task {
  name: "kind"
  input { name: "image" modality: "image" }
  prompt: " what is it?"
  target: " {class:text}"
  metric: "accuracy"
}
)";

// Pictures own/0.png to own/5.png of the tiny workplace, with the tasks above.
const Program& Own() {
  static const Program* const kProgram = [] {
    const Program& program = TinyWorkplace();
    const Outcome made = program.Shell(
        "mkdir -p own && cd own && tar -xf ../data/image/train/images.tar && "
        "for i in 0 1 2 3 4 5; do mv 00000$i.png $i.png; done");
    EXPECT_EQ(made.code, 0) << made.err;
    WriteText(program.Path("own/own.textproto"), kTasks);
    return &program;
  }();
  return *kProgram;
}

std::string PredictOf(const std::string& task) {
  return "predict models/tiny --templates own/own.textproto --task " + task + " ";
}

std::string EvalOf(const std::string& task) {
  return "eval models/tiny --templates own/own.textproto --data own/records.jsonl --task " + task +
         " ";
}

// Six records with both answers; the first `count` of them contain `more`.
void WriteRecords(const std::string& more, int count) {
  std::string records;
  for (int i = 0; i < 6; ++i) {
    records += "{\"image\": \"" + std::to_string(i) + ".png\", \"sentence\": \"a red circle" +
               std::string(i / 2, 's') + "\", \"answer\": \"" + (i % 2 == 0 ? "yes" : "no") + "\"" +
               (i < count ? more : "") + "}\n";
  }
  WriteText(Own().Path("own/records.jsonl"), records);
}

TEST(MetricColumns, OneThatIsMissingIsNamedBeforeAnythingIsAnswered) {
  WriteRecords(R"(, "group": "a", "objects": ["dog"])", 4);
  for (const auto& [task, metric, column] :
       {std::tuple("agrees", "consistency", "group"), std::tuple("describe", "chair", "objects")}) {
    const Outcome outcome = Own().Run(EvalOf(task) + "--predictions own/answers.jsonl");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("own/records.jsonl: task \"" + std::string(task) + "\""),
                      HasSubstr("its metric " + std::string(metric) + " needs column \"" + column),
                      HasSubstr("2 of 6 records lack, the first: records.jsonl:5"),
                      HasSubstr("--column " + std::string(column) + "=COLUMN")));
    EXPECT_THAT(outcome.err, Not(HasSubstr("evaluating")));
    EXPECT_FALSE(fs::exists(Own().Path("own/answers.jsonl")));
  }
  WriteRecords(R"(, "objects": "dog")", 6);
  const Outcome wrong_type = Own().Run(EvalOf("describe"));
  EXPECT_EQ(wrong_type.code, 1);
  EXPECT_THAT(wrong_type.err, HasSubstr("\"objects\" with a list of texts, which 6 of 6"));
}

TEST(References, OneThatIsMissingIsNamedWithItsFileBeforeAnythingIsAnswered) {
  WriteText(Own().Path("own/lacking.jsonl"),
            "{\"image\": \"0.png\"}\n"
            "{\"image\": \"1.png\", \"class\": \"a circle\"}\n"
            "{\"image\": \"2.png\", \"klass\": \"a square\"}\n");
  const std::string ask = "--templates own/own.textproto --task kind --data own/lacking.jsonl ";
  const std::string eval = "eval models/tiny " + ask;
  for (const std::string& command :
       {eval + "--predictions own/none.jsonl", eval + "--compare models/tiny",
        "merge front models/tiny models/tiny --allow_unrelated --grid 2 -o own/merged " + ask}) {
    const Outcome outcome = Own().Run(command);
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("own/lacking.jsonl: task \"kind\""), HasSubstr("2 of 3"),
                      HasSubstr("lacking.jsonl:1"), HasSubstr("\"class\""), HasSubstr("--column "),
                      Not(HasSubstr("evaluating"))))
        << command;
  }
  EXPECT_FALSE(fs::exists(Own().Path("own/none.jsonl")));
  EXPECT_FALSE(fs::exists(Own().Path("own/merged")));
}

TEST(MetricColumns, OneThatTheTaskReadsTooKeepsItsOwnName) {
  WriteRecords(", \"number\": 7", 6);
  for (const char* column : {"sentence", "number"}) {
    const Outcome outcome = Own().Run(EvalOf("agrees") + "--json --column group=" + column);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(json::parse(outcome.out)["metrics"].contains("consistency")) << outcome.out;
  }
  EXPECT_EQ(Own().Run(EvalOf("agrees") + "--column group=sentence --predictions own/a.jsonl").code,
            0);
  const Outcome scored = Own().Run("score own/a.jsonl --metrics consistency");
  EXPECT_EQ(scored.code, 0) << scored.err;
  EXPECT_EQ(Own().Run(PredictOf("agrees") + "own/records.jsonl --column group=sentence").code, 0);
  const Outcome lacks = Own().Run("score own/a.jsonl --metrics chair");
  EXPECT_EQ(lacks.code, 1);
  EXPECT_THAT(lacks.err, AllOf(HasSubstr("chair needs \"objects\""), Not(HasSubstr("--column"))));
}

// `measure`: the tasks, with their records.
Outcome MergeFront(const std::string& measure) {
  return Own().Run(
      "merge front models/tiny models/tiny --allow_unrelated --grid 2 --templates "
      "own/own.textproto -o own/merged " +
      measure);
}

TEST(MetricColumns, AMergeIsRefusedBeforeItsFirstCandidate) {
  WriteRecords("", 6);
  const std::string good = "--task kind --data own/kinds.jsonl ";
  WriteText(Own().Path("own/kinds.jsonl"), "{\"image\": \"0.png\", \"class\": \"a circle\"}\n");
  const Outcome refused = MergeFront(good + "--task agrees --data own/records.jsonl");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("own/records.jsonl: task \"agrees\": its metric consistency needs"),
                    Not(HasSubstr("lambda"))))
      << "before the first candidate is made";
  EXPECT_FALSE(fs::exists(Own().Path("own/merged")));
}

TEST(MetricColumns, APlanIsRefusedBeforeItsFirstStep) {
  WriteRecords("", 6);
  const auto train = [](const std::string& columns) {
    WriteText(Own().Path("own/plan.textproto"),
              "name: \"own\" model: \"../models/tiny\" templates: \"own.textproto\"\n"
              "stage { name: \"s\" trainable: \"connection:image\" steps: 1 batch: 2\n"
              "  optimizer { learning_rate: 1e-3 schedule: \"constant\" clip_norm: 1 }\n"
              "  source { name: \"a\" task: \"agrees\" path: \"records.jsonl\" } }\n"
              "evaluation { name: \"a\" task: \"agrees\" path: \"records.jsonl\" " +
                  columns + "}\n");
    fs::remove_all(Own().Path("own/run"));
    return Own().Run("train own/plan.textproto --output own/run");
  };
  const Outcome refused = train("");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("evaluation[0]"), HasSubstr("records.jsonl"), HasSubstr("\"agrees\""),
                    HasSubstr("consistency"), HasSubstr("columns { key: \"group\"")));
  EXPECT_FALSE(fs::exists(Own().Path("own/run/checkpoint")));
  const Outcome trained = train("columns { key: \"group\" value: \"sentence\" }");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("consistency"));
}

TEST(OwnFolder, ItsNamesMayHaveBlanksAndAnyLetters) {
  const Outcome made = Own().Shell(
      "cd own && mkdir -p 'my photos/large star' 'my photos/été_long' 'my photos/it'\"'\"'s' && "
      "cp 0.png 'my photos/large star/a b.png' && cp 1.png 'my photos/été_long/ü.png' && "
      "cp 2.png 'my photos/it'\"'\"'s/1.png' && touch 'my photos/.DS_Store'");
  ASSERT_EQ(made.code, 0) << made.err;
  const Outcome checked = Own().Run("data check 'own/my photos' --json");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_EQ(Own().Run("data import folder 'own/my photos' 'own/my photos.tar'").code, 0);
  for (const char* data : {"own/my photos", "own/my photos.tar"}) {
    const Outcome scored =
        Own().Run("eval models/tiny --templates own/own.textproto --task kind --data '" +
                  std::string(data) + "' --predictions own/kinds.jsonl --report own/kinds.html");
    ASSERT_EQ(scored.code, 0) << scored.err;
    std::string said = ReadText(Own().Path("own/kinds.jsonl"));
    for (const char* name : {"large star", "été long", "it's"})
      EXPECT_THAT(said, HasSubstr("\"references\":[\"" + std::string(name) + "\"]"));
  }
  const Outcome answered = Own().Run(PredictOf("kind") + "'own/my photos'");
  EXPECT_EQ(answered.code, 0) << answered.err;
  EXPECT_THAT(answered.out, AllOf(HasSubstr("own/my photos/large star/a b.png\t"),
                                  HasSubstr("own/my photos/été_long/ü.png\t")));
}

// The first bytes of a file decide its format; the name only says that it is a picture.
TEST(OwnFolder, PicturesOfEveryFormatAreAnsweredAndOtherFilesAreNamed) {
  const Outcome made = Own().Shell(
      "cd own && mkdir -p mixed packed classes/star && cp 0.png mixed/y.png && "
      "cp 1.png mixed/z.tif && cp 2.png mixed/z2.gif && cp 3.png mixed/x.avif && "
      "cp 4.png mixed/w.jfif && touch mixed/notes.doc && cp 0.png packed/1.tiff && "
      "tar -cf packed.tar -C packed 1.tiff && cp 0.png 1.png classes/star && "
      "mv classes/star/1.png classes/star/1.tif");
  ASSERT_EQ(made.code, 0) << made.err;
  const Outcome answered = Own().Run(PredictOf("describe") + "--image own/mixed");
  ASSERT_EQ(answered.code, 0) << answered.err;
  EXPECT_EQ(std::count(answered.out.begin(), answered.out.end(), '\n'), 5) << answered.out;
  EXPECT_THAT(answered.err, HasSubstr("own/mixed: 1 file left out, without an extension of "
                                      "modality \"image\": notes.doc"));
  const Outcome packed = Own().Run(PredictOf("describe") + "own/packed.tar");
  ASSERT_EQ(packed.code, 0) << packed.err;
  EXPECT_THAT(packed.out, HasSubstr("packed.tar:1\t"));
  const Outcome checked = Own().Run("data check own/classes");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
}

// "depth" is a number here: the task says which columns hold media.
TEST(MediaColumns, AreTheTasksOwn) {
  WriteText(Own().Path("own/far.textproto"), R"(name: "far"
task {
  name: "far"
  input { name: "image" modality: "image" }
  prompt: " what stands {depth:number} metres away?"
  target: " {sentence:text}"
  generation { max_tokens: 4 }
  metric: "accuracy"
}
)");
  WriteText(Own().Path("own/far.jsonl"),
            "{\"image\": \"0.png\", \"depth\": 3.5, \"sentence\": \"a circle\"}\n");
  for (const char* command :
       {"predict models/tiny --templates own/far.textproto --task far own/far.jsonl",
        "eval models/tiny --templates own/far.textproto --task far --data own/far.jsonl",
        "data check own/far.jsonl --templates own/far.textproto --task far",
        "prompts check own/far.textproto --data own/far.jsonl"}) {
    const Outcome outcome = Own().Run(command);
    EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.out << outcome.err;
  }
  const Outcome piped = Own().Shell(
      "cd own && unival predict ../models/tiny --templates far.textproto --task far - < far.jsonl");
  EXPECT_EQ(piped.code, 0) << piped.err;
}

TEST(Predict, NamesAllMediaOfARecord) {
  const auto input = [](const std::string& options) {
    const Outcome outcome = Own().Run(PredictOf("relation") + "--json " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::vector<std::string> names;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) names.push_back(json::parse(line)["input"]);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(input("--input second=own/1.png --input image=own/0.png"),
            Names{"own/0.png, own/1.png"});
  EXPECT_EQ(input("--image own/0.png --image own/2.png --input second=own/1.png"),
            (Names{"own/0.png, own/1.png", "own/2.png, own/1.png"}));
  const Outcome missing =
      Own().Run(PredictOf("relation") + "--image own/0.png --input second=own/none.png");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("own/none.png"));
}

// The first record is treated like the others.
TEST(Predict, AColumnThatTheFirstRecordLacksIsAFaultOfThatRecord) {
  WriteText(Own().Path("own/gaps.jsonl"),
            "{\"image\": \"0.png\"}\n{\"image\": \"1.png\", \"sentence\": \"a circle\"}\n");
  const Outcome outcome =
      Own().Run(PredictOf("agrees") + "own/gaps.jsonl --json --max_unreadable 0.5");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string first, second;
  ASSERT_TRUE(std::getline(lines, first) && std::getline(lines, second)) << outcome.out;
  EXPECT_THAT(json::parse(first)["error"].get<std::string>(), HasSubstr("\"sentence\""));
  EXPECT_TRUE(json::parse(second).contains("text"));
}

std::string Drawn(const std::string& options) {
  const Outcome outcome = Own().Run(PredictOf("describe") + options);
  EXPECT_EQ(outcome.code, 0) << options << outcome.err;
  return outcome.out;
}

TEST(Sampling, IsTheSameForASeedWhateverIsAskedBeside) {
  const std::string drawn = Drawn("own --temperature 1.5 --seed 3");
  EXPECT_EQ(Drawn("own --temperature 1.5 --seed 3"), drawn);
  EXPECT_EQ(Drawn("own --temperature 1.5 --seed 3 --batch 1"), drawn);
  EXPECT_EQ(Drawn("own --temperature 1.5 --seed 3 --stream"), drawn);
  EXPECT_THAT(drawn,
              HasSubstr("own/2.png\t" + Drawn("--image own/2.png --temperature 1.5 --seed 3")));
  std::set<std::string> seeds;
  for (int seed = 0; seed < 5; ++seed)
    seeds.insert(Drawn("--image own/0.png --temperature 1.5 --seed " + std::to_string(seed)));
  EXPECT_GT(seeds.size(), 1u);
  EXPECT_EQ(Drawn("--image own/0.png --temperature 1.5"),
            Drawn("--image own/0.png --temperature 1.5 --seed 0"));
  const std::string several = Drawn("--image own/0.png --seed 1 --n_best 3");
  EXPECT_EQ(std::count(several.begin(), several.end(), '\n'), 3);
}

TEST(Sampling, OfTheLikeliestTokenAloneIsGreedySearch) {
  const std::string greedy = Drawn("own");
  for (const char* options : {"--temperature 0", "--top_k 1", "--top_p 1e-6", "--top_k 1 --seed 9",
                              "--temperature 0.001 --top_p 0.5"})
    EXPECT_EQ(Drawn(std::string("own ") + options), greedy) << options;
  EXPECT_NE(Drawn("own --temperature 3 --top_k 50 --top_p 0.99"), greedy);
}

TEST(Sampling, StaysInAClosedSet) {
  std::string records;
  for (int i = 0; i < 100; ++i) {
    records += "{\"image\": \"own/" + std::to_string(i % 6) + ".png\", \"sentence\": \"a circle " +
               std::string(i / 6, 's') + "\"}\n";
  }
  WriteText(Own().Path("own/asked.jsonl"), records);
  const Outcome outcome =
      Own().Run(PredictOf("agrees") + "- --temperature 20 --seed 1 <own/asked.jsonl");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::map<std::string, int> said;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) ++said[line.substr(line.find('\t') + 1)];
  EXPECT_EQ(said["yes"] + said["no"], 100);
  EXPECT_GT(said["yes"], 0);
  EXPECT_GT(said["no"], 0);
}

// The tokenizer has no pieces for some of these letters.
TEST(ClosedSet, AnAnswerIsOneOfItsLabelsAlsoWhereTheModelCannotWriteThem) {
  const std::set<std::string> labels = {"un café", "日本 circle", "red", "日本"};
  WriteText(Own().Path("own/labels.textproto"), R"(name: "labels"
task {
  name: "choose"
  prompt: " {question:text}"
  target: " {answer:label}"
  labels { slot: "answer" values: "un café" values: "日本 circle" values: "red" values: "日本" }
  metric: "accuracy"
}
)");
  std::string records;
  for (int i = 0; i < 60; ++i) {
    records += "{\"question\": \"" + std::string(i % 7, 'a') + " circle " +
               std::string(i / 7, 'b') + "\", \"answer\": \"日本\"}\n";
  }
  WriteText(Own().Path("own/asked.jsonl"), records);
  const std::string choose =
      "predict models/tiny --templates own/labels.textproto --task choose own/asked.jsonl ";
  std::set<std::string> said;
  for (const char* options : {"", "--beam 3", "--temperature 9"}) {
    const Outcome whole = Own().Run(choose + options);
    ASSERT_EQ(whole.code, 0) << whole.err;
    std::istringstream lines(whole.out);
    for (std::string line; std::getline(lines, line);)
      said.insert(line.substr(line.find('\t') + 1));
    EXPECT_EQ(Own().Run(choose + options + " --stream").out, whole.out) << options;
  }
  EXPECT_GT(said.size(), 1u);
  for (const std::string& answer : said) EXPECT_EQ(labels.count(answer), 1u) << answer;
}

TEST(Sampling, WhatIsOutOfRangeIsAWrongCommandLine) {
  const struct {
    const char* options;
    const char* expected;
  } kCases[] = {
      {"--temperature -1", "--temperature: expected 0 or more, got -1"},
      {"--temperature 5000", "--temperature: expected 0, or a number from 0.001 to 1000"},
      {"--temperature nan", "expected a finite number"},
      {"--temperature warm", "--temperature"},
      {"--top_p 9", "--top_p: expected a share in [0, 1], got 9"},
      {"--top_p -0.5", "--top_p: expected a share in [0, 1]"},
      {"--top_k -3", "--top_k"},
      {"--top_k 99999999", "--top_k: expected 0 to 16777216"},
      {"--seed -1", "--seed"},
      {"--seed x", "--seed"},
      {"--temperature 1 --beam 2", "either beams or sampling"},
      {"--temperature 0 --n_best 2", "--n_best 2: expected 1"},
  };
  for (const auto& c : kCases) {
    const Outcome outcome = Own().Run(PredictOf("describe") + "--image own/0.png " + c.options);
    EXPECT_EQ(outcome.code, 2) << c.options;
    EXPECT_THAT(outcome.err, HasSubstr(c.expected)) << c.options;
    EXPECT_EQ(outcome.out, "") << c.options;
  }
}

}  // namespace
}  // namespace unival
