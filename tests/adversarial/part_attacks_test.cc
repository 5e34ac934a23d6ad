// Attacks on several parts: generators of data, the check of what a model can say, the plugin
// `series`, plans that start from another model, and the scripts of the recipes.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// The file of an attack, and a command that reads it.
void TryText(const std::string& name, const std::string& file, const std::string& text,
             const std::string& command, std::vector<int> codes, const std::string& says = "") {
  WriteText(Workplace().Path(file), text);
  Try(Workplace(), {name, command, std::move(codes), says});
}

std::string Repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

constexpr char kFake[] =
    "rm -rf signals && unival data fake-sensor labels.json signals --count 1 --eval_count 1 "
    "--positions 2 --width 2 ";

TEST(FakeSensorAttacks, LabelsThatAreNone) {
  for (const std::string& text : std::vector<std::string>{
           "", "null", "[]", "7", "\"x\"", "{}", "{\"a\"", "{\"a\": \"x\"}", "{\"a\": []}",
           "{\"a\": [1, 2]}", "{\"a\": [\"x\", \"\"]}", "{\"a\": [\"x\", \"x\"]}",
           "{\"a\": [\"x\"]}", "{\"a\": [\"\xff\xfe\", \"x\"]}", std::string("\0\0\0", 3),
           "{\"a\": " + Repeated("[", 100000) + Repeated("]", 100000) + "}"}) {
    TryText(absl::StrCat("labels ", text.substr(0, 30)), "labels.json", text, kFake, {1},
            "labels.json: ");
  }
}

TEST(FakeSensorAttacks, NamesOfSetsThatLeadElsewhere) {
  const std::string sentences = "[\"a b\", \"c\"]";
  for (const std::string& name :
       std::vector<std::string>{"../escaped", "../../escaped", "a/b", "/tmp/escaped", "", ".", "..",
                                ".hidden", "a\\u0000b", "\\u001b[2Jx", "a\\nb"}) {
    TryText("set " + name, "labels.json", "{\"" + name + "\": " + sentences + "}", kFake, {1},
            "becomes that of a folder");
  }
  TryText("a set of a long name", "labels.json",
          "{\"" + std::string(300, 'n') + "\": " + sentences + "}", kFake, {1}, "100 bytes");
  TryText("a set twice", "labels.json", "{\"a\": [\"x\", \"y\"], \"a\": [\"z\", \"w\"]}", kFake,
          {1}, "stands there twice");
  EXPECT_FALSE(fs::exists(Workplace().Path("escaped")));
  EXPECT_FALSE(fs::exists(Workplace().Path("../escaped")));
}

TEST(FakeSensorAttacks, NumbersThatAreNone) {
  WriteText(Workplace().Path("labels.json"), "{\"a\": [\"x\", \"y\"]}");
  const std::string start = "unival data fake-sensor labels.json signals2 ";
  for (const auto& [options, code] :
       std::vector<std::pair<std::string, int>>{{"--noise inf", 2},
                                                {"--noise nan", 2},
                                                {"--noise 1e300", 1},
                                                {"--noise -1", 1},
                                                {"--seed -1", 2},
                                                {"--seed 18446744073709551616", 2},
                                                {"--seed 99999999999999999999", 2},
                                                {"--seed 1.5", 2},
                                                {"--count -1", 1},
                                                {"--count 99999999999999999999", 2},
                                                {"--positions 0", 1},
                                                {"--positions 2000000000", 1},
                                                {"--width 0", 1},
                                                {"--width -5", 1},
                                                {"--width 2000000000", 1},
                                                {"--set none", 1},
                                                {"--kind none", 1},
                                                {"--pairs none", 2},
                                                {"--pairs after", 1}}) {
    Try(Workplace(), {"fake-sensor " + options, start + options, {code}, ""});
  }
  EXPECT_FALSE(fs::exists(Workplace().Path("signals2")));
  for (const char* place : {kDevice, "labels.json", "pipe", "circle/x"}) {
    Try(Workplace(), {absl::StrCat("fake-sensor into ", place),
                      absl::StrCat("unival data fake-sensor labels.json ", place, " --count 1"),
                      {1},
                      ""});
  }
  for (const char* labels : {"pipe", "sparse.jsonl", "device", "circle", "full", "none.json"}) {
    Try(Workplace(), {absl::StrCat("fake-sensor of ", labels),
                      absl::StrCat("unival data fake-sensor ", labels, " signals3"),
                      {1},
                      labels});
  }
}

TEST(EnglishAttacks, TextsThatAreNone) {
  const std::string deep = Repeated("[", 400000) + Repeated("]", 400000);
  const std::string command = "unival data make-english texts english --count 3 --eval_count 1";
  fs::create_directories(Workplace().Path("texts"));
  WriteText(Workplace().Path("texts/a_dev.jsonl"), "{\"text\": \"the cat sat\"}\n");
  for (const std::string& text : std::vector<std::string>{
           "", "null", "[]", "{", "{\"text\": 7}", "{\"text\": null}", "{\"text\": [\"a\"]}",
           "{\"text\": \"\"}", "{\"other\": \"a\"}", "{\"text\": \"\xff\"}",
           "{\"text\": \"a b\"}\nnothing", "{\"answer\": " + deep + ", \"text\": \"a\"}",
           "{\"answer\": {\"deep\": " + Repeated("[", 90000),
           "{\"text\": \"" + Repeated("word ", 100000) + "\"}", std::string("\0\n\0", 3)}) {
    TryText("texts " + text.substr(0, 30), "texts/a_train.jsonl", text, command, {1}, "texts");
  }
  WriteText(Workplace().Path("texts/a_train.jsonl"), "{\"text\": \"the cat sat\"}\n");
  ASSERT_EQ(Workplace().Shell("mkfifo texts/b_train.jsonl").code, 0);
  Try(Workplace(), {"a pipe among the texts", command, {1}, "a named pipe"});
  fs::remove(Workplace().Path("texts/b_train.jsonl"));
  for (const char* options : {"--max_words 0", "--max_words -1", "--count -1", "--eval_count -1",
                              "--seed -1", "--max_words 99999999999999999999"}) {
    Try(Workplace(),
        {absl::StrCat("make-english ", options), absl::StrCat(command, " ", options), {1, 2}, ""});
  }
  for (const char* folder : {"none", "file", "pipe", "full", "circle"}) {
    Try(Workplace(), {absl::StrCat("make-english of ", folder),
                      absl::StrCat("unival data make-english ", folder, " english"),
                      {1},
                      folder});
  }
}

TEST(MadeSignalAttacks, OptionsAndPlacesThatAreNone) {
  for (const char* split : {"train", "eval"}) {
    for (const char* file : {"copy", "words"})
      WriteText(Workplace().Path(absl::StrCat("spoken/english/", split, "/", file, ".jsonl")),
                "{\"text\": \"a\"}\n");
  }
  const std::string start = "unival data make-signals models/nano ";
  for (const auto& [options, code] :
       std::vector<std::pair<std::string, int>>{{"--noise nan", 2},
                                                {"--noise 0", 1},
                                                {"--noise 1e9", 1},
                                                {"--count -1", 1},
                                                {"--eval_count 99999999999", 1},
                                                {"--kind none", 1},
                                                {"--seed -1", 2}}) {
    Try(Workplace(), {"make-signals " + options, start + "spoken " + options, {code}, ""});
  }
  for (const char* folder : {"none", "file", "pipe", "circle"}) {
    Try(Workplace(),
        {absl::StrCat("make-signals of ", folder), absl::StrCat(start, folder), {1}, folder});
  }
  Try(Workplace(),
      {"make-signals with no model", "unival data make-signals none spoken", {1}, "none"});
  for (const std::string& text : std::vector<std::string>{
           "", "null", "{", "{\"text\": 7}", "{\"other\": \"a\"}", "{\"text\": \"\xff\"}",
           "{\"text\": \"" + Repeated("word ", 100000) + "\"}"}) {
    TryText("make-signals of " + text.substr(0, 30), "spoken/english/eval/copy.jsonl", text,
            start + "spoken --count 0 --eval_count 1 --kind gaps", {0, 1}, "");
  }
}

TEST(StatementAttacks, OptionsAndPlacesThatAreNone) {
  const std::string command = "unival data make-statements made --count 1 --eval_count 1 ";
  for (const char* options :
       {"--count -1", "--eval_count -1", "--towers -0.1", "--towers 1.5", "--towers nan",
        "--towers inf", "--towers many", "--seed -1", "--count 99999999999999999999", "more"}) {
    Try(Workplace(), {absl::StrCat("make-statements ", options), command + options, {1, 2}, ""});
  }
  for (const char* place : {"file", "pipe", kDevice, "file/below"}) {
    Try(Workplace(),
        {absl::StrCat("make-statements into ", place),
         absl::StrCat("unival data make-statements ", place, " --count 1 --eval_count 1"),
         {1},
         ""});
  }
}

TEST(SpeakAttacks, TextsThatAreNone) {
  const std::string speak = "unival prompts speak models/nano ";
  WriteText(Workplace().Path("bytes.txt"), "\xff\xfe\x1b[2J\n" + std::string("\0\0\n", 3));
  WriteText(Workplace().Path("empty.txt"), "");
  WriteText(Workplace().Path("columns.jsonl"), "{\"other\": \"x\", \"text\": 7}\n");
  for (const auto& [words, codes] : std::vector<std::pair<std::string, std::vector<int>>>{
           {"''", {1}},
           {"' '", {1}},
           {"pipe", {1}},
           {"pipe.jsonl", {1}},
           {"device", {1}},
           {"full", {1}},
           {"sparse.jsonl", {1}},
           {"none.jsonl", {1}},
           {"empty.txt", {1}},
           {"columns.jsonl", {1}},
           {"columns.jsonl --column none", {1}},
           {"bytes.txt", {3}},
           {"nul.txt", {3}},
           {"\"$(printf '\\033[2Jx')\"", {3}},
           {"\"$(printf '\\377')\"", {3}},
           {"\"" + std::string(20000, 'a') + "\"", {3}}}) {
    Try(Workplace(), {"speak " + words.substr(0, 40), speak + words, codes, ""});
  }
  Try(Workplace(), {"speak with no model", "unival prompts speak none red", {1}, "none"});
}

// Files of answers and of references.
TEST(ScoreAttacks, FilesThatAreNone) {
  const std::string deep = Repeated("[", 400000) + Repeated("]", 400000);
  const std::string score = "unival score answers.json ";
  WriteText(Workplace().Path("right.json"),
            "{\"annotations\": [{\"image_id\": 1, \"caption\": \"a cat\"}]}");
  for (const std::string& text : std::vector<std::string>{
           "",
           "null",
           "7",
           "[]",
           "{}",
           "[7]",
           "{",
           "\xff\xff",
           deep,
           "{\"references\": " + deep + ", \"candidates\": {}}",
           "{\"references\": {\"a\": " + deep + "}, \"candidates\": {\"a\": \"x\"}}",
           "{\"references\": {\"a\": [\"x\"]}, \"candidates\": {\"a\": " + deep + "}}",
           "{\"references\": {\"a\": []}, \"candidates\": {\"a\": \"x\"}}",
           "{\"references\": 7, \"candidates\": 7}",
           "{\"references\": {\"a\": [7]}, \"candidates\": {\"a\": \"x\"}}",
           "{\"references\": {}, \"candidates\": {\"a\": \"x\"}}",
           "[{\"image_id\": 1, \"caption\": \"x\"}]",
           "{\"key\": " + deep + ", \"text\": \"x\", \"references\": [\"x\"]}",
           "{\"key\": 1, \"text\": " + deep + ", \"references\": [\"x\"]}",
           "{\"key\": 1, \"text\": \"x\"}",
           "{\"key\": 1, \"references\": [\"x\"]}",
           "{\"key\": 1, \"text\": \"x\", \"references\": [\"x\"], \"box\": [1]}"}) {
    TryText("score " + text.substr(0, 40), "answers.json", text, score, {1}, "answers.json");
  }
  for (const std::string& text : std::vector<std::string>{
           "null", "[7]", "[{\"image_id\": 1}]", "[{\"image_id\": 1, \"caption\": 7}]",
           "[{\"image_id\": 2, \"caption\": \"x\"}]",
           "[{\"image_id\": " + deep + ", \"caption\": \"x\"}]",
           "[{\"image_id\": 1, \"caption\": \"x\"}, {\"image_id\": 1, \"caption\": \"x\"}]",
           "[{\"question_id\": 1, \"answer\": \"x\"}]"}) {
    TryText("score of annotations " + text.substr(0, 40), "answers.json", text,
            score + "--references right.json", {1}, ".json");
  }
  for (const char* file : {"pipe", "device", "circle", "full", "sparse.jsonl", "none.json"}) {
    Try(Workplace(),
        {absl::StrCat("score ", file), absl::StrCat("unival score ", file), {1}, file});
  }
}

// Each word of one text is compared with each word of the other, so the time grows with the
// product.
TEST(ScoreAttacks, TextsThatWouldTakeHoursToCompare) {
  const auto record = [](const std::string& text) {
    return "{\"key\": \"1\", \"text\": \"" + text + "\", \"references\": [\"" + text + "\"]}\n";
  };
  for (const char* metric : {"meteor", "rouge_l", "wer"}) {
    const std::string command = absl::StrCat("unival score answers.jsonl --metrics ", metric);
    TryText(absl::StrCat(metric, " of long texts"), "answers.jsonl",
            record(Repeated("a b ", 20000)), command, {1}, "expected texts of at most");
    TryText(absl::StrCat(metric, " of a thousand equal words"), "answers.jsonl",
            record(Repeated("a ", 1000)), command, {0}, metric);
  }
}

TEST(SeriesAttacks, LinesThatAreNone) {
  const std::string folder = Workplace().Path("series"), row = Repeated("0.5,", 63) + "0.5";
  fs::create_directories(folder);
  WriteText(folder + "/one.csv", row + "\n");
  WriteText(folder + "/two.csv", row + "\n" + row + "\n");
  const std::string check =
      "unival plugin check '" + Runfile("plugins/series/libseries.so") + "' --sample series";
  Try(Workplace(), {"series as they are", check, {0}, ""});
  for (const auto& [name, text] : std::vector<std::pair<std::string, std::string>>{
           {"empty", ""},
           {"one number", "1"},
           {"no number", "x"},
           {"none of them", Repeated("nan,", 63) + "nan"},
           {"infinite", "1\n" + Repeated("inf,", 63) + "inf"},
           {"too many", row + ",0.5\n"},
           {"semicolons", row + "\n" + Repeated("0.5;", 63) + "0.5"},
           {"a NUL behind a row", row + std::string("\0and more", 9) + "\n"},
           {"a NUL in a row", std::string("0\0", 2) + row + "\n"},
           {"NULs", std::string(1000, '\0')},
           {"numbers beyond a float", row + "\n" + Repeated("1e99,", 63) + "1e99\n"},
           {"more than 1024 lines", Repeated(row + "\n", 1025)},
           {"a million lines", Repeated("1\n", 1000000)},
           {"one line without end", std::string(1 << 24, '1')}}) {
    WriteText(folder + "/bad.csv", text);
    Try(Workplace(), {"series: " + name, check, {3}, "bad.csv"});
  }
  fs::remove(folder + "/bad.csv");
  ASSERT_EQ(Workplace().Shell("mkfifo series/bad.csv").code, 0);
  Try(Workplace(), {"series: a pipe", check, {1}, "a named pipe"});
  fs::remove(folder + "/bad.csv");
}

TEST(TokenizerAttacks, FilesThatAreNone) {
  const std::string folder = Workplace().Path("words");
  fs::create_directories(folder);
  const std::string check = "unival plugin check '" +
                            Runfile("plugins/sentencepiece/libunival_sentencepiece.so") +
                            "' --tokenizer words";
  ASSERT_EQ(Workplace().Shell("cp models/nano/tokenizer/tokenizer.model words/whole").code, 0);
  const std::string whole = ReadText(folder + "/whole"), model = folder + "/tokenizer.model";
  for (const std::string& bytes : std::vector<std::string>{
           "", "x", std::string(1000, '\0'), std::string(1000, '\xff'),
           whole.substr(0, whole.size() / 2), whole.substr(whole.size() / 2), "{}"}) {
    WriteText(model, bytes);
    Try(Workplace(), {absl::StrCat("tokenizer of ", bytes.size(), " bytes"), check, {1, 3}, ""});
  }
  fs::remove(model);
  ASSERT_EQ(Workplace().Shell("mkfifo words/tokenizer.model").code, 0);
  Try(Workplace(), {"a pipe as a tokenizer", check, {1}, "a named pipe"});
  for (const char* place : {"none", "file", "pipe", "circle"}) {
    Try(Workplace(), {absl::StrCat("tokenizer in ", place),
                      check.substr(0, check.size() - 5) + place,
                      {1, 3},
                      ""});
  }
}

// A new model that should start from something that is not a model, or from a model that does not
// fit.
TEST(StartFromAttacks, ParentsThatAreNone) {
  const auto plan = [](const std::string& parent, const std::string& more) {
    return "name: \"x\" seed: 1 tokenizer_directory: \"models/nano/tokenizer\" start_from: \"" +
           parent + "\"\n" + more +
           "stage { trainable: \"all\" steps: 1 batch: 1 optimizer { learning_rate: 1e-3 }\n"
           "  source { task: \"image_caption\" path: \"a.jsonl\" } }\n"
           "fresh_model { name: \"x\" backbone { d_model: 32 ffn_dim: 64 heads: 4\n"
           "  encoder_layers: 1 decoder_layers: 1 token_bucket_size: 16 image_bucket_size: 8\n"
           "  max_positions: 64 attn_scale_factor: 2 }\n"
           "  tokenizer { type: \"sentencepiece\" directory: \"tokenizer\" block: \"core.bpe\" } "
           "}\n";
  };
  const std::string train = "rm -rf started && unival train start.textproto --output started";
  ASSERT_EQ(Workplace()
                .Shell("cp -r models/nano models/cut && chmod -R u+w models/cut && "
                       "truncate -s 1000 models/cut/backbone.safetensors && "
                       "mkdir -p models/hollow && cp models/nano/manifest.textproto models/hollow "
                       "&& mkdir -p models/piped && mkfifo models/piped/manifest.textproto")
                .code,
            0);
  for (const char* parent : {"none", "file", "pipe", "circle", "full", "models/cut",
                             "models/hollow", "models/piped", "/dev/null", ".", "models/nano"}) {
    TryText(absl::StrCat("start from ", parent), "start.textproto", plan(parent, ""), train, {1});
  }
  TryText("start from nothing", "start.textproto", plan(std::string(70000, 'p'), ""), train, {1});
  TryText("start from a model beside a model", "start.textproto",
          plan("models/nano", "model: \"models/nano\"\n"), train, {1});
  EXPECT_FALSE(fs::exists(Workplace().Path("started/model")));
}

// Scripts are given names with spaces, or no names.
TEST(RecipeAttacks, ScriptsSayWhatTheyNeed) {
  const std::string recipes = fs::path(Runfile("recipes/world.sh")).parent_path().string();
  for (const char* script :
       {"world.sh", "base.sh", "own_words.sh", "fsdd_speakers.sh", "nlvr.sh"}) {
    const std::string command = "bash '" + recipes + "/" + script + "'";
    Try(Workplace(), {absl::StrCat(script, " alone"), command, {2}, script});
    Try(Workplace(),
        {absl::StrCat(script, " with a word"), command + " 'a b; touch own'", {2}, script});
    Try(Workplace(), {absl::StrCat(script, " with nothing that is there"),
                      command + " /none/unival 'a $(touch own)' 'b; touch own' ''",
                      {1, 2, 126, 127},
                      ""});
  }
  EXPECT_FALSE(fs::exists(Workplace().Path("own")));
}

}  // namespace
}  // namespace unival
