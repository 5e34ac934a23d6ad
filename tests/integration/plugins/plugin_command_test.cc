// `unival plugin list` and `unival plugin check`, used by plugin authors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <tuple>

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

// The host checks a plugin's description, empty and missing media, and state itself, so a plugin
// cannot break these rules. Native modalities can; conformance_test has one for each rule.
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

TEST(Check, OfEveryMetricTheRuleThatItBreaksFails) {
  const Outcome outcome = Workplace().Run(
      "plugin check '" + Runfile("tests/integration/plugins/libflawed_metrics.so") + "' --json");
  EXPECT_EQ(outcome.code, 3) << outcome.out << outcome.err;
  const auto report = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome.out << outcome.err;
  std::map<std::string, std::string> failed;
  for (const auto& component : report["components"]) {
    std::string& rules = failed[component["component"]];
    for (const auto& row : component["rows"])
      if (!row["ok"].get<bool>()) rules += row["rule"].get<std::string>() + " ";
  }
  EXPECT_EQ(failed["metric none"], "");
  EXPECT_EQ(failed["metric no_answers"], "no_answers ");
  EXPECT_EQ(failed["metric undeclared"], "scores_as_declared ");
  EXPECT_EQ(failed["metric blind_to_failures"], "failures_count ");
  EXPECT_EQ(failed["metric other_values"], "determinism ");
}

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

// When the plugin's code ends the process or never returns, the report shows this in a row like any
// other error.
struct End {
  const char* flaw;
  const char* rule;
  const char* says;
  // Only the call that never returns is to meet this limit, however slow the machine is.
  int call_seconds = 120;
};

class Ends : public ::testing::TestWithParam<End> {};

TEST_P(Ends, AreRowsThatNameTheCall) {
  const Outcome outcome = Workplace().Run(
      "plugin check '" + Runfile("tests/integration/plugins/libbroken.so") +
      "' --json --sample numbers --process_mib 1200 --call_seconds " +
      std::to_string(GetParam().call_seconds) + " --option flaw=" + GetParam().flaw);
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
        End{"hangs", "determinism", "was ended after 4 s in encode of 3 samples", 4},
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
  const std::tuple<const char*, const char*, int> ends[] = {
      {"exits", "ended the process with code 0 in its constructors", 120},
      {"crashes", "was ended by signal 11 (SIGSEGV, Segmentation fault) in its constructors", 120},
      {"hangs", "was ended after 2 s in its constructors", 2}};
  for (const auto& [name, says, call_seconds] : ends) {
    const Outcome outcome =
        Workplace().Run("plugin check --call_seconds " + std::to_string(call_seconds) + " '" +
                        Runfile(std::string("tests/abi/libconstructor_") + name + ".so") + "'");
    EXPECT_EQ(outcome.code, 3) << name << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("FAIL  load"), HasSubstr(says))) << name;
  }
}

// Structs with wrong fields (runtime/c_abi/c_abi_test.cc has a test for each field).
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
  const Outcome outcome = program.Run("plugin list --plugin_path unruly --json --call_seconds 10");
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
              HasSubstr("was ended after 10 s in its constructors"));
}

// Reading a pipe could wait for ever, and a file name need not be valid UTF-8.
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

}  // namespace
}  // namespace unival
