// `unival plugin list`, `check` and `new` as an author meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "runtime/torchscript/program.h"
#include "sdk/base/sha256.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A folder with three media for the broken plugin.
const Program& Workplace() {
  static const auto* const program = [] {
    auto* made = new Program(NewFolder("plugins"));
    for (const std::string number : {"1", "5", "9"})
      WriteText(made->Path("numbers/" + number + ".num"), "number " + number);
    return made;
  }();
  return *program;
}

std::vector<std::string> FailedRules(const std::string& flaw) {
  const Outcome outcome = Workplace().Run(
      "plugin check '" + Runfile("tests/integration/plugins/libbroken.so") +
      "' --json --sample numbers --max_seconds 0.05 --max_mib 0.5 --option flaw=" + flaw);
  EXPECT_EQ(outcome.code, flaw == "none" ? 0 : 3) << outcome.out << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out, nullptr, false);
  std::vector<std::string> failed;
  if (!report.is_object()) return {"no report: " + outcome.err};
  for (const auto& row : report["components"][0]["rows"]) {
    if (!row["ok"].get<bool>()) failed.push_back(row["rule"]);
  }
  return failed;
}

TEST(Check, PassesTheSoundPlugin) { EXPECT_THAT(FailedRules("none"), IsEmpty()); }

struct Flaw {
  const char* name;
  const char* rule;
};

class Check : public ::testing::TestWithParam<Flaw> {};

TEST_P(Check, FailsExactlyTheRuleOfTheFlaw) {
  EXPECT_THAT(FailedRules(GetParam().name), ElementsAre(GetParam().rule));
}

// The host itself sees to a plugin's description, to empty and to missing media, and to state;
// native modalities can break those rules, and conformance_test has one for each.
INSTANTIATE_TEST_SUITE_P(Flaws, Check,
                         ::testing::Values(Flaw{"refuses_all", "preprocess"},
                                           Flaw{"counts_calls", "determinism"},
                                           Flaw{"unseeded", "augmentation_is_seeded"},
                                           Flaw{"racy", "concurrent_preprocess"},
                                           Flaw{"too_many_positions", "features_as_declared"},
                                           Flaw{"negative_position", "positions_in_range"},
                                           Flaw{"rows_mixed", "batch_invariance"},
                                           Flaw{"wrong_padding", "variable_length"},
                                           Flaw{"writes_input", "inputs_not_written"},
                                           Flaw{"accepts_corrupt", "corrupt_media"},
                                           Flaw{"leaks", "leaks"}, Flaw{"slow", "time_per_sample"},
                                           Flaw{"large", "memory_per_sample"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Check, NamesWhatIsMissing) {
  const Outcome no_file = Workplace().Run("plugin check none.so");
  EXPECT_EQ(no_file.code, 1);
  EXPECT_THAT(no_file.err, HasSubstr("none.so"));
  const Outcome no_samples =
      Workplace().Run("plugin check '" + Runfile("tests/integration/plugins/libbroken.so") + "'");
  EXPECT_EQ(no_samples.code, 1);
  EXPECT_THAT(no_samples.err, AllOf(HasSubstr("broken"), HasSubstr("--sample")));
}

TEST(Check, APluginThatGivesNoObjectIsToldSo) {
  const Outcome outcome =
      Workplace().Run("plugin check '" + Runfile("tests/integration/plugins/libbroken.so") +
                      "' --option flaw=no_object");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, HasSubstr("gave no object"));
}

// Foreign code that ends its process, or never returns, is a row of the report like any other.
struct End {
  const char* flaw;
  const char* rule;
  const char* says;
};

class Ends : public ::testing::TestWithParam<End> {};

TEST_P(Ends, AreRowsThatNameTheCall) {
  const Outcome outcome = Workplace().Run(
      "plugin check '" + Runfile("tests/integration/plugins/libbroken.so") +
      "' --json --sample numbers --call_seconds 4 --process_mib 1200 --option flaw=" +
      GetParam().flaw);
  EXPECT_EQ(outcome.code, 3) << outcome.out << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome.out << outcome.err;
  EXPECT_EQ(report["ok"], false);
  const auto last = report["components"].back()["rows"].back();
  EXPECT_EQ(last["rule"], GetParam().rule) << last;
  EXPECT_EQ(last["ok"], false);
  EXPECT_THAT(last["detail"].get<std::string>(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Flaws, Ends,
    ::testing::Values(
        End{"crashes", "determinism",
            "was ended by signal 11 (SIGSEGV, Segmentation fault) in encode"},
        End{"exits", "preprocess", "ended the process with code 0 in preprocess of numbers/"},
        End{"aborts_in_create", "create", "was ended by signal 6 (SIGABRT, Aborted) in create"},
        End{"hangs", "determinism", "was ended after 4 s in encode of 3 samples"},
        End{"grows", "preprocess", "MiB of memory, allowed 1200 in preprocess of numbers/"},
        End{"crashes_at_exit", "exit",
            "was ended by signal 6 (SIGABRT, Aborted) in the end of the"}),
    [](const auto& test) { return std::string(test.param.flaw); });

TEST(Check, WhatAPluginPrintsDoesNotMixWithTheReport) {
  const Outcome outcome =
      Workplace().Run("plugin check '" + Runfile("tests/integration/plugins/libbroken.so") +
                      "' --json --sample numbers --option flaw=prints");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(nlohmann::json::parse(outcome.out, nullptr, false).is_object()) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("noise"));
}

TEST(Check, NamesAConstructorThatEndsTheProcess) {
  const std::pair<const char*, const char*> ends[] = {
      {"exits", "ended the process with code 0 in its constructors"},
      {"crashes", "was ended by signal 11 (SIGSEGV, Segmentation fault) in its constructors"},
      {"hangs", "was ended after 2 s in its constructors"}};
  for (const auto& [name, says] : ends) {
    const Outcome outcome =
        Workplace().Run("plugin check --call_seconds 2 '" +
                        Runfile(std::string("tests/abi/libconstructor_") + name + ".so") + "'");
    EXPECT_EQ(outcome.code, 3) << name << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("FAIL  load"), HasSubstr(says))) << name;
  }
}

// Fields of structs that come back wrong (runtime/c_abi/c_abi_test.cc has one for each).
TEST(Check, NamesTheFieldOfAStructThatIsWrong) {
  const std::pair<const char*, const char*> flaws[] = {
      {"endless_schema", "feature_schema has 4611686018427387904 bytes"},
      {"far_strides", "dimension 0 has the stride 1152921504606846976"},
      {"same_twice", "a second time"},
      {"no_positions", "N of 1 or more"}};
  for (const auto& [flaw, says] : flaws) {
    const Outcome outcome = Workplace().Run("plugin check '" + Runfile("tests/abi/libgood.so") +
                                            "' --sample numbers --option flaw=" + flaw);
    EXPECT_EQ(outcome.code, 3) << flaw << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr(says));
  }
}

TEST(Check, TablePrintsEveryRuleAndWhatWasMeasured) {
  const Outcome outcome = Workplace().Run("plugin check '" + Runfile("plugins/imu/libimu.so") +
                                          "' --sample '" + Runfile("plugins/imu/samples") + "'");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("plugin imu 1.0.0, tier 2"), HasSubstr("ok    batch_invariance"),
                    HasSubstr("time_per_sample"), HasSubstr(" ms")));
}

struct Shipped {
  const char* name;
  const char* arguments;
};

class ShippedPlugins : public ::testing::TestWithParam<Shipped> {};

TEST_P(ShippedPlugins, PassTheirCheck) {
  const Outcome outcome = Workplace().Shell("root='" + Runfile("plugins") +
                                            "' && unival plugin check " + GetParam().arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Folders, ShippedPlugins,
    ::testing::Values(
        Shipped{"imu", "$root/imu/libimu.so --sample $root/imu/samples --option window=20"},
        Shipped{"mel_stats", "$root/mel_stats/libmel_stats.so"},
        Shipped{"path", "$root/path/libpath.so --sample $root/path/samples"},
        Shipped{"series",
                "$root/series/libseries.so --sample $root/series/samples --option width=3"},
        Shipped{"thermal", "$root/thermal/thermal.plugin.textproto"},
        Shipped{"sentencepiece",
                "$root/sentencepiece/libunival_sentencepiece.so --tokenizer "
                "$root/../models/nano/tokenizer"},
        Shipped{"depth", "$root/depth/libdepth.so --config $root/depth/check.textproto"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(List, ExplainsEveryCandidate) {
  const Program& program = Workplace();
  fs::create_directories(program.Path("found"));
  for (const char* file : {"plugins/imu/libimu.so", "plugins/mel_stats/libmel_stats.so"}) {
    fs::copy_file(Runfile(file),
                  program.Path(std::string("found/") + fs::path(file).filename().string()),
                  fs::copy_options::overwrite_existing);
  }
  WriteText(program.Path("found/stranger.so"), "no plugin at all");
  WriteText(program.Path("found/bad.plugin.textproto"), "plugin {");
  WriteText(program.Path("found/tasks.textproto"), "not looked at");
  const Outcome outcome = program.Run(
      "plugin list --plugin_path found --plugin found/libimu.so --plugin none.so --json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(rows.is_array()) << outcome.out;
  ASSERT_EQ(rows.size(), 6u) << outcome.out;
  std::map<std::string, int> verdicts;
  for (const auto& row : rows) {
    ++verdicts[row["verdict"]];
    if (row["verdict"] != "loaded") {
      EXPECT_NE(row["reason"], "") << row;
    }
    if (row["id"] == "mel_stats") {
      EXPECT_EQ(row["tier"], 2);
      EXPECT_EQ(row["abi"], "0.2");
      EXPECT_EQ(row["components"][0]["type"], "mel_stats");
    }
  }
  EXPECT_EQ(verdicts, (std::map<std::string, int>{{"loaded", 2}, {"left out", 1}, {"refused", 3}}));
  const Outcome table = program.Run("plugin list --plugin_path found --explain");
  EXPECT_THAT(table.out, AllOf(HasSubstr("imu 1.0.0"), HasSubstr("too short"),
                               HasSubstr("modality mel_stats")));
  EXPECT_EQ(table.code, 0);
}

TEST(List, GoesOnBehindFilesThatEndOrHangTheProcess) {
  const Program& program = Workplace();
  fs::create_directories(program.Path("unruly"));
  for (const char* name :
       {"constructor_exits", "constructor_crashes", "constructor_hangs", "good"}) {
    fs::copy_file(Runfile(std::string("tests/abi/lib") + name + ".so"),
                  program.Path(std::string("unruly/lib") + name + ".so"),
                  fs::copy_options::overwrite_existing);
  }
  fs::copy_file(Runfile("plugins/imu/libimu.so"), program.Path("unruly/libimu.so"),
                fs::copy_options::overwrite_existing);
  const Outcome outcome = program.Run("plugin list --plugin_path unruly --json --call_seconds 3");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(rows.is_array()) << outcome.out;
  std::map<std::string, std::string> found;
  for (const auto& row : rows) {
    const std::string reason = row["reason"];
    found[fs::path(row["file"].get<std::string>()).filename().string()] =
        row["verdict"].get<std::string>() + (reason.empty() ? "" : ": " + reason);
  }
  ASSERT_EQ(found.size(), 5u) << outcome.out;
  EXPECT_EQ(found["libimu.so"], "loaded");
  EXPECT_EQ(found["libgood.so"], "loaded");
  EXPECT_THAT(found["libconstructor_exits.so"],
              HasSubstr("refused: plugin unruly/libconstructor_"
                        "exits.so: ended the process with code 0"));
  EXPECT_THAT(found["libconstructor_crashes.so"], HasSubstr("signal 11 (SIGSEGV"));
  EXPECT_THAT(found["libconstructor_hangs.so"],
              HasSubstr("was ended after 3 s in its constructors"));
}

// Reading a pipe would wait for ever, and file names need not be text.
TEST(List, PipesDevicesAndOddNamesAreRefused) {
  const Program& program = Workplace();
  ASSERT_EQ(program
                .Shell("mkdir odd && mkfifo odd/libpipe.so && ln -s /dev/zero odd/libzero.so && "
                       "echo no > \"odd/lib$(printf '\\377').so\"")
                .code,
            0);
  const Outcome outcome = program.Run("plugin list --plugin_path odd --json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_EQ(rows.size(), 3u) << outcome.out;
  for (const auto& row : rows) EXPECT_EQ(row["verdict"], "refused") << row;
}

struct Kind {
  int tier;
  const char* kind;
};

// Names in backticks of a README that look like files or folders of it and are not there.
std::vector<std::string> MissingFilesOfReadme(const fs::path& folder) {
  const std::string text = ReadText((folder / "README.md").string());
  const std::regex name("`([A-Za-z0-9_]+(?:/|\\.[a-z.]+)|WORKSPACE|BUILD|Makefile)`");
  std::vector<std::string> missing;
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) {
    if (!fs::exists(folder / (*it)[1].str())) missing.push_back((*it)[1]);
  }
  return missing;
}

class New : public ::testing::TestWithParam<Kind> {};

TEST_P(New, BuildsWithTheCompilerAloneAndPassesItsCheck) {
  const std::string name =
      std::string("tier") + std::to_string(GetParam().tier) + "_" + GetParam().kind;
  const Program program(NewFolder("new_" + name));
  const Outcome written =
      program.Run("plugin new " + name + " --tier " + std::to_string(GetParam().tier) + " --kind " +
                  GetParam().kind);
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("make -C " + name));
  const Outcome checked = program.Shell("make -C " + name + " check CXX=g++");
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out, AllOf(HasSubstr(GetParam().kind), HasSubstr("ok ")));
  for (const char* file : {"README.md", "BUILD", "WORKSPACE", "Makefile"}) {
    EXPECT_THAT(ReadText(program.Path(name + "/" + file)), ::testing::Not(HasSubstr("@NAME@")))
        << file;
  }
  const std::string plugin =
      GetParam().tier == 3 ? name + ".plugin.textproto" : "lib" + name + ".so";
  EXPECT_EQ(program.Shell("cd " + name + " && ./" + name + "_test.sh ./" + plugin).code, 0);
  EXPECT_THAT(MissingFilesOfReadme(program.Path(name)), IsEmpty());
  EXPECT_EQ(program.Run("plugin new " + name).code, 1) << "the folder is there";
}

INSTANTIATE_TEST_SUITE_P(Kinds, New,
                         ::testing::Values(Kind{1, "modality"}, Kind{1, "tokenizer"},
                                           Kind{1, "task"}, Kind{2, "modality"},
                                           Kind{2, "tokenizer"}, Kind{2, "task"},
                                           Kind{3, "modality"}),
                         [](const auto& test) {
                           return std::string(test.param.kind) + std::to_string(test.param.tier);
                         });

// Own samples in the place of the scaffold's; an empty folder is said to be empty, and a path
// stands once in a message.
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

// The tasks of a new modality ask what a model was asked of images.
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

// Puts another program into the folder of a data-only plugin that `plugin new` wrote.
void ReplaceProgram(const Program& program, const std::string& name, const std::string& source) {
  const std::string file = program.Path(name + "/" + name + ".pt"),
                    manifest = program.Path(name + "/" + name + ".plugin.textproto");
  const absl::Status written = WriteTorchScript(file, {}, source);
  ASSERT_TRUE(written.ok()) << written;
  const std::string hash = "sha256: \"" + Sha256Hex(ReadText(file)) + "\"";
  WriteText(manifest,
            std::regex_replace(ReadText(manifest), std::regex("sha256: \"[0-9a-f]*\""), hash));
}

// A program that does more than compute, or never ends, through the door that users use.
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

TEST(DataCheck, PreparesTheMediaOfPluginsAndKnowsItsColumns) {
  const Program program(NewFolder("data_check"));
  const std::string imu = " --plugin '" + Runfile("plugins/imu/libimu.so") + "'";
  ASSERT_EQ(program
                .Shell("printf '0,0,0,1,1,1\\n%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
                       "19 20 > a.csv; "
                       "echo no numbers > b.csv; "
                       "echo '{\"imu\": \"a.csv\", \"caption\": \"still\"}' > good.jsonl; "
                       "{ cat good.jsonl; echo '{\"imu\": \"b.csv\", \"caption\": \"turn\"}'; } > "
                       "bad.jsonl; "
                       "echo '{\"text\": \"x\"}' > text.jsonl")
                .code,
            0);
  const Outcome good = program.Run("data check good.jsonl" + imu);
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_THAT(good.out, AllOf(HasSubstr("1 records; columns: caption, imu"),
                              HasSubstr("1 media items of plugins decoded")));
  const Outcome bad = program.Run("data check bad.jsonl" + imu);
  EXPECT_EQ(bad.code, 3) << bad.err;
  EXPECT_THAT(bad.out, AllOf(HasSubstr("bad.jsonl:2"), HasSubstr("b.csv")));
  const Outcome unknown = program.Run("data check good.jsonl --media raddar");
  EXPECT_EQ(unknown.code, 1) << unknown.out;
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("--media raddar"), HasSubstr("caption, imu")));
  EXPECT_EQ(program.Run("data check good.jsonl --media imu").code, 0);
  const Outcome other = program.Run("data check text.jsonl" + imu);
  EXPECT_EQ(other.code, 1) << other.out;
  EXPECT_THAT(other.err, AllOf(HasSubstr("imu"), HasSubstr("they have: text")));
}

TEST(New, RefusesWhatDoesNotExist) {
  const Program program(NewFolder("new_refused"));
  EXPECT_EQ(program.Run("plugin new Radar").code, 1);
  EXPECT_EQ(program.Run("plugin new radar --tier 4").code, 2);
  EXPECT_EQ(program.Run("plugin new radar --kind smell").code, 2);
  const Outcome outcome = program.Run("plugin new radar --tier 3 --kind task");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("use tier 2"));
  EXPECT_FALSE(fs::exists(program.Path("radar")));
}

TEST(New, RefusesTheModalitiesThatTheProgramHas) {
  const Program program(NewFolder("new_taken"));
  const Outcome taken = program.Run("plugin new image");
  EXPECT_EQ(taken.code, 1);
  EXPECT_THAT(taken.err, AllOf(HasSubstr("\"image\""), HasSubstr("choose another")));
  EXPECT_FALSE(fs::exists(program.Path("image")));
  EXPECT_EQ(program.Run("plugin new sentencepiece --kind tokenizer").code, 0);
}

}  // namespace
}  // namespace unival
