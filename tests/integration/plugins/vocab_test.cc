// `unival vocab`: blocks are appended, retired, revived and grown; ids never move; adapters keep fitting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

json Block(const std::string& model, const std::string& id) {
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
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("core.special"), HasSubstr("[0,4]"), HasSubstr("core.location_bin")));
}

TEST(Vocab, AddsWhatAPluginDeclaresAtTheEndAndTheModelStillAnswers) {
  const int64_t end = EndOf("nano");
  const Outcome added = Workplace().Run("vocab add nano --output added " + Plugin());
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(Block("added", "fixture.code")["ids"], Extents({{end, end + 16}}));
  EXPECT_EQ(Block("added", "fixture.code")["owner"], "fixture");
  for (const json& block : Blocks("nano")) EXPECT_EQ(Block("added", block["block"]), block);
  EXPECT_EQ(Workplace().Run("inspect added").code, 0) << "the adapters still fit the backbone";
  EXPECT_EQ(EndOf("nano"), end) << "the model that was read is as it was";
}

TEST(Vocab, AddingTwiceChangesNothingAndTheRowsAreSeeded) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output one --block other.code=8 " + Plugin()).code, 0);
  ASSERT_EQ(program.Run("vocab add nano --output two --block other.code=8 " + Plugin()).code, 0);
  ASSERT_EQ(program.Run("vocab add nano --output three --seed 2 --block other.code=8 " + Plugin()).code, 0);
  const auto rows = [&](const std::string& model) { return ReadText(program.Path(model + "/tokens.fixture.code.safetensors")); };
  EXPECT_EQ(rows("one"), rows("two"));
  EXPECT_NE(rows("one"), rows("three"));
  EXPECT_LT(Block("one", "fixture.code")["ids"][0][0], Block("one", "other.code")["ids"][0][0]) << "ordered by id";
  const json before = Blocks("one");
  ASSERT_EQ(program.Run("vocab add one " + Plugin()).code, 0);
  EXPECT_EQ(Blocks("one"), before);
  EXPECT_EQ(rows("one"), rows("two"));
}

TEST(Vocab, RetiredBlocksKeepTheirIdsAndAreRevived) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output retiring " + Plugin()).code, 0);
  const json ids = Block("retiring", "fixture.code")["ids"];
  ASSERT_EQ(program.Run("vocab retire retiring fixture.code").code, 0);
  EXPECT_TRUE(Block("retiring", "fixture.code")["retired"]);
  EXPECT_EQ(Block("retiring", "fixture.code")["ids"], ids);
  EXPECT_THAT(program.Run("vocab list retiring").out, HasSubstr("retired"));
  EXPECT_EQ(program.Run("inspect retiring").code, 0);
  ASSERT_EQ(program.Run("vocab add retiring " + Plugin()).code, 0);
  EXPECT_FALSE(Block("retiring", "fixture.code")["retired"]);
  EXPECT_EQ(Block("retiring", "fixture.code")["ids"], ids);
}

TEST(Vocab, GrowsByAnExtentOnlyWhenAsked) {
  const Program& program = Workplace();
  ASSERT_EQ(program.Run("vocab add nano --output growing --block a.code=8 --block b.code=4").code, 0);
  const Outcome refused = program.Run("vocab add growing --block a.code=12");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("a.code"));
  const int64_t end = EndOf("growing");
  ASSERT_EQ(program.Run("vocab add growing --grow --block a.code=12 --init mean").code, 0);
  EXPECT_EQ(Block("growing", "a.code")["ids"], Extents({{end - 12, end - 4}, {end, end + 4}}));
  EXPECT_EQ(program.Run("inspect growing").code, 0);
}

// What a run does not need is not in memory.
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
  const Outcome left_out = program.Run("predict nano --modality image --task video_caption --input video=clip.mp4");
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
  };
  for (const auto& [command, says] : mistakes) {
    const Outcome outcome = program.Run(command);
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err, HasSubstr(says)) << command;
  }
}

}  // namespace
}  // namespace unival
