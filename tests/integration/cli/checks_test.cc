// The checks of data and prompts before training: `prompts check`, `data check`, and the checks of
// `train`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// Pictures 0.png to 9.png beside the files that tests write, in a folder of the tiny workplace.
const Program& Checked() {
  static const Program* const kProgram = [] {
    const Program& program = TinyWorkplace();
    const Outcome made = program.Shell(
        "mkdir -p checks && cd checks && tar -xf ../data/image/train/images.tar && "
        "for i in 0 1 2 3 4 5 6 7 8 9; do cp 00000$i.png $i.png; done");
    EXPECT_EQ(made.code, 0) << made.err;
    return &program;
  }();
  return *kProgram;
}

// kind -> the problems of that kind.
std::map<std::string, std::vector<json>> ByKind(const Outcome& outcome) {
  std::map<std::string, std::vector<json>> kinds;
  const json report = json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(report.is_object()) << outcome.out << outcome.err;
  for (const json& problem : report.value("problems", json::array()))
    kinds[problem["kind"]].push_back(problem);
  return kinds;
}

// The names of the records with the only problem of a kind.
std::vector<std::string> Records(const std::map<std::string, std::vector<json>>& kinds,
                                 const std::string& kind) {
  std::vector<std::string> records;
  const auto found = kinds.find(kind);
  if (found == kinds.end()) return records;
  for (const json& problem : found->second) {
    for (const json& record : problem.value("records", json::array()))
      records.push_back(record["record"]);
  }
  return records;
}

void WriteCaptions(const Program& program) {
  WriteText(program.Path("checks/captions.jsonl"),
            "{\"image\": \"0.png\", \"caption\": \"a red circle\", \"answer\": \"yes\"}\n"
            "{\"image\": \"1.png\", \"caption\": \"a blue square\", \"answer\": \"perhaps\"}\n"
            "\n"
            "{\"image\": \"2.png\", \"answer\": \"no\"}\n");
}

TEST(PromptsCheck, NamesTenFaultsOfASetInOneRun) {
  const Program& program = Checked();
  WriteCaptions(program);
  WriteText(program.Path("checks/ten.textproto"), R"(name: "ten"
task {
  name: "describe"
  input { name: "image" modality: "imagee" }
  prompt: " what {caption:colur} is it?"
  target: " {captoin:text}"
  generation { beam: -1 top_p: 9 max_tokens: 40 }
  metric: "bleuu"
}
task {
  name: "pick"
  input { name: "image" modality: "image" }
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: "no" values: "\346\227\245" values: "\346\234\254" }
  max_source_tokens: -5
  temprature: 1
}
task {
  name: "pick"
  input { name: "picture" modality: "image" }
  prompt: " what is it?"
  target: " {caption:text}"
  generation { max_tokens: 2 }
  clean { column: "answer" max_words: -1 }
}
)");
  const Outcome outcome = program.Run(
      "prompts check checks/ten.textproto --data checks/captions.jsonl --model models/tiny --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  const auto kinds = ByKind(outcome);
  const std::map<std::string, int> expected = {{"absent_modality", 4},
                                               {"unknown_slot", 5},
                                               {"missing_column", 6},
                                               {"setting", 7},
                                               {"metric", 8},
                                               {"prompt", 10},
                                               {"unknown_field", 16},
                                               {"unknown_label", 13},
                                               {"label_unknown_piece", 14},
                                               {"label_same_pieces", 14},
                                               {"name", 19},
                                               {"answer_cut", 22},
                                               {"clean", 24}};
  for (const auto& [kind, line] : expected) {
    ASSERT_EQ(kinds.count(kind), 1u) << kind << "\n" << outcome.out;
    EXPECT_THAT(kinds.at(kind), Contains(::testing::Truly([line = line](const json& problem) {
                  return problem.value("line", 0) == line;
                })))
        << kind << "\n"
        << outcome.out;
  }
  EXPECT_EQ(kinds.at("setting").size(), 4u) << "beam, top_p, max_source_tokens, max_words";
  EXPECT_THAT(kinds.at("absent_modality")[0]["remedy"], HasSubstr("is \"image\" meant?"));
  EXPECT_THAT(Records(kinds, "unknown_label"), ::testing::ElementsAre("captions.jsonl:2"));
  EXPECT_THAT(Records(kinds, "missing_column"), Contains("captions.jsonl:4"));
  for (const json& problem : kinds.at("missing_column")) {
    if (problem["slot"] == "captoin") {
      EXPECT_EQ(problem["rows"], 3);
      EXPECT_THAT(problem["remedy"], HasSubstr("is \"caption\" meant?"));
    }
    if (problem["slot"] == "caption") {
      EXPECT_EQ(problem["rows"], 1);
    }
  }
  EXPECT_THAT(kinds.at("answer_cut")[0]["remedy"], HasSubstr("max_tokens: "));
  // For people, too.
  const Outcome text = program.Run(
      "prompts check checks/ten.textproto --data checks/captions.jsonl --model models/tiny");
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, AllOf(HasSubstr("checks/ten.textproto:4: task \"describe\": input:0:"),
                              HasSubstr("captions.jsonl:2: \"perhaps\" is none of the 4 labels"),
                              HasSubstr("remedy: ")));
}

TEST(Inspect, SaysWhichTasksTheModelCannotDo) {
  const Program& program = Checked();
  WriteText(
      program.Path("checks/imagee.textproto"),
      "name: \"s\"\ntask { name: \"imagined\" input { name: \"image\" modality: \"imagee\" }\n"
      "  prompt: \" what is it?\" target: \" {caption:text}\" }\n");
  const Outcome outcome =
      program.Run("inspect models/tiny --templates checks/imagee.textproto --json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const json unfit = json::parse(outcome.out)["tasks_that_do_not_fit"];
  EXPECT_THAT(unfit.dump(), AllOf(HasSubstr("imagined"), HasSubstr("imagee")));
  WriteText(program.Path("checks/promptless.textproto"),
            "name: \"s\"\ntask { name: \"t\" input { name: \"image\" modality: \"image\" }\n"
            "  target: \" {caption:text}\" }\n");
  const Outcome missing =
      program.Run("inspect models/tiny --templates checks/promptless.textproto");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("prompt: is missing"), HasSubstr("prompt: \"\"")));
}

TEST(PromptsCheck, SaysNothingOfASetThatFits) {
  const Outcome outcome = Checked().Run(
      "prompts check tasks/templates/quickstart.textproto --task vqa --data "
      "data/image/train/vqa.jsonl --model models/tiny");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("0 problems"));
}

TEST(PromptsCheck, CountsThePromptsThatAreCutAndTextsThatNoModelHasPositionsFor) {
  const Program& program = Checked();
  std::string words = "red";
  for (int i = 0; i < 200; ++i) words += " red";
  WriteText(program.Path("checks/long.jsonl"),
            "{\"question\": \"is it red?\", \"answer\": \"yes\"}\n"
            "{\"question\": \"" +
                words + "\", \"answer\": \"yes\"}\n");
  WriteText(program.Path("checks/long.textproto"),
            "name: \"long\"\n"
            "task { name: \"cut\" prompt: \" {question}\" target: \" {answer}\"\n"
            "  max_source_tokens: 30 }\n"
            "task { name: \"refused\" prompt: \" {question}\" target: \" {answer}\" }\n");
  const auto kinds = ByKind(program.Run(
      "prompts check checks/long.textproto --data checks/long.jsonl --model models/tiny --json"));
  EXPECT_THAT(Records(kinds, "prompt_cut"), ::testing::ElementsAre("long.jsonl:2"));
  EXPECT_THAT(Records(kinds, "prompt_too_long"), ::testing::ElementsAre("long.jsonl:2"));
  EXPECT_EQ(kinds.at("prompt_too_long")[0]["task"], "refused");
}

// Words that the tokenizer cannot encode are listed once each, even if they occur several times.
TEST(PromptsCheck, NamesAPieceThatTheModelLacksOnce) {
  const Program& program = Checked();
  WriteText(program.Path("checks/pieces.textproto"), R"(name: "pieces"
task {
  name: "pick"
  prompt: " \346\227\245 is it {question}? \346\227\245"
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: "\346\227\245 \346\227\245" }
}
)");
  std::string records;
  for (int i = 0; i < 3; ++i) {
    records +=
        json{{"question", "\346\234\254 or \346\234\254"}, {"answer", "\346\227\245 \346\227\245"}}
            .dump() +
        "\n";
  }
  WriteText(program.Path("checks/pieces.jsonl"), records);
  const auto kinds =
      ByKind(program.Run("prompts check checks/pieces.textproto --data checks/pieces.jsonl --model "
                         "models/tiny --json"));
  const auto times = [](const std::string& text, const std::string& word) {
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      ++count;
    return count;
  };
  ASSERT_EQ(kinds.at("unknown_piece").size(), 2u);
  const json& literal = kinds.at("unknown_piece")[0];
  EXPECT_EQ(times(literal["what"], "\"\346\227\245\""), 1) << literal;
  const json& filled = kinds.at("unknown_piece")[1];
  EXPECT_EQ(filled["rows"], 3);
  EXPECT_EQ(times(filled["records"][2]["what"], "\"\346\234\254\""), 1) << filled;
  ASSERT_EQ(kinds.at("label_unknown_piece").size(), 1u);
  const std::string label = kinds.at("label_unknown_piece")[0]["what"];
  EXPECT_EQ(times(label, "\"\346\227\245\""), 1) << label;
}

TEST(PromptsShow, PiecesGiveThePromptBack) {
  const Program& program = Checked();
  const Outcome outcome = program.Run(
      "prompts show vqa --model models/tiny --data data/image/train/vqa.jsonl --record 2 --json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json shown = json::parse(outcome.out);
  std::string prompt;
  for (const json& piece : shown["prompt_pieces"]) prompt += piece["piece"].get<std::string>();
  EXPECT_EQ(prompt.substr(0, 3), "<s>");
  EXPECT_THAT(prompt, AllOf(HasSubstr("?"), ::testing::EndsWith("</s>")));
  EXPECT_EQ(shown["prompt_pieces"][1]["position"], 1);
  EXPECT_FALSE(shown["target_pieces"].empty());
  EXPECT_EQ(shown["media"].size(), 1);
  EXPECT_THAT(program.Run("prompts list models/tiny").out, HasSubstr("image_caption"));
}

TEST(PromptsAdd, StoresASetAndRefusesNamesThatAreTaken) {
  const Program& program = Checked();
  WriteText(
      program.Path("checks/mine.textproto"),
      "name: \"mine\"\ntask { name: \"in_short\" input { name: \"image\" modality: \"image\" }"
      "\n  prompt: \" what is it?\" target: \" {caption:text}\" }\n");
  const Outcome added =
      program.Run("prompts add models/tiny checks/mine.textproto --output models/added");
  ASSERT_EQ(added.code, 0) << added.out << added.err;
  EXPECT_THAT(program.Run("prompts list models/added").out, HasSubstr("in_short"));
  EXPECT_EQ(program.Run("predict models/added --task in_short --input image=checks/0.png").code, 0);
  const Outcome again =
      program.Run("prompts add models/added checks/mine.textproto --output models/twice");
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, AllOf(HasSubstr("in_short"), HasSubstr("give it another name")));
  EXPECT_FALSE(fs::exists(program.Path("models/twice")));
}

TEST(DataCheck, NamesTwelveFaultsOfTwelveKindsWithTheirRows) {
  const Program& program = Checked();
  std::string words = "red";
  for (int i = 0; i < 200; ++i) words += " red";
  ASSERT_EQ(program
                .Shell("cd checks && head -c 100 5.png > cut.png && echo nothing > noise.png && "
                       "cp 9.png trained.png")
                .code,
            0);
  const std::string fine = ", \"width\": 64, \"height\": 64, \"box\": [1, 2, 30, 40]";
  const auto row = [&](const std::string& image, const std::string& question,
                       const std::string& more) {
    return "{\"image\": \"" + image + "\", \"question\": \"" + question + "\"" + more + "}\n";
  };
  const std::string yes = ", \"answer\": \"yes\"";
  WriteText(program.Path("checks/train.jsonl"), row("trained.png", "trained?", yes + fine));
  WriteText(program.Path("checks/twelve.jsonl"),
            row("0.png", "is it red?", yes + fine) +            // 1
                row("gone.png", "is it gone?", yes + fine) +    // 2
                row("1.png", "  ", yes + fine) +                // 3
                row("noise.png", "is it noise?", yes + fine) +  // 4
                row("2.png", "is it swapped?",
                    yes + ", \"width\": 64, \"height\": 64, \"box\": [30, 2, 1, 40]") +  // 5
                row("3.png", "is it outside?",
                    yes + ", \"width\": 64, \"height\": 64, \"box\": [1, 2, 99, 40]") +  // 6
                row("4.png", "is it maybe?", ", \"answer\": \"maybe\"" + fine) +         // 7
                row("5.png", words, yes + fine) +                                        // 8
                row("0.png", "is it red?", yes + fine) +                                 // 9
                row("9.png", "was it trained?", yes + fine) +                            // 10
                row("6.png", "is it a list?",
                    yes + ", \"width\": 64, \"height\": 64, \"box\": \"1 2 3 4\"") +  // 11
                row("7.png", "is it \xff?", yes + fine) +                             // 12
                row("8.png", "is it a number?",
                    yes + ", \"width\": 64, \"height\": 64, \"box\": [NaN, 2, 3, 4]") +  // 13
                row("8.png", "without an answer?", fine) +                               // 14
                row("cut.png", "is it cut?", yes + fine) +                               // 15
                row("../data/x.png", "is it elsewhere?", yes + fine) +                   // 16
                row("2.png", "is it larger?",
                    yes + ", \"width\": 32, \"height\": 64, \"box\": [1, 2, 3, 4]") +  // 17
                row("3.png", "is it a line?",
                    yes + ", \"width\": 64, \"height\": 64, \"box\": [5, 2, 5, 40]") +  // 18
                row("0.png", "is it red?", ", \"answer\": \"no\"" + fine));             // 19
  WriteText(program.Path("checks/asked.textproto"), R"(name: "asked"
task {
  name: "asked"
  input { name: "image" modality: "image" }
  prompt: " {question} at {box:box}"
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: "no" }
}
)");
  const std::string command =
      "data check checks/twelve.jsonl --task asked --templates checks/asked.textproto --model "
      "models/tiny --against checks/train.jsonl --html checks/report.html";
  const Outcome outcome = program.Run(command + " --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  const auto kinds = ByKind(outcome);
  const std::map<std::string, int> expected = {
      {"missing_media", 2},   {"empty_text", 3},    {"undecodable_media", 4}, {"box_order", 5},
      {"box_outside", 6},     {"unknown_label", 7}, {"prompt_too_long", 8},   {"duplicate", 9},
      {"leak", 10},           {"wrong_type", 11},   {"not_utf8", 12},         {"not_json", 13},
      {"missing_column", 14}, {"bad_path", 16},     {"size_differs", 17},     {"box_empty", 18},
      {"contradiction", 19}};
  for (const auto& [kind, line] : expected) {
    EXPECT_THAT(Records(kinds, kind), Contains("twelve.jsonl:" + std::to_string(line)))
        << kind << "\n"
        << outcome.out;
  }
  std::vector<std::string> damaged = Records(kinds, "undecodable_media");
  for (const std::string& record : Records(kinds, "truncated_media")) damaged.push_back(record);
  EXPECT_THAT(damaged, Contains("twelve.jsonl:15"));
  // The correct record is only named as the first of two, never as wrong.
  for (const auto& [kind, problems] : kinds)
    EXPECT_THAT(Records(kinds, kind), Not(Contains("twelve.jsonl:1"))) << kind;
  EXPECT_THAT(program.Run(command).out, HasSubstr("twelve.jsonl:9: the same media and texts as "
                                                  "twelve.jsonl:1"));
  EXPECT_THAT(ReadText(program.Path("checks/report.html")),
              AllOf(HasSubstr("twelve.jsonl:16"), Not(HasSubstr("src=\"http"))));
}

TEST(DataCheck, NamesASoundThatIsCut) {
  const Program& program = Checked();
  // The header says one second of samples; the file has a tenth of them.
  std::string wav(
      "RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data"
      "\0\x7d\0\0",
      44);
  WriteText(program.Path("checks/whole.wav"), wav + std::string(32000, '\1'));
  WriteText(program.Path("checks/cut.wav"), wav + std::string(3200, '\1'));
  WriteText(program.Path("checks/sounds.jsonl"),
            "{\"audio\": \"whole.wav\", \"caption\": \"a hum\"}\n"
            "{\"audio\": \"cut.wav\", \"caption\": \"a short hum\"}\n");
  const Outcome outcome = program.Run("data check checks/sounds.jsonl --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(Records(ByKind(outcome), "truncated_media"),
              ::testing::ElementsAre("sounds.jsonl:2"));
}

TEST(DataCheck, FindsTheTaskInTheShippedSetAndSaysWhatAFileHolds) {
  const Program& program = Checked();
  WriteText(program.Path("checks/good.jsonl"),
            "{\"image\": \"0.png\", \"question\": \"is it red?\", \"answer\": \"yes\"}\n"
            "{\"image\": \"1.png\", \"question\": \"is it red?\", \"answer\": [\"no\", \"so\"]}\n");
  const Outcome good = program.Run("data check checks/good.jsonl --task vqa");
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  EXPECT_THAT(good.out,
              AllOf(HasSubstr("2 records"), HasSubstr("answer: 2 values"), HasSubstr("no | so\n")));
  EXPECT_EQ(program.Run("data check checks/good.jsonl --task vqqa").code, 1);
}

TEST(DataShow, WritesPreparedMediaAndPieces) {
  const Program& program = Checked();
  const Outcome outcome = program.Run(
      "data show data/image/train/vqa.jsonl --task vqa --model models/tiny --count 2 --output "
      "checks/shown --html checks/shown.html");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(ReadText(program.Path("checks/shown/1_0_image.png")).substr(1, 3), "PNG");
  EXPECT_THAT(ReadText(program.Path("checks/shown/2.txt")), HasSubstr("target, "));
  EXPECT_THAT(ReadText(program.Path("checks/shown.html")), HasSubstr("data:image/png;base64,"));
}

TEST(Predict, TakesBoxesAndListsOfNumbers) {
  const Program& program = Checked();
  WriteText(
      program.Path("checks/boxed.textproto"),
      "name: \"boxed\"\ntask { name: \"boxed\" input { name: \"image\" modality: \"image\" }\n"
      "  prompt: \" what is in {box:box}?\" target: \" {caption:text}\" }\n");
  const std::string command =
      "predict models/tiny --task boxed --templates checks/boxed.textproto --input "
      "image=checks/0.png --json --input ";
  for (const char* box : {"box=10,20,30,40", "'box=[10, 20, 30, 40]'", "box=0.1,0.2,0.3,0.4"}) {
    const Outcome outcome = program.Run(command + box);
    EXPECT_EQ(outcome.code, 0) << box << outcome.err;
  }
  EXPECT_EQ(program.Run(command + "box=10,20,30,40").out,
            program.Run(command + "box=10,20,30,40 --input width=64 --input height=64").out);
  const Outcome wrong = program.Run(command + "box=10,twenty");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("--input box"), HasSubstr("10,20,30,40")));
  EXPECT_EQ(program.Run(command + "box=30,20,10,40").code, 1);
}

TEST(Predict, GivesABoxInPixelsBesideFractions) {
  const Program& program = Checked();
  const Outcome outcome = program.Run(
      "predict models/tiny --task grounding --input image=checks/0.png --input 'text=the circle' "
      "--json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json answer = json::parse(outcome.out);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(answer["box_pixels"][i].get<double>(), 64 * answer["box"][i].get<double>(), 1e-9);
  }
}

TEST(Wording, AnotherSetWarnsAndStrictRefuses) {
  const Program& program = Checked();
  const std::string manifest = ReadText(program.Path("models/tiny/manifest.textproto"));
  EXPECT_THAT(manifest, HasSubstr("template_set_hash: \"xxh128:"));
  const json results = json::parse(ReadText(program.Path("runs/tiny/results.json")));
  EXPECT_THAT(manifest, HasSubstr(results["template_set_hash"].get<std::string>()));
  WriteText(program.Path("checks/other.textproto"),
            "name: \"other\"\ntask { name: \"image_caption\" input { name: \"image\" modality: "
            "\"image\" }\n  prompt: \" say it:\" target: \" {caption:text}\" }\n");
  const std::string command =
      "predict models/tiny --task image_caption --input image=checks/0.png --json";
  const Outcome own = program.Run(command + " --strict");
  EXPECT_EQ(own.code, 0) << own.err;
  EXPECT_EQ(own.err, "");
  const std::string hash = json::parse(own.out)["template_set_hash"];
  EXPECT_THAT(manifest, HasSubstr(hash));
  const Outcome other = program.Run(command + " --templates checks/other.textproto");
  EXPECT_EQ(other.code, 0);
  EXPECT_THAT(other.err, AllOf(HasSubstr("warning: "), HasSubstr("template_set_hash"),
                               HasSubstr(hash), HasSubstr("checks/other.textproto")));
  EXPECT_NE(json::parse(other.out)["template_set_hash"], hash);
  const Outcome refused = program.Run(command + " --strict --templates checks/other.textproto");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("template_set_hash"));
}

TEST(Train, LooksAtEveryRecordAndTaskBeforeAnythingIsTrained) {
  const Program& program = Checked();
  std::string rows;
  for (int i = 0; i < 9; ++i) {
    const std::string answer = i == 7 ? "hovering" : i % 2 == 0 ? "yes" : "no";
    rows += "{\"image\": \"" + std::to_string(i) + ".png\", \"answer\": \"" + answer + "\"}\n";
  }
  WriteText(program.Path("checks/labels.jsonl"), rows);
  WriteText(program.Path("checks/labels.textproto"), R"(name: "labels"
task {
  name: "is_red"
  input { name: "image" modality: "image" }
  prompt: " is it red?"
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: "no" }
}
task {
  name: "never"
  input { name: "image" modality: "imagee" }
  prompt: " what is it?"
  target: " {caption:text}"
}
)");
  const auto plan = [&](const std::string& task) {
    WriteText(program.Path("checks/plan.textproto"),
              "name: \"labels\" model: \"../models/tiny\" templates: \"labels.textproto\"\n"
              "stage { name: \"s\" trainable: \"connection:image\" steps: 1 batch: 2\n"
              "  optimizer { learning_rate: 1e-3 schedule: \"constant\" clip_norm: 1 }\n"
              "  source { name: \"a\" task: \"" +
                  task + "\" path: \"labels.jsonl\" } }\n");
  };
  plan("is_red");
  const Outcome refused = program.Run("train checks/plan.textproto --output checks/run_labels");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("stage[0].source[0]"), HasSubstr("labels.jsonl:8"),
                    HasSubstr("\"hovering\" is none of the 2 labels"), HasSubstr("remedy: ")));
  EXPECT_FALSE(fs::exists(program.Path("checks/run_labels/checkpoint")));
  plan("is_rde");
  const Outcome unknown = program.Run("train checks/plan.textproto --output checks/run_unknown");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err,
              AllOf(HasSubstr("`templates` of the plan"), Not(HasSubstr("--templates"))));
  WriteText(
      program.Path("checks/labels.jsonl"),
      "{\"image\": \"0.png\", \"answer\": \"yes\"}\n{\"image\": \"1.png\", \"answer\": \"no\"}\n");
  plan("is_red");
  const Outcome trained = program.Run("train checks/plan.textproto --output checks/run_good");
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err,
              AllOf(HasSubstr("warning: "), HasSubstr("never"), HasSubstr("is \"image\" meant?")));
}

}  // namespace
}  // namespace unival
