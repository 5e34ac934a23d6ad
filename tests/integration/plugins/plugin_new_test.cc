// `unival plugin new`, and what the programs of tier 3 may do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "runtime/torchscript/program.h"
#include "sdk/base/sha256.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Kind {
  int tier;
  const char* kind;
};

// Names in backticks in a README that look like its files or folders but do not exist.
std::vector<std::string> MissingFilesOfReadme(const fs::path& folder) {
  const std::string text = ReadText((folder / "README.md").string());
  const std::regex name("`([A-Za-z0-9_]+(?:/|\\.[a-z.]+)|WORKSPACE|BUILD|Makefile)`");
  std::vector<std::string> missing;
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) {
    if (!fs::exists(folder / (*it)[1].str())) missing.push_back((*it)[1]);
  }
  return missing;
}

// Writes a folder `name` of that kind, and holds what is in it against what its author expects.
void WriteAndCheck(const Program& program, const Kind& kind, const std::string& name,
                   const std::string& tier_option) {
  const Outcome written =
      program.Run("plugin new " + name + " --kind " + kind.kind + " " + tier_option);
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("make -C " + name));
  const Outcome checked = program.Shell("make -C " + name + " check CXX=g++");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out, AllOf(HasSubstr(kind.kind), HasSubstr("ok ")));
  for (const char* file : {"README.md", "BUILD", "WORKSPACE", "Makefile"}) {
    EXPECT_THAT(ReadText(program.Path(name + "/" + file)), ::testing::Not(HasSubstr("@NAME@")))
        << file;
  }
  const std::string plugin = kind.tier == 3 ? name + ".plugin.textproto" : "lib" + name + ".so";
  const Outcome listed = program.Run("plugin list --explain --plugin " + name + "/" + plugin);
  EXPECT_THAT(listed.out, HasSubstr(std::string(kind.kind) + " " + name + ": "));
  EXPECT_EQ(program.Shell("cd " + name + " && ./" + name + "_test.sh ./" + plugin).code, 0);
  EXPECT_THAT(MissingFilesOfReadme(program.Path(name)), IsEmpty());
  EXPECT_EQ(program.Run("plugin new " + name).code, 1) << "the folder is there";
}

class New : public ::testing::TestWithParam<Kind> {};

TEST_P(New, BuildsWithTheCompilerAloneAndPassesItsCheck) {
  const std::string tier = std::to_string(GetParam().tier);
  const std::string name = "tier" + tier + "_" + GetParam().kind;
  WriteAndCheck(Program(NewFolder("new_" + name)), GetParam(), name, "--tier " + tier);
}

INSTANTIATE_TEST_SUITE_P(Kinds, New,
                         ::testing::Values(Kind{1, "modality"}, Kind{1, "tokenizer"},
                                           Kind{1, "task"}, Kind{2, "modality"},
                                           Kind{2, "tokenizer"}, Kind{2, "task"},
                                           Kind{3, "modality"}, Kind{1, "network"}),
                         [](const auto& test) {
                           return std::string(test.param.kind) + std::to_string(test.param.tier);
                         });

TEST(New, AMetricNeedsNoTierAndScoresAnswersThatAreThere) {
  const Program program(NewFolder("new_metric"));
  WriteAndCheck(program, {1, "metric"}, "overlap", "");
  WriteText(program.Path("answers.json"),
            R"({"references": {"1": ["a red circle"]}, "candidates": {"1": "a red square"}})");
  const Outcome scored =
      program.Run("score answers.json --metrics overlap --plugin overlap/liboverlap.so");
  EXPECT_EQ(scored.code, 0) << scored.err;
  EXPECT_THAT(scored.out, HasSubstr("0.66")) << "two words of three";
}

// "samples" is a score in the results of every metric.
TEST(New, RefusesNamesOfTheProgramsOwnMetricsNetworksAndScores) {
  const Program program(NewFolder("new_taken"));
  for (const char* part :
       {"cider --kind metric", "small_cnn --kind network", "samples --kind metric"}) {
    const Outcome refused = program.Run(std::string("plugin new ") + part);
    EXPECT_EQ(refused.code, 1) << part;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("of the program's own"), HasSubstr("another")));
  }
  EXPECT_FALSE(fs::exists(program.Path("cider")));
}

// A plugin may have the same name as a class of the SDK.
TEST(New, BuildsUnderTheNamesOfTheSdksClasses) {
  const Program program(NewFolder("new_sdk_names"));
  for (const Kind& kind : {Kind{2, "modality"}, Kind{2, "tokenizer"}, Kind{2, "task"}}) {
    const std::string name = kind.kind == std::string("task") ? "vocabulary" : "tensor";
    const std::string folder = name + "_" + kind.kind;
    ASSERT_EQ(
        program.Run("plugin new " + name + " --kind " + kind.kind + " --output " + folder).code, 0);
    const Outcome built = program.Shell("make -C " + folder + " CXX=g++ lib" + name + ".so");
    EXPECT_EQ(built.code, 0) << built.out << built.err;
  }
}

// Replaces the samples of the scaffold by other ones. An empty folder is reported as empty, and a
// message contains a path only once.
TEST(New, SaysWhatIsWrongWithSamples) {
  const Program program(NewFolder("new_samples"));
  ASSERT_EQ(program.Run("plugin new radar --tier 2").code, 0);
  ASSERT_EQ(program.Shell("make -C radar CXX=g++ libradar.so").code, 0);
  ASSERT_EQ(program
                .Shell("rm radar/samples/* && printf '1,2\\n' > radar/samples/two.csv && "
                       "printf '1,2,3\\n' > radar/samples/three.csv")
                .code,
            0);
  const Outcome damaged = program.Run("plugin check radar/libradar.so");
  EXPECT_EQ(damaged.code, 3);
  const size_t first = damaged.out.find("radar/samples/two.csv");
  ASSERT_NE(first, std::string::npos) << damaged.out;
  EXPECT_EQ(damaged.out.find("radar/samples/two.csv", first + 1), std::string::npos) << damaged.out;
  ASSERT_EQ(program.Shell("rm radar/samples/*").code, 0);
  const Outcome empty = program.Run("plugin check radar/libradar.so");
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.err, AllOf(HasSubstr("radar/samples: holds no file"), HasSubstr("remove")));
}

// The tasks of a new modality use the model's prompts for images.
TEST(New, TemplatesAreWordedAsTheModelKnows) {
  const Program program(NewFolder("new_templates"));
  ASSERT_EQ(program.Run("plugin new radar --tier 3").code, 0);
  EXPECT_THAT(ReadText(program.Path("radar/templates.textproto")),
              AllOf(HasSubstr("\" what does the image describe?\""), HasSubstr("radar_vqa")));
}

TEST(New, Tier3WritesItsProgramAnewWithoutPython) {
  const Program program(NewFolder("new_export"));
  ASSERT_EQ(program.Run("plugin new heat --tier 3").code, 0);
  ASSERT_EQ(program.Shell("sed -i 's/transpose(1, 2)/transpose(1, 2) * 2/' heat/export.cc").code,
            0);
  const std::string before = ReadText(program.Path("heat/heat.plugin.textproto"));
  const Outcome exported = program.Shell("make -C heat export CXX=g++");
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_NE(ReadText(program.Path("heat/heat.plugin.textproto")), before) << "another hash";
  const Outcome checked = program.Shell("make -C heat check");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
}

// Replaces the program in the folder of a data-only plugin that `plugin new` wrote.
void ReplaceProgram(const Program& program, const std::string& name, const std::string& source) {
  const std::string file = program.Path(name + "/" + name + ".pt"),
                    manifest = program.Path(name + "/" + name + ".plugin.textproto");
  const absl::Status written = WriteTorchScript(file, {}, source);
  ASSERT_TRUE(written.ok()) << written;
  const std::string hash = "sha256: \"" + Sha256Hex(ReadText(file)) + "\"";
  WriteText(manifest,
            std::regex_replace(ReadText(manifest), std::regex("sha256: \"[0-9a-f]*\""), hash));
}

// A program that does more than compute, or never ends, checked with the user's command.
TEST(Tier3, WhatAProgramMayNotDoIsNamedWithItsPlace) {
  const Program program(NewFolder("tier3_refused"));
  ASSERT_EQ(program.Run("plugin new heat --tier 3").code, 0);
  ReplaceProgram(program, "heat", R"(
    def forward(self, x):
        if x.size(0) > 0:
            torch.save(x, "stolen.bin")
        return torch.pixel_unshuffle(x, 8).flatten(2).transpose(1, 2)
  )");
  const Outcome saved = program.Run("plugin check heat/heat.plugin.textproto");
  EXPECT_EQ(saved.code, 3) << saved.out << saved.err;
  EXPECT_THAT(
      saved.out,
      AllOf(HasSubstr("FAIL  create"), HasSubstr("operator \"aten::save\" is refused"),
            HasSubstr("code/__torch__.py:"), HasSubstr("in function __torch__.Encoder.forward")));
  EXPECT_FALSE(fs::exists(program.Path("stolen.bin")));
  ReplaceProgram(program, "heat", R"(
    def forward(self, x):
        while x.size(0) > 0:
            x = x + 1
        return x
  )");
  const Outcome endless = program.Run("plugin check heat/heat.plugin.textproto --call_seconds 3");
  EXPECT_EQ(endless.code, 3) << endless.out << endless.err;
  EXPECT_THAT(endless.out, HasSubstr("was ended after 3 s in encode of"));
  ReplaceProgram(program, "heat", R"(
    def forward(self, x):
        kept = [x]
        while x.size(0) > 0:
            kept.append(torch.ones([1 << 22]) + x.sum())
            x = x + kept[-1].sum()
        return x + kept[0]
  )");
  const Outcome greedy = program.Run("plugin check heat/heat.plugin.textproto --process_mib 1200");
  EXPECT_EQ(greedy.code, 3) << greedy.out << greedy.err;
  EXPECT_THAT(greedy.out, HasSubstr("MiB of memory, allowed 1200 in encode of"));
}

TEST(Tier3, WhatTheManifestSaysIsBounded) {
  const Program program(NewFolder("tier3_manifest"));
  ASSERT_EQ(program.Run("plugin new heat --tier 3").code, 0);
  const std::string manifest = program.Path("heat/heat.plugin.textproto"),
                    whole = ReadText(manifest);
  struct Change {
    const char *from, *to, *says;
  };
  for (const Change& change :
       {Change{"dim: 192", "dim: 1152921504606846976", "features.dim: 1152921504606846976"},
        Change{"max_positions: 64", "max_positions: 9223372036854775807", "features.max_positions"},
        Change{"width: 64", "width: 2000000000", "input.width: 2000000000"},
        Change{"std: \\[127.5", "std: [inf", "normalization.std"},
        Change{"mean: \\[127.5", "mean: [nan", "normalization.mean"},
        Change{"\"heat.pt\"", "\"../heat/heat.pt\"", "modality.program.torchscript"},
        Change{"\"heat.pt\"", "\"/etc/passwd\"", "modality.program.torchscript"}}) {
    const std::string changed = std::regex_replace(whole, std::regex(change.from), change.to);
    ASSERT_NE(changed, whole) << change.from;
    WriteText(manifest, changed);
    const Outcome outcome = program.Run("plugin check heat/heat.plugin.textproto");
    EXPECT_TRUE(outcome.code == 1 || outcome.code == 3) << change.to << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr(change.says));
  }
}

TEST(Tier3, TakesRawTensors) {
  const Program program(NewFolder("tier3_tensor"));
  ASSERT_EQ(program.Run("plugin new cube --tier 3").code, 0);
  // [1, 2, 4, N] to [1, N, 8].
  ReplaceProgram(program, "cube", R"(
    def forward(self, x):
        return x.flatten(1, 2).transpose(1, 2)
  )");
  const std::string manifest = program.Path("cube/cube.plugin.textproto");
  std::string text = ReadText(manifest);
  const auto replace = [&](const std::string& field, const std::string& with) {
    text = std::regex_replace(text, std::regex("  " + field + " \\{.*"),
                              "  " + field + " { " + with + " }");
  };
  replace("input", "kind: TENSOR shape: [2, 4, -1] dtype: \"int16\" max_steps: 50");
  replace("normalization", "mean: 10 std: 100");
  replace("features", "dim: 8 position_kind: POSITION_SEQUENCE schema: \"cube/1\"");
  WriteText(manifest, text);
  for (const auto& [name, steps] : std::map<std::string, int>{{"a", 10}, {"b", 20}, {"c", 30}})
    WriteText(program.Path("cube/samples/" + name + ".raw"),
              std::string(steps * 16, static_cast<char>(name[0] - 'a' + 1)));
  const Outcome checked = program.Run("plugin check cube/cube.plugin.textproto");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  WriteText(program.Path("cube/samples/a.raw"), std::string(161, '\1'));
  const Outcome cut = program.Run("plugin check cube/cube.plugin.textproto");
  EXPECT_EQ(cut.code, 3);
  EXPECT_THAT(cut.out, HasSubstr("expected 160 bytes of int16 [2, 4, 10], got 161"));
}

TEST(New, RefusesWhatDoesNotExist) {
  const Program program(NewFolder("new_refused"));
  EXPECT_EQ(program.Run("plugin new Radar").code, 1);
  EXPECT_EQ(program.Run("plugin new radar --tier 4").code, 2);
  EXPECT_EQ(program.Run("plugin new radar --kind smell").code, 2);
  const Outcome outcome = program.Run("plugin new radar --tier 3 --kind task");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("use tier 2"));
  const Outcome metric = program.Run("plugin new radar --tier 2 --kind metric");
  EXPECT_EQ(metric.code, 1);
  EXPECT_THAT(metric.err, AllOf(HasSubstr("modality, tokenizer, task"), HasSubstr("use tier 1")));
  EXPECT_FALSE(fs::exists(program.Path("radar")));
}

TEST(New, RefusesTheNamesThatTheProgramHas) {
  const Program program(NewFolder("new_taken"));
  const Outcome taken = program.Run("plugin new image");
  EXPECT_EQ(taken.code, 1);
  EXPECT_THAT(taken.err, AllOf(HasSubstr("\"image\""), HasSubstr("choose another")));
  EXPECT_FALSE(fs::exists(program.Path("image")));
  EXPECT_EQ(program.Run("plugin new accuracy --kind metric").code, 1);
  EXPECT_EQ(program.Run("plugin new sentencepiece --kind tokenizer").code, 0);
}

}  // namespace
}  // namespace unival
