// Tests every statement about `unival predict` in its help and in docs/cli.md, with the shipped
// model when the answers matter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Lines = std::vector<std::string>;

constexpr int kPictures = 12;

// Twelve pictures of the kind that nano was trained on, with questions, and models/nano.
const Program& Workplace() {
  static const Program* const kProgram = [] {
    auto* program = new Program(NewFolder("predict"));
    fs::create_directories(program->Path("models"));
    const fs::path nano = fs::canonical(Runfile("models/nano/manifest.textproto")).parent_path();
    fs::create_directory_symlink(nano, program->Path("models/nano"));
    const Outcome made = program->Shell(
        "unival data make-world data --kind image --count 12 --eval_count 12 --seed 7 && "
        "mkdir photos && tar -xf data/image/eval/images.tar -C photos && "
        "echo 'this is no picture' > broken.png");
    EXPECT_EQ(made.code, 0) << made.err;
    return program;
  }();
  return *kProgram;
}

Lines LinesOf(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Outcome RunOk(const std::string& command_line) {
  const Outcome outcome = Workplace().Run(command_line);
  EXPECT_EQ(outcome.code, 0) << command_line << "\n" << outcome.err;
  return outcome;
}

std::string Photo(int index) { return "photos/00000" + std::to_string(index) + ".png"; }

std::string CaptionOf(const std::string& photo) {
  return LinesOf(RunOk("predict models/nano --task image_caption --input image=" + photo).out)
      .at(0);
}

// NAME, tab, answer.
std::pair<std::string, std::string> Split(const std::string& line) {
  const size_t tab = line.find('\t');
  EXPECT_NE(tab, std::string::npos) << line;
  return {line.substr(0, tab), line.substr(tab + 1)};
}

TEST(Predict, ShortOptionsNameTheTasksOwnColumns) {
  const std::string vqa = "predict models/nano --task vqa ";
  const std::string question = "'what is the color of the circle?'";
  EXPECT_EQ(RunOk(vqa + "--image photos/000000.png --text " + question).out,
            RunOk(vqa + "--input image=photos/000000.png --input question=" + question).out);
  EXPECT_EQ(
      RunOk("predict models/nano --task text_qa --text 'a red circle' --input question=" + question)
          .out,
      RunOk("predict models/nano --task text_qa --input text='a red circle' --input question=" +
            question)
          .out);
  EXPECT_EQ(RunOk("predict models/nano --task image_caption --image photos/000000.png").out,
            CaptionOf(Photo(0)) + "\n");
  EXPECT_EQ(LinesOf(RunOk("predict models/nano --task image_caption photos/000000.png").out),
            Lines{"photos/000000.png\t" + CaptionOf(Photo(0))});
  const Outcome none = Workplace().Run("predict models/nano --task vqa --audio x.wav");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("--audio"), HasSubstr("got none"), HasSubstr("image")));
  const Outcome nothing = Workplace().Run("predict models/nano --task vqa");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, AllOf(HasSubstr("--input"), HasSubstr("--image"), HasSubstr("--help")));
}

TEST(Predict, FilesFoldersAndPatternsAreAnsweredInOrderWithTheirNames) {
  const std::string predict = "predict models/nano --task image_caption ";
  const Lines all = LinesOf(RunOk(predict + "photos").out);
  ASSERT_EQ(all.size(), kPictures);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(all[i], Photo(i) + "\t" + CaptionOf(Photo(i)));
  for (const char* words : {"photos/*.png", "--image photos/*.png", "'photos/*.png'",
                            "--image photos", "--image 'photos/*.png'", "photos --batch 1"}) {
    EXPECT_EQ(LinesOf(RunOk(predict + words).out), all) << words;
  }
  EXPECT_EQ(LinesOf(RunOk(predict + "'photos/00000{2,0}.png'").out), Lines({all[2], all[0]}));
  EXPECT_EQ(LinesOf(RunOk(predict + "'photos/{000003..000005}.png'").out),
            Lines({all[3], all[4], all[5]}));
  EXPECT_EQ(LinesOf(RunOk(predict + "'photos/*.{jpg,png}'").out), all) << "one kind is not there";
  EXPECT_EQ(LinesOf(RunOk(predict + "photos/000001.png photos/000000.png").out),
            Lines({all[1], all[0]}));
  EXPECT_EQ(LinesOf(RunOk(predict + "photos --limit 2").out), Lines({all[0], all[1]}));
  const Outcome nothing = Workplace().Run(predict + "'photos/*.jpg'");
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("no file fits"));
  fs::create_directories(Workplace().Path("empty"));
  EXPECT_THAT(Workplace().Run(predict + "empty").err, HasSubstr("a folder without files"));
}

TEST(Predict, OneTextIsForAllRecordsOrThereIsOneEach) {
  const std::string predict = "predict models/nano --task vqa --json ";
  const Lines one = LinesOf(
      RunOk(predict + "photos/000000.png photos/000001.png --text 'how many circles are there?'")
          .out);
  const Lines each =
      LinesOf(RunOk(predict + "photos/000000.png photos/000001.png --text 'how many circles "
                              "are there?' --text 'how many circles are there?'")
                  .out);
  EXPECT_EQ(one.size(), 2u);
  EXPECT_EQ(one, each);
  const Lines questions =
      LinesOf(RunOk(predict + "--image photos/000000.png --text a --text b --text c").out);
  ASSERT_EQ(questions.size(), 3u);
  EXPECT_EQ(json::parse(questions[1])["input"], "b") << "called by what tells them apart";
  const Outcome wrong = Workplace().Run(predict + "photos --text 'what is it?' --text 'how many?'");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("--text"), HasSubstr("12"), HasSubstr("got 2")));
}

TEST(Predict, JsonIsOneObjectALineWithNameTaskAnswerAndScore) {
  const Outcome outcome = RunOk("predict models/nano --task image_caption photos --json");
  const Lines lines = LinesOf(outcome.out);
  ASSERT_EQ(lines.size(), kPictures);
  for (size_t i = 0; i < lines.size(); ++i) {
    const json answer = json::parse(lines[i]);
    EXPECT_EQ(answer["task"], "image_caption");
    EXPECT_FALSE(answer["text"].get<std::string>().empty());
    EXPECT_LE(answer["score"].get<double>(), 0);
    EXPECT_THAT(answer["input"].get<std::string>(), StartsWith("photos/0000"));
    EXPECT_FALSE(answer.contains("error"));
  }
  const json single = json::parse(
      RunOk("predict models/nano --task image_caption --image photos/000000.png --json").out);
  EXPECT_EQ(single["input"], "photos/000000.png");
  EXPECT_EQ(single["text"], CaptionOf(Photo(0)));
}

TEST(Predict, DataFilesAreReadAsTrainingReadsThem) {
  const std::string predict = "predict models/nano --task vqa --json ";
  const Lines lines = LinesOf(RunOk(predict + "data/image/eval/vqa.jsonl --limit 5").out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(json::parse(lines[0])["input"], "vqa.jsonl:1");
  RunOk(
      "eval models/nano --task vqa --data data/image/eval/vqa.jsonl --limit 5 --predictions "
      "eval.jsonl");
  const Lines measured = LinesOf(ReadText(Workplace().Path("eval.jsonl")));
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(json::parse(lines[i])["text"], json::parse(measured[i])["text"]);
  }
  // Other column names, media in another folder, and values for all records.
  WriteText(Workplace().Path("named.jsonl"),
            "{\"picture\": \"mine:000000.png\"}\n{\"picture\": \"mine:000001.png\"}\n");
  const Lines named = LinesOf(RunOk(predict + "named.jsonl --column image=picture --media_root "
                                              "mine=photos --text 'how many circles are there?'")
                                  .out);
  const Lines direct = LinesOf(
      RunOk(predict + "photos/000000.png photos/000001.png --text 'how many circles are there?'")
          .out);
  ASSERT_EQ(named.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(json::parse(named[i])["text"], json::parse(direct[i])["text"]);
    EXPECT_EQ(json::parse(named[i])["score"], json::parse(direct[i])["score"]);
  }
  const Outcome lacks = Workplace().Run(predict + "data/image/eval/caption.jsonl");
  EXPECT_EQ(lacks.code, 1);
  EXPECT_THAT(lacks.err, AllOf(HasSubstr("\"question\""), HasSubstr("--input question=")));
  const Outcome two = RunOk(predict +
                            "data/image/eval/vqa.jsonl named.jsonl --limit 1 --column "
                            "question=question --text x --max_unreadable 1");
  EXPECT_EQ(LinesOf(two.out).size(), 2u);
}

// The second record is written when the first has been answered.
TEST(Predict, StandardInputIsAnsweredLineByLineAsItComes) {
  WriteText(Workplace().Path("talk.sh"), R"(set -e
coproc ASK { unival predict models/nano --task vqa - --json; }
asked=$ASK_PID question=${ASK[1]}
echo '{"image": "photos/000000.png", "question": "how many circles are there?"}' >&${ASK[1]}
read -t 120 first <&${ASK[0]}
echo "first $first"
echo 'no record' >&${ASK[1]}
printf '{"image": "photos/000001.png", "question": "how many circles are there?"}\n\n' >&${ASK[1]}
read -t 120 second <&${ASK[0]}
read -t 120 third <&${ASK[0]}
echo "second $second"
echo "third $third"
eval "exec $question>&-"
wait $asked
)");
  const Outcome outcome = Workplace().Shell("bash talk.sh; echo \"code $?\"");
  const Lines lines = LinesOf(outcome.out);
  ASSERT_EQ(lines.size(), 4u) << outcome.out << outcome.err;
  EXPECT_EQ(json::parse(lines[0].substr(6))["input"], "-:1");
  EXPECT_THAT(json::parse(lines[1].substr(7))["error"].get<std::string>(), HasSubstr("column"));
  EXPECT_EQ(json::parse(lines[2].substr(6))["input"], "-:3");
  EXPECT_EQ(lines[3], "code 1") << "one of three had no answer";
}

TEST(Predict, StandardInputKeepsItsOrderInBatches) {
  std::string records;
  for (int i = 0; i < kPictures; ++i) {
    records += json{{"image", "photos/" + std::string(i < 10 ? "00000" : "0000") +
                                  std::to_string(i) + ".png"}}
                   .dump() +
               "\n";
  }
  WriteText(Workplace().Path("many.jsonl"), "\xef\xbb\xbf" + records);
  const Outcome piped = Workplace().Shell(
      "cat many.jsonl | unival predict models/nano --task image_caption - --batch 5");
  ASSERT_EQ(piped.code, 0) << piped.err;
  const Lines lines = LinesOf(piped.out);
  const Lines files = LinesOf(RunOk("predict models/nano --task image_caption photos").out);
  ASSERT_EQ(lines.size(), files.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(Split(lines[i]).first, "-:" + std::to_string(i + 1));
    EXPECT_EQ(Split(lines[i]).second, Split(files[i]).second);
  }
  const Outcome packed =
      Workplace().Shell("gzip -c many.jsonl | unival predict models/nano --task image_caption -");
  EXPECT_EQ(packed.code, 1);
  EXPECT_THAT(packed.err, HasSubstr("zcat"));
}

TEST(Predict, NBestGivesAnswersWithScoresBestFirst) {
  const std::string predict =
      "predict models/nano --task image_caption --image photos/000000.png --n_best 3 ";
  const Lines lines = LinesOf(RunOk(predict).out);
  ASSERT_EQ(lines.size(), 3u);
  double before = 0;
  for (const std::string& line : lines) {
    const double score = std::stod(Split(line).first);
    EXPECT_LE(score, before);
    before = score;
  }
  EXPECT_EQ(LinesOf(RunOk(predict + "--beam 3").out), lines) << "as many beams unless said";
  const json answer = json::parse(RunOk(predict + "--json").out);
  ASSERT_EQ(answer["answers"].size(), 3u);
  EXPECT_EQ(answer["answers"][0]["text"], answer["text"]);
  EXPECT_EQ(answer["answers"][0]["score"], answer["score"]);
  EXPECT_EQ(Split(lines[2]).second, answer["answers"][2]["text"]);
  const Outcome few = Workplace().Run(predict + "--beam 2");
  EXPECT_EQ(few.code, 2);
  EXPECT_THAT(few.err, AllOf(HasSubstr("--n_best 3"), HasSubstr("raise --beam")));
  const Lines two =
      LinesOf(RunOk("predict models/nano --task image_caption photos/000000.png photos/000001.png "
                    "--n_best 2")
                  .out);
  ASSERT_EQ(two.size(), 4u);
  EXPECT_EQ(Split(two[1]).first, "photos/000000.png");
}

TEST(Predict, StreamedTextIsTheText) {
  for (const char* words : {"--image photos/000000.png", "photos", "photos --beam 4"}) {
    const std::string predict = std::string("predict models/nano --task image_caption ") + words;
    EXPECT_EQ(RunOk(predict + " --stream").out, RunOk(predict).out) << words;
  }
  const std::string grounding =
      "predict models/nano --task grounding --image photos/000000.png --text 'the circle'";
  EXPECT_EQ(RunOk(grounding + " --stream").out, RunOk(grounding).out);
  for (const char* other : {"--json", "--n_best 2"}) {
    const Outcome refused = Workplace().Run(grounding + " --stream " + other);
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("--stream"), HasSubstr("leave one of them out")));
  }
}

// `dd` counts its reads: a single one when all output comes at once.
TEST(Predict, StreamedTextIsThereBeforeTheAnswerHasEnded) {
  const std::string command =
      "unival predict models/nano --task image_caption --image photos/000000.png";
  const auto reads = [](const std::string& err) {
    std::smatch found;
    return std::regex_search(err, found, std::regex("(\\d+)\\+(\\d+) records in"))
               ? std::stoi(found[1]) + std::stoi(found[2])
               : 0;
  };
  EXPECT_EQ(reads(Workplace().Shell(command + " | dd bs=64k").err), 1);
  const Outcome streamed = Workplace().Shell(command + " --stream | dd bs=64k");
  EXPECT_GT(reads(streamed.err), 1) << streamed.err;
  EXPECT_EQ(streamed.out, CaptionOf(Photo(0)) + "\n");
}

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}

TEST(Predict, DrawsBoxesOntoPictures) {
  const std::string grounding = "predict models/nano --task grounding --text 'the circle' ";
  const std::string alone = RunOk(grounding + "--image photos/000000.png").out;
  EXPECT_EQ(RunOk(grounding + "--image photos/000000.png --draw found.png").out, alone);
  const std::string drawn = ReadText(Workplace().Path("found.png"));
  const std::string photo = ReadText(Workplace().Path("photos/000000.png"));
  EXPECT_EQ(drawn.substr(1, 3), "PNG");
  EXPECT_NE(drawn, photo);
  for (const size_t at : {16, 20}) EXPECT_EQ(BigEndian(drawn, at), BigEndian(photo, at));
  RunOk(grounding + "photos --draw drawn --n_best 2");
  for (int i = 0; i < kPictures; ++i) {
    const std::string name = (i < 10 ? "00000" : "0000") + std::to_string(i) + ".png";
    EXPECT_EQ(ReadText(Workplace().Path("drawn/" + name)).substr(1, 3), "PNG") << name;
  }
  const Outcome caption = Workplace().Run(
      "predict models/nano --task image_caption --image photos/000000.png --draw x.png");
  EXPECT_EQ(caption.code, 1);
  EXPECT_THAT(caption.err, AllOf(HasSubstr("--draw"), HasSubstr("box")));
  const Outcome name = Workplace().Run(grounding + "--image photos/000000.png --draw x.jpg");
  EXPECT_EQ(name.code, 1);
  EXPECT_THAT(name.err, HasSubstr("NAME.png"));
  const Outcome itself =
      Workplace().Run(grounding + "--image photos/000000.png --draw photos/000000.png");
  EXPECT_EQ(itself.code, 1);
  EXPECT_EQ(ReadText(Workplace().Path("photos/000000.png")), photo);
}

TEST(Predict, NamesAndCountsWhatHasNoAnswerAndGoesOn) {
  const std::string predict = "predict models/nano --task image_caption ";
  const Outcome one = RunOk(predict + "photos broken.png");
  EXPECT_EQ(LinesOf(one.out).size(), kPictures);
  EXPECT_THAT(one.err, AllOf(HasSubstr("failed  "), HasSubstr("broken.png"),
                             HasSubstr("1 of 13 records have no answer")));
  const Lines lines = LinesOf(RunOk(predict + "broken.png photos --json").out);
  ASSERT_EQ(lines.size(), kPictures + 1);
  const json failed = json::parse(lines[0]);
  EXPECT_EQ(failed["input"], "broken.png");
  EXPECT_THAT(failed["error"].get<std::string>(), HasSubstr("broken.png"));
  EXPECT_FALSE(failed.contains("text"));
  const Outcome many = Workplace().Run(predict + "broken.png none.png photos/000000.png");
  EXPECT_EQ(many.code, 1);
  EXPECT_EQ(LinesOf(many.out).size(), 1u) << "what can be answered is";
  EXPECT_THAT(many.err, AllOf(HasSubstr("10 %"), HasSubstr("got 2 of 3"), HasSubstr("none.png"),
                              HasSubstr("--max_unreadable")));
  EXPECT_EQ(Workplace().Run(predict + "broken.png photos/000000.png --max_unreadable 0.5").code, 0);
  EXPECT_EQ(Workplace().Run(predict + "photos broken.png --max_unreadable 0").code, 1);
  EXPECT_EQ(Workplace().Run(predict + "photos --max_unreadable 2").code, 2);
}

TEST(Predict, SaysOnATerminalHowFarItIs) {
  const std::string command = "unival predict models/nano --task image_caption photos --batch 2";
  EXPECT_EQ(Workplace().Shell(command).err, "");
  const Outcome terminal =
      Workplace().Shell("script -qefc '" + command + " >answers.txt' /dev/null");
  EXPECT_EQ(terminal.code, 0) << terminal.err;
  EXPECT_THAT(terminal.out, AllOf(HasSubstr("predicting: "), HasSubstr("12 of 12, took ")));
  EXPECT_THAT(ReadText(Workplace().Path("answers.txt")), Not(HasSubstr("predicting")));
}

constexpr char kLabels[] = R"(name: "labels"
task {
  name: "choose"
  prompt: " {question:text}"
  target: " {answer:label}"
  labels {
    slot: "answer" values: "yes" values: "no" values: "a red circle" values: "a red square"
    values: "two"
  }
}
task {
  name: "choose_scored"
  prompt: " {question:text}"
  target: " {answer:label}"
  labels {
    slot: "answer" values: "yes" values: "no" values: "a red circle" values: "a red square"
    values: "two"
  }
  generation { score_candidates: true }
}
)";

std::string RandomText(std::mt19937& random) {
  const Lines words = {
      "how", "many", "red", "circle", "the",   "?",    "yes", "no", "\xc3\xa9", "\xf0\x9f\x98\x80",
      "<s>", "0",    "...", "a",      "video", "what", "\\",  "{x}"};
  std::string text;
  for (uint32_t i = random() % 20; i-- > 0;) text += words[random() % words.size()] + " ";
  return text;
}

TEST(Predict, AThousandRandomPromptsStayInTheirLabelSet) {
  const std::set<std::string> labels = {"yes", "no", "a red circle", "a red square", "two"};
  WriteText(Workplace().Path("labels.textproto"), kLabels);
  std::mt19937 random(5);
  std::string records;
  for (int i = 0; i < 1000; ++i) records += json{{"question", RandomText(random)}}.dump() + "\n";
  WriteText(Workplace().Path("random.jsonl"), records);
  std::set<std::string> said;
  // All records once; the other search settings only on the first records.
  for (const auto& [options, count] :
       {std::pair("--task choose", 1000), std::pair("--task choose --beam 3", 200),
        std::pair("--task choose_scored", 200), std::pair("--task choose --n_best 2", 200)}) {
    const Outcome outcome = Workplace().Shell(
        "unival predict models/nano --templates labels.textproto - --batch 50 --json --limit " +
        std::to_string(count) + " " + options + " <random.jsonl");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const Lines lines = LinesOf(outcome.out);
    ASSERT_EQ(lines.size(), static_cast<size_t>(count));
    for (const std::string& line : lines) {
      const json answer = json::parse(line);
      said.insert(answer["text"].get<std::string>());
      for (const json& one : answer.value("answers", json::array())) {
        EXPECT_EQ(labels.count(one["text"]), 1u) << line;
      }
    }
  }
  EXPECT_GT(said.size(), 1u) << "prompts that all have one answer show nothing";
  for (const std::string& answer : said) EXPECT_EQ(labels.count(answer), 1u) << answer;
}

constexpr char kCodesTasks[] = R"(name: "codes"
task {
  name: "paint"
  prompt: " paint {caption}"
  target: "{codes:codes}"
  codes_block: "core.image_code"
  generation { min_tokens: 16 max_tokens: 16 }
}
)";

constexpr char kCodesPlan[] = R"(name: "codes"
seed: 1
tokenizer_directory: "tokenizer"
templates: "codes_tasks.textproto"
fresh_model {
  name: "codes"
  backbone {
    d_model: 32 ffn_dim: 64 heads: 2 encoder_layers: 1 decoder_layers: 1
    token_bucket_size: 32 image_bucket_size: 8 max_positions: 64 attn_scale_factor: 2
    code_image_size: 32 code_layernorm_embedding: true
    encoder_pre_norm: true decoder_pre_norm: true
  }
  vocabulary { blocks { id: "core.image_code" extents { size: 32 } } }
  tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
}
stage {
  name: "all"
  trainable: "all"
  steps: 1
  batch: 1
  optimizer { learning_rate: 1e-3 schedule: "constant" clip_norm: 1 }
  source { name: "paint" task: "paint" path: "codes.jsonl" }
}
)";

TEST(Predict, SavesImageCodesAndSaysWhatIsMissingForPictures) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("recipes/codes_tasks.textproto"), kCodesTasks);
  WriteText(program.Path("recipes/codes.textproto"), kCodesPlan);
  WriteText(program.Path("data/codes.jsonl"),
            json{{"caption", "a circle"}, {"codes", std::vector<int>(16, 3)}}.dump() + "\n");
  const Outcome trained =
      program.Run("train recipes/codes.textproto --data_root data --output runs/codes");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string paint = "predict runs/codes/model --task paint --text 'a circle' --json ";
  const Outcome saved = program.Run(paint + "--save codes.npy");
  ASSERT_EQ(saved.code, 0) << saved.err;
  const std::string file = ReadText(program.Path("codes.npy"));
  EXPECT_THAT(file, AllOf(HasSubstr("NUMPY"), HasSubstr("'<i8'"), HasSubstr("(4, 4)")));
  const json codes = json::parse(saved.out)["codes"];
  ASSERT_EQ(codes.size(), 16u);
  ASSERT_EQ(file.size() % 64, 0u);
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t at = file.size() - 8 * (codes.size() - i);
    EXPECT_EQ(static_cast<unsigned char>(file[at]), codes[i].get<int>());
  }
  const Outcome plain = program.Run("predict runs/codes/model --task paint --text 'a circle'");
  EXPECT_THAT(plain.out, StartsWith(std::to_string(codes[0].get<int>()) + " "));
  const Outcome picture = program.Run(paint + "--save picture.png");
  EXPECT_EQ(picture.code, 1);
  EXPECT_THAT(picture.err, AllOf(HasSubstr("no decoder"), HasSubstr("NAME.npy")));
  EXPECT_FALSE(fs::exists(program.Path("picture.png")));
  const Outcome words = program.Run(
      "predict models/tiny --task image_caption --image data/none.png --save codes.npy");
  EXPECT_EQ(words.code, 1);
}

}  // namespace
}  // namespace unival
