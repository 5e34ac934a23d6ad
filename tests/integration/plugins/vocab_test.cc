// `unival vocab`: blocks are added, retired, restored and extended; ids never change, and adapters
// still fit.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const Program& Workplace() {
  static const auto* const program = [] {
    auto* made = new Program(NewFolder("vocab"));
    fs::copy(Runfile("models/nano"), made->Path("nano"), fs::copy_options::recursive);
    return made;
  }();
  return *program;
}

json Blocks(const std::string& model) {
  const Outcome outcome = Workplace().Run("vocab list " + model + " --json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return json::parse(outcome.out, nullptr, false);
}

json BlockOf(const std::string& model, const std::string& id) {
  for (const json& block : Blocks(model)) {
    if (block["block"] == id) return block;
  }
  return nullptr;
}

int64_t EndOf(const std::string& model) {
  int64_t end = 0;
  for (const json& block : Blocks(model)) {
    for (const json& extent : block["ids"]) end = std::max(end, extent[1].get<int64_t>());
  }
  return end;
}

// [[begin, end], ...]
json Extents(const std::vector<std::pair<int64_t, int64_t>>& ranges) {
  json extents = json::array();
  for (const auto& range : ranges) extents.push_back(json::array({range.first, range.second}));
  return extents;
}

std::string Plugin() { return "--plugin '" + Runfile("tests/abi/libgood.so") + "'"; }

TEST(Vocab, ListPrintsBlocksWithTheirIds) {
  const Outcome outcome = Workplace().Run("vocab list nano");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("core.special"), HasSubstr("0 to 3 "),
                                 HasSubstr("core.location_bin")));
}

TEST(Vocab, AddsWhatAPluginDeclaresAtTheEndAndTheModelStillAnswers) {
  const int64_t end = EndOf("nano");
  const Outcome added = Workplace().Run("vocab add nano --output added " + Plugin());
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(BlockOf("added", "fixture.code")["ids"], Extents({{end, end + 16}}));
  EXPECT_EQ(BlockOf("added", "fixture.code")["owner"], "fixture");
  for (const json& block : Blocks("nano")) EXPECT_EQ(BlockOf("added", block["block"]), block);
  EXPECT_EQ(Workplace().Run("inspect added").code, 0) << "the adapters still fit the backbone";
  EXPECT_EQ(EndOf("nano"), end) << "the model that was read is as it was";
}

TEST(Vocab, AddingTwiceChangesNothingAndTheRowsAreSeeded) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output one --block other.code=8 " + Plugin()).code, 0);
  ASSERT_EQ(program.Run("vocab add nano --output two --block other.code=8 " + Plugin()).code, 0);
  ASSERT_EQ(
      program.Run("vocab add nano --output three --seed 2 --block other.code=8 " + Plugin()).code,
      0);
  const auto rows = [&](const std::string& model) {
    return ReadText(program.Path(model + "/tokens.fixture.code.safetensors"));
  };
  EXPECT_EQ(rows("one"), rows("two"));
  EXPECT_NE(rows("one"), rows("three"));
  EXPECT_LT(BlockOf("one", "fixture.code")["ids"][0][0], BlockOf("one", "other.code")["ids"][0][0])
      << "ordered by id";
  const json before = Blocks("one");
  ASSERT_EQ(program.Run("vocab add one " + Plugin()).code, 0);
  EXPECT_EQ(Blocks("one"), before);
  EXPECT_EQ(rows("one"), rows("two"));
}

TEST(Vocab, RetiredBlocksKeepTheirIdsAndAreRevived) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output retiring " + Plugin()).code, 0);
  const json ids = BlockOf("retiring", "fixture.code")["ids"];
  ASSERT_EQ(program.Run("vocab retire retiring fixture.code").code, 0);
  EXPECT_TRUE(BlockOf("retiring", "fixture.code")["retired"]);
  EXPECT_EQ(BlockOf("retiring", "fixture.code")["ids"], ids);
  EXPECT_THAT(program.Run("vocab list retiring").out, HasSubstr("retired"));
  EXPECT_EQ(program.Run("inspect retiring").code, 0);
  ASSERT_EQ(program.Run("vocab add retiring " + Plugin()).code, 0);
  EXPECT_FALSE(BlockOf("retiring", "fixture.code")["retired"]);
  EXPECT_EQ(BlockOf("retiring", "fixture.code")["ids"], ids);
}

// Gives block "twin.code" of a model an embedding row for each text token: the token's row times
// three. So the model always prefers the twin to the text token.
void PreferTwins(const std::string& directory) {
  const auto model = ModelDirectory::Open(directory).value();
  const auto writer = ModelDirectoryWriter::Create(directory, {/*overwrite=*/true}).value();
  for (const std::string& id : model->ComponentIds()) {
    if (id == TokensComponentId("twin.code")) continue;
    ASSERT_TRUE(writer->CopyComponent(*model, id).ok());
  }
  const at::Tensor text =
      model->ReadComponent(TokensComponentId("core.bpe")).value().at(kTokenRows);
  ASSERT_TRUE(writer->AddTensors(TokensComponentId("twin.code"), {{kTokenRows, text * 3}}).ok());
  ASSERT_TRUE(writer->Commit(model->manifest()).ok());
}

// Tasks that differ in how they search.
constexpr char kStrategies[] = R"(
  name: "strategies"
  task {
    name: "greedy" input { name: "image" modality: "image" }
    prompt: " what does the image describe?"
    target: " {caption:text}" generation { beam: 1 max_tokens: 12 } metric: "exact_match"
  }
  task {
    name: "beam" input { name: "image" modality: "image" } prompt: " what does the image describe?"
    target: " {caption:text}" generation { beam: 5 max_tokens: 12 } metric: "exact_match"
  }
  task {
    name: "sampling" input { name: "image" modality: "image" }
    prompt: " what does the image describe?"
    target: " {caption:text}" generation { sample: true seed: 3 max_tokens: 12 }
    metric: "exact_match"
  }
  task {
    name: "closed_set" input { name: "image" modality: "image" }
    prompt: " what does the image describe?"
    target: " {caption:label}" labels { slot: "caption" values: "a red circle"
    values: "a blue square" values: "a red square" }
    generation { beam: 3 } metric: "exact_match"
  }
  task {
    name: "candidates" input { name: "image" modality: "image" }
    prompt: " what does the image describe?"
    target: " {caption:label}" labels { slot: "caption" values: "a red circle"
    values: "a blue square" values: "a red square" }
    generation { score_candidates: true } metric: "exact_match"
  }
)";

TEST(Vocab, RetiredBlocksAreNeverGeneratedWhateverTheWeightsPrefer) {
  const Program& program = Workplace();
  WriteText(program.Path("strategies.textproto"), kStrategies);
  ASSERT_EQ(
      program.Run("data make-world retire_world --kind image --count 1 --eval_count 1 --seed 1")
          .code,
      0);
  const Outcome picture = program.Shell(
      "mkdir pictures && tar -xf retire_world/image/train/images.tar -C pictures && ls pictures/*");
  ASSERT_EQ(picture.code, 0) << picture.err;
  const int64_t size = BlockOf("nano", "core.bpe")["size"];
  ASSERT_EQ(
      program.Run("vocab add nano --output twins --block twin.code=" + std::to_string(size)).code,
      0);
  PreferTwins(program.Path("twins"));
  ASSERT_EQ(program.Run("vocab retire twins twin.code --output retired").code, 0);
  const auto answer = [&](const std::string& model, const std::string& task) {
    const Outcome outcome =
        program.Run("predict " + model + " --templates strategies.textproto --json --task " + task +
                    " --input image=" + picture.out);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  };
  for (const std::string task : {"greedy", "beam", "sampling", "closed_set", "candidates"}) {
    const json expected = answer("nano", task), actual = answer("retired", task);
    EXPECT_EQ(actual["text"], expected["text"]) << task;
    EXPECT_NEAR(actual["score"].get<double>(), expected["score"].get<double>(), 1e-5) << task;
    if (task == "closed_set" || task == "candidates") continue;  // these never allow twins
    EXPECT_NE(answer("twins", task)["text"], expected["text"])
        << task << ": the twins are not preferred";
  }
}

TEST(Vocab, ABlockOfTheModelsOwnIsRevived) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab retire nano core.location_bin --output without_bins").code, 0);
  EXPECT_TRUE(BlockOf("without_bins", "core.location_bin")["retired"]);
  const Outcome revived = program.Run("vocab add without_bins --block core.location_bin=64");
  ASSERT_EQ(revived.code, 0) << revived.err;
  EXPECT_EQ(BlockOf("without_bins", "core.location_bin"), BlockOf("nano", "core.location_bin"));
}

TEST(Vocab, GrowsByAnExtentOnlyWhenAsked) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output growing --block a.code=8 --block b.code=4").code,
            0);
  const Outcome refused = program.Run("vocab add growing --block a.code=12");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("a.code"));
  const int64_t end = EndOf("growing");
  ASSERT_EQ(program.Run("vocab add growing --grow --block a.code=12 --init mean").code, 0);
  EXPECT_EQ(BlockOf("growing", "a.code")["ids"], Extents({{end - 12, end - 4}, {end, end + 4}}));
  EXPECT_EQ(program.Run("inspect growing").code, 0);
}

// Compares the predictions of two runs: the words are equal, and the scores differ only by the
// order of additions in a softmax.
void ExpectSameAnswers(const std::string& actual, const std::string& expected) {
  std::istringstream left(actual), right(expected);
  std::string one, other;
  int lines = 0;
  for (; std::getline(right, other); ++lines) {
    ASSERT_TRUE(std::getline(left, one));
    const json a = json::parse(one), b = json::parse(other);
    EXPECT_EQ(a["text"], b["text"]);
    EXPECT_NEAR(a["score"].get<double>(), b["score"].get<double>(), 1e-6);
  }
  EXPECT_GT(lines, 0);
}

// Two models with the same blocks at different offsets: an adapter of one works in the other.
TEST(Adapters, MoveBetweenCheckpointsWithOtherOffsets) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --block a.code=8 --output a_first").code, 0);
  ASSERT_EQ(program.Run("vocab add a_first --block z.code=4").code, 0);
  ASSERT_EQ(program.Run("vocab add nano --block z.code=4 --output z_first").code, 0);
  ASSERT_EQ(program.Run("vocab add z_first --block a.code=8").code, 0);
  ASSERT_NE(BlockOf("a_first", "a.code")["ids"], BlockOf("z_first", "a.code")["ids"]);
  ASSERT_EQ(
      program.Run("data make-world world --kind image --count 8 --eval_count 4 --seed 1").code, 0);
  WriteText(program.Path("again.textproto"), R"(
    name: "again" seed: 1 model: "a_first"
    stage { name: "connection" trainable: "connection:image" steps: 3 batch: 4
    optimizer { learning_rate: 1e-2 }
            source { name: "caption" task: "image_caption" path: "image/train/caption.jsonl" } })");
  const Outcome trained =
      program.Run("train again.textproto --data_root world --output again --quiet");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto answers = [&](const std::string& model) {
    const Outcome outcome = program.Run(
        "eval " + model + " --task image_caption --data world/image/eval/caption.jsonl " +
        "--predictions " + model + ".jsonl");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return program.Shell("cat " + model + ".jsonl").out;
  };
  fs::copy(program.Path("again/model"), program.Path("learned"), fs::copy_options::recursive);
  const std::string learned = answers("learned"), before = answers("z_first");
  EXPECT_NE(before, learned) << "training moved nothing";
  const Outcome there = program.Run("adapter copy learned image z_first");
  EXPECT_EQ(there.code, 1);
  EXPECT_THAT(there.err, HasSubstr("--replace"));
  const Outcome copied = program.Run("adapter copy learned image z_first --replace --output moved");
  ASSERT_EQ(copied.code, 0) << copied.err;
  ExpectSameAnswers(answers("moved"), learned);
  EXPECT_EQ(answers("z_first"), before) << "the original changed";
}

TEST(Adapters, OfAnotherLanguageModelAreRefused) {
  const Program& program = Workplace();
  WriteText(program.Path("other.textproto"), R"(
    name: "other" seed: 1 model: "nano"
    stage { name: "backbone" trainable: "backbone" steps: 1 batch: 2
    optimizer { learning_rate: 1e-3 }
            source { name: "caption" task: "image_caption" path: "image/train/caption.jsonl" } })");
  ASSERT_EQ(
      program.Run("data make-world world2 --kind image --count 4 --eval_count 1 --seed 1").code, 0);
  ASSERT_EQ(program.Run("train other.textproto --data_root world2 --output other --quiet").code, 0);
  const Outcome refused =
      program.Run("adapter copy nano image other/model --replace --output none");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("backbone_sha256"), HasSubstr("nano")));
  const Outcome missing = program.Run("adapter copy nano radar other/model");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("radar"), HasSubstr("unival inspect")));
}

// A run does not load what it does not need.
TEST(Modalities, OnlyThoseAskedForAreLoaded) {
  const Program& program = Workplace();
  const auto parameters = [&](const std::string& options) {
    const Outcome outcome = program.Run("inspect nano --json " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const json description = json::parse(outcome.out, nullptr, false);
    std::map<std::string, int64_t> parts;
    for (const json& part : description["parts"]) parts[part["part"]] = part["parameters"];
    return parts;
  };
  const auto all = parameters(""), image = parameters("--modality image");
  EXPECT_GT(all.at("modality.video"), 0);
  EXPECT_EQ(image.count("modality.video"), 0u);
  EXPECT_EQ(image.count("connection.video"), 0u);
  EXPECT_EQ(image.at("modality.image"), all.at("modality.image"));
  WriteText(program.Path("clip.mp4"), "any");
  const Outcome left_out =
      program.Run("predict nano --modality image --task video_caption --input video=clip.mp4");
  EXPECT_EQ(left_out.code, 1);
  EXPECT_THAT(left_out.err, AllOf(HasSubstr("video"), HasSubstr("not loaded")));
  const Outcome unknown = program.Run("inspect nano --modality radar");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("radar"), HasSubstr("image")));
}

TEST(Vocab, RefusesInWords) {
  const Program& program = Workplace();
  const std::pair<const char*, const char*> mistakes[] = {
      {"vocab list none", "none"},
      {"vocab add nano", "--block ID=SIZE"},
      {"vocab add nano --block a.code", "ID=SIZE"},
      {"vocab add nano --block core.code=4", "core."},
      {"vocab add nano --block a.code=0", "a.code"},
      {"vocab retire nano fixture.code", "fixture.code"},
      {"vocab retire nano core.special", "core.special"},
      {"vocab retire nano core.bpe", "tokenizer's"},
  };
  for (const auto& [command, says] : mistakes) {
    const Outcome outcome = program.Run(command);
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err, HasSubstr(says)) << command;
  }
}

}  // namespace
}  // namespace unival
