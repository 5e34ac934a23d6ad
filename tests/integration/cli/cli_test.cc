// The user interface of the program: help, exit codes and messages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "app/library_variables.h"
#include "sdk/base/version.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HelpOf : public ::testing::TestWithParam<std::string> {};

TEST_P(HelpOf, SubcommandSaysWhatItDoesAndEndsWithZero) {
  const Outcome outcome = Program(NewFolder("help")).Run(GetParam() + " --help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage:"), HasSubstr("--help")));
  EXPECT_EQ(outcome.err, "");
  // One separator in all of them.
  EXPECT_FALSE(std::regex_search(outcome.out, std::regex("--\\w+-\\w"))) << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(
    Subcommands, HelpOf,
    ::testing::Values("", "quickstart", "predict", "eval", "score", "train", "verify", "data",
                      "inspect", "doctor", "convert", "plugin", "plugin list", "plugin check",
                      "plugin new", "vocab", "vocab list", "vocab add", "vocab retire",
                      "convert fairseq", "data make-world", "data make-speech", "data make-corpus",
                      "data make-english", "data make-statements", "data fake-sensor",
                      "data make-signals", "data show", "prompts speak", "prompts list",
                      "prompts show", "prompts check", "prompts add", "data train-tokenizer",
                      "data import", "data check"));

TEST(Version, IsPrinted) {
  EXPECT_EQ(Program(NewFolder("version")).Run("--version").out,
            "unival " + std::string(Version()) + "\n");
}

TEST(Doctor, TellsLibrariesFormatsAndPluginsAsJson) {
  const Outcome outcome =
      Program(NewFolder("doctor")).Run("doctor --json --threads 1 --plugin \"$DEPTH_PLUGIN\"");
  const auto report = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome.out << outcome.err;
  for (const char* key :
       {"unival", "libtorch", "ffmpeg", "blas", "threads", "devices", "formats", "components"}) {
    EXPECT_TRUE(report.contains(key)) << key;
  }
  EXPECT_EQ(report["threads"], 1);
  EXPECT_TRUE(report["plugins"][0]["loaded"]);
}

TEST(Doctor, PrintsATableWhoseColumnsHold) {
  const Outcome outcome = Program(NewFolder("doctor")).Run("doctor");
  EXPECT_THAT(outcome.out, Not(HasSubstr(" \n")));
  const size_t values =
      outcome.out.find(std::string(Version()));  // the first line's, behind its name
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("WARNING", 0) == 0) continue;
    ASSERT_GT(line.size(), values) << line;
    EXPECT_EQ(line.substr(values - 2, 2), "  ") << line;
    EXPECT_NE(line[values], ' ') << line;
    if (line.rfind("reads", 0) == 0) {
      EXPECT_LE(line.size(), 120u) << line;
    }
  }
}

TEST(Threads, AreThoseAskedForElseThoseOfTheEnvironmentElseAllCores) {
  const Program program(NewFolder("threads"));
  const auto threads = [&](const std::string& environment, const std::string& options) {
    const Outcome outcome = program.Shell(environment + " unival doctor --json" + options);
    return nlohmann::json::parse(outcome.out, nullptr, false).value("threads", 0);
  };
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  EXPECT_EQ(threads("env -u OMP_NUM_THREADS", ""), cores);
  EXPECT_EQ(threads("OMP_NUM_THREADS=3", ""), 3);
  EXPECT_EQ(threads("OMP_NUM_THREADS=3", " --threads 1"), 1);
  EXPECT_EQ(threads("OMP_NUM_THREADS=none", ""), cores);
  const Outcome far_more = program.Shell("OMP_NUM_THREADS=1000000 unival doctor");
  EXPECT_EQ(far_more.code, 1);
  EXPECT_THAT(far_more.err, HasSubstr("OMP_NUM_THREADS: expected at most 1024 threads, got"));
}

// In a container or in cron, the environment has few variables or none.
TEST(Kernels, FitTheProcessorInAnyEnvironmentUnlessTheUserNamesOthers) {
  const Program program(NewFolder("kernels"));
  const auto kernels = [&](const std::string& environment, const std::string& file) {
    const Outcome outcome = program.Shell("env " + environment + " " + file + " doctor --json");
    return nlohmann::json::parse(outcome.out, nullptr, false).value("blas_kernels", outcome.err);
  };
  const std::string fitting = LibraryVariables()[0].value;
  const std::string unival = "\"$(command -v unival)\"";
  for (const std::string& file : {unival, "'" + Runfile("libexec/unival_core") + "'"}) {
    const std::string plain = kernels("-i", file);
    if (!fitting.empty()) {
      EXPECT_EQ(plain, fitting) << file;
    }
    for (const char* environment : {"-i HOME=/", "-i TERM=x", "-i OLDPWD=/ TERM=x PWD=/",
                                    "-i OMP_WAIT_POLICY=passive", "-i GOMP_SPINCOUNT=1"}) {
      EXPECT_EQ(kernels(environment, file), plain) << environment << " " << file;
    }
    EXPECT_EQ(kernels("-i OPENBLAS_CORETYPE=Nehalem", file), "Nehalem") << file;
  }
}

TEST(Predict, NamesTheOnlyRecordThatFailsOnceAndAlone) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("broken.png"), "this is no picture");
  const std::string predict = "predict models/tiny --task image_caption broken.png";
  const Outcome one = program.Run(predict);
  EXPECT_EQ(one.code, 1);
  EXPECT_EQ(one.err.find("broken.png"), one.err.rfind("broken.png")) << one.err;
  EXPECT_THAT(one.err, AllOf(HasSubstr("unival: broken.png: expected an image"),
                             Not(HasSubstr("the first")), Not(HasSubstr(".;"))));
  const Outcome as_json = program.Run(predict + " --json");
  EXPECT_EQ(as_json.code, 1);
  EXPECT_TRUE(nlohmann::json::parse(as_json.out, nullptr, false).contains("error"));
  EXPECT_EQ(program.Run(predict + " --max_unreadable 1").code, 0);
  const Outcome many = program.Run(predict + " broken.png");
  EXPECT_EQ(many.code, 1);
  EXPECT_THAT(many.err, AllOf(HasSubstr("got 2 of 2"), Not(HasSubstr(".;"))));
}

// A command line, its exit code, and a part of the one message on standard error.
struct Mistake {
  const char* name;
  const char* command_line;
  int code;
  std::vector<std::string> says;
};

class Reports : public ::testing::TestWithParam<Mistake> {};

TEST_P(Reports, TheMistakeInOneMessage) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("broken.jsonl"), "{\"image\": \"none.png\", \"caption\": 7\n");
  WriteText(program.Path("columns.jsonl"),
            "{\"picture\": \"none.png\", \"caption\": \"a red circle\"}\n");
  WriteText(program.Path("not_media.png"), "this is no picture");
  WriteText(program.Path("empty.tar"), "");
  WriteText(program.Path("wrong.so"), "no ELF");
  WriteText(program.Path("unknown_field.textproto"), "name: \"x\"\nstages { }\n");
  WriteText(program.Path("other/file.txt"), "mine");
  const Outcome outcome = program.Run(GetParam().command_line);
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.err;
  for (const std::string& part : GetParam().says) EXPECT_THAT(outcome.err, HasSubstr(part));
  if (outcome.code == 1) {
    EXPECT_THAT(outcome.err, HasSubstr("unival: "));
  }
}

const Mistake kMistakes[] = {
    {"NoSubcommand", "", 2, {"expected a command: predict"}},
    {"UnknownSubcommand", "fly", 2, {"fly"}},
    {"UnknownDataCommand", "data fly", 2, {"fly", "unival data --help"}},
    {"UnknownOption", "doctor --fast", 2, {"--fast"}},
    {"MissingArgument", "eval models/tiny --task vqa", 2, {"--data"}},
    {"MissingModel", "inspect models/none", 1, {"models/none"}},
    {"UnknownTask",
     "predict --plugin \"$DEPTH_PLUGIN\" models/tiny --task fly --input image=x.png",
     1,
     {"fly", "image_caption"}},
    {"UnknownColumn",
     "predict models/tiny --task image_caption --input photo=x.png",
     1,
     {"photo", "image"}},
    {"MissingMedia",
     "predict models/tiny --task image_caption --input image=none.png",
     1,
     {"none.png", "no such file"}},
    {"TooManyBeams",
     "predict models/tiny --task image_caption --input image=x.png --beam 1000000",
     2,
     {"--beam", "1000000", "64"}},
    {"NoBeams",
     "predict models/tiny --task image_caption --input image=x.png --beam 0",
     2,
     {"--beam", "0", "64"}},
    {"TextThatNoOptionGives",
     "predict models/tiny --task vqa --image not_media.png",
     1,
     {"needs column \"question\", which no option gives; it reads: ",
      "; give it with --text VALUE or --input question=VALUE\n"}},
    {"PictureThatNoOptionGives",
     "predict models/tiny --task vqa --text x",
     1,
     {"; give it with --image VALUE or --input image=VALUE\n"}},
    {"InputWithoutEquals",
     "predict models/tiny --task image_caption --input image",
     1,
     {"column=value"}},
    {"InputTwice",
     "predict models/tiny --task image_caption --input image=not_media.png --input "
     "image=not_media.png",
     1,
     {"\"image\" is given twice"}},
    {"BoundOfNoMetric",
     "eval models/tiny --task image_caption --data columns.jsonl --column image=picture "
     "--at_least exact_macht=0.5",
     2,
     {"--at_least exact_macht", "it gives: ", "exact_match"}},
    {"BoundThatIsNoNumber",
     "eval models/tiny --task image_caption --data columns.jsonl --at_least exact_match=nan",
     2,
     {"exact_match=nan", "expected metric=number"}},
    {"BoundTwice",
     "eval models/tiny --task image_caption --data columns.jsonl --at_least exact_match=0.9 "
     "--at_least exact_match=0.1",
     2,
     {"\"exact_match\" is given twice"}},
    {"ColumnTwice",
     "eval models/tiny --task image_caption --data columns.jsonl --column image=picture "
     "--column image=photo",
     1,
     {"\"image\" is given twice"}},
    {"CorruptMedia",
     "predict models/tiny --task image_caption --input image=not_media.png",
     1,
     {"not_media.png"}},
    {"MissingData", "eval models/tiny --task image_caption --data none.jsonl", 1, {"none.jsonl"}},
    {"UnknownKindOfData",
     "eval models/tiny --task image_caption --data corpus.txt",
     1,
     {"corpus.txt", "jsonl"}},
    {"BrokenJson",
     "eval models/tiny --task image_caption --data broken.jsonl",
     1,
     {"broken.jsonl:1"}},
    {"MissingColumn",
     "eval models/tiny --task image_caption --data columns.jsonl",
     1,
     {"columns.jsonl", "image_caption", "\"image\""}},
    {"BadColumnPair",
     "eval models/tiny --task image_caption --data columns.jsonl --column image",
     1,
     {"task_column=record_column"}},
    {"BadBound",
     "eval models/tiny --task image_caption --data columns.jsonl --at_least exact_match",
     2,
     {"metric=number"}},
    {"EmptyTar", "data check empty.tar", 1, {"empty.tar"}},
    {"MissingPlugin", "doctor --plugin none.so", 1, {"none.so"}},
    {"FileThatIsNoPlugin", "doctor --plugin wrong.so", 1, {"wrong.so"}},
    {"MissingPluginPath", "doctor --plugin_path none", 1, {"none"}},
    {"HyphensInAnOption", "doctor --plugin-path none", 1, {"none"}},
    {"MissingPlan", "train none.textproto --output x", 1, {"none.textproto"}},
    {"UnknownFieldInPlan",
     "train unknown_field.textproto --output x",
     1,
     {"unknown_field.textproto:2", "stages"}},
    {"PlanNeedsPlugin",
     "train recipes/depth_adapter.textproto --data_root data --output x",
     1,
     {"depth", "--plugin"}},
    {"OutputHoldsAnotherRun",
     "train recipes/tiny_pretrain.textproto --data_root data --output runs/tiny",
     1,
     {"runs/tiny", "resume"}},
    {"MissingReceipt", "verify none.json models/tiny", 1, {"none.json"}},
    {"UnknownWorldKind", "data make-world x --kind smell", 1, {"smell", "image"}},
    {"UnknownDataset", "data import imagenet x y.tar", 2, {"imagenet"}},
    {"MissingDataset", "data import fsdd none y.tar", 1, {"none"}},
    {"MissingCorpus", "data train-tokenizer none.txt t.model", 1, {"none.txt"}},
    {"QuickstartWithoutModel", "quickstart --model models/none", 1, {"models/none", "--model"}},
    {"QuickstartWithoutPlugin",
     "quickstart --model models/tiny --plugin none.so",
     1,
     {"none.so", "--plugin"}},
    {"QuickstartWithoutRecipe",
     "quickstart --model models/tiny --plugin wrong.so --recipes none",
     1,
     {"depth_adapter.textproto", "--recipes"}},
    {"QuickstartOfOneSentence",
     "quickstart --model models/tiny --say hello",
     1,
     {"--say", "two sentences"}},
    {"QuickstartOfASentenceTwice",
     "quickstart --model models/tiny --say hello --say hello",
     1,
     {"--say", "hello", "twice"}},
    {"QuickstartOfSentencesWithoutABase",
     "quickstart --model models/tiny --plugin wrong.so --say a --say b --base none",
     1,
     {"none", "--base"}},
    {"QuickstartOverOtherFiles",
     "quickstart --model models/tiny --plugin wrong.so --output other",
     1,
     {"other", "--output"}},
};

INSTANTIATE_TEST_SUITE_P(Mistakes, Reports, ::testing::ValuesIn(kMistakes),
                         [](const auto& test) { return test.param.name; });

TEST(NothingHalfWritten, StaysBehindARefusedRun) {
  const Program& program = TinyWorkplace();
  EXPECT_EQ(
      program.Run("train recipes/depth_adapter.textproto --data_root data --output refused").code,
      1);
  EXPECT_FALSE(fs::exists(program.Path("refused/model")));
  EXPECT_EQ(program.Run("data import folder none refused.tar").code, 1);
  EXPECT_FALSE(fs::exists(program.Path("refused.tar")));
}

TEST(DamagedModel, IsRefusedByName) {
  const Program& program = TinyWorkplace();
  const std::string copy = program.Path("models/damaged");
  fs::remove_all(copy);
  fs::copy(program.Path("models/tiny"), copy, fs::copy_options::recursive);
  std::string bytes = ReadText(copy + "/backbone.safetensors");
  bytes[bytes.size() / 2] ^= 1;
  WriteText(copy + "/backbone.safetensors", bytes);
  const Outcome changed = program.Run("inspect models/damaged");
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.err, AllOf(HasSubstr("backbone.safetensors"), HasSubstr("sha256")));
  fs::remove(copy + "/backbone.safetensors");
  const Outcome missing = program.Run("inspect models/damaged");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("backbone.safetensors"));
}

}  // namespace
}  // namespace unival
