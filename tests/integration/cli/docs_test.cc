// The documents are correct: the commands in them run, and the files in them exist.
//
// Blocks that begin with "```sh run" are executed unchanged, in a folder like the project's in
// which a tiny model replaces `nano`. In other "```sh" blocks, every option of a `unival` command
// must be in its --help.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/integration/cli/documents.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::IsEmpty;

std::vector<fs::path> Documents() {
  std::vector<fs::path> documents = {SourceRoot() / "README.md", SourceRoot() / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(SourceRoot() / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  std::sort(documents.begin(), documents.end());
  return documents;
}

// A folder like the project's: the tiny model as models/nano, its recipe, the sources and the built
// files.
Program Workplace(const std::string& name) {
  const Program& tiny = TinyWorkplace();
  const Program program(NewFolder(name));
  fs::create_directories(program.Path("models"));
  fs::copy(tiny.Path("models/tiny"), program.Path("models/nano"), fs::copy_options::recursive);
  fs::copy(tiny.Path("models/tiny"), program.Path("models/base"), fs::copy_options::recursive);
  fs::copy(tiny.Path("models/tiny/adapter.image.safetensors"),
           program.Path("models/base_signal.safetensors"));
  for (const char* file : {"tasks/templates/own_words.textproto", "recipes/own_words.textproto",
                           "recipes/lora.textproto"})
    WriteText(program.Path(file), ReadText((SourceRoot() / file).string()));
  fs::copy(tiny.Path("tasks"), program.Path("tasks"),
           fs::copy_options::recursive | fs::copy_options::skip_existing);
  std::string recipe = ReadText(tiny.Path("recipes/depth_adapter.textproto"));
  recipe = std::regex_replace(recipe, std::regex("models/tiny"), "models/nano");
  WriteText(program.Path("recipes/depth_adapter.textproto"), recipe);
  fs::create_directory_symlink(SourceRoot() / "sdk", program.Path("sdk"));
  fs::create_directory_symlink(SourceRoot() / "docs", program.Path("docs"));
  fs::create_directory_symlink(SourceRoot() / "examples", program.Path("examples"));
  fs::create_directory_symlink(SourceRoot() / "tests", program.Path("tests"));
  const fs::path built = fs::canonical(Runfile("app/unival")).parent_path().parent_path();
  fs::create_directory_symlink(built, program.Path("bazel-bin"));
  return program;
}

class RunBlocks : public ::testing::TestWithParam<std::string> {};

TEST_P(RunBlocks, OfTheDocumentEndWithZero) {
  const Program program = Workplace("docs_" + fs::path(GetParam()).stem().string());
  int count = 0;
  for (const Block& block : ShellBlocks(SourceRoot() / GetParam())) {
    if (!block.run) continue;
    ++count;
    const Outcome outcome = program.Shell("set -e\n" + block.text);
    // `doctor` may warn about this machine's BLAS.
    const bool warned = outcome.code == 3 && outcome.out.find("WARNING") != std::string::npos;
    EXPECT_TRUE(outcome.code == 0 || warned) << block.text << outcome.out << outcome.err;
  }
  EXPECT_GT(count, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Documents, RunBlocks,
    ::testing::Values("CONTRIBUTING.md", "docs/cli.md", "docs/formats/data.md",
                      "docs/formats/parity_fixture.md", "docs/formats/task_template.md",
                      "docs/security.md", "docs/tutorials/adapters.md",
                      "docs/tutorials/distributed.md", "docs/tutorials/linear_adapter.md",
                      "docs/tutorials/merging.md", "docs/tutorials/new_modality.md",
                      "docs/tutorials/own_data.md", "docs/tutorials/task_templates.md",
                      "docs/tutorials/training.md", "docs/tutorials/quickstart.md"),
    [](const auto& test) { return fs::path(test.param).stem().string(); });

TEST(Documents, EveryBlockToRunIsRun) {
  const std::set<std::string> run = {
      "CONTRIBUTING.md",  "cli.md",
      "data.md",          "linear_adapter.md",
      "merging.md",       "new_modality.md",
      "task_template.md", "task_templates.md",
      "quickstart.md",    "training.md",
      "distributed.md",   "parity_fixture.md",
      "security.md",      "adapters.md",
      "own_data.md",      "installing.md"};  // by tests/integration/install
  for (const fs::path& document : Documents()) {
    for (const Block& block : ShellBlocks(document)) {
      EXPECT_TRUE(!block.run || run.count(document.filename().string()) > 0) << document;
    }
  }
}

// "eval", or "data make-world".
std::string SubcommandOf(const std::vector<std::string>& words) {
  const std::set<std::string> with_subcommands = {
      "adapter", "checkpoint", "convert", "data", "merge", "plan", "plugin", "prompts", "vocab"};
  if (words.size() > 2 && with_subcommands.count(words[1]) > 0) return words[1] + " " + words[2];
  return words.size() > 1 ? words[1] : "";
}

// Options of a launched command follow "--" and belong to that command.
std::vector<std::string> UnknownOptions(const std::vector<std::string>& line) {
  std::vector<std::string> unknown, words = line;
  if (words.empty() || words[0] != "unival") return unknown;
  const auto behind = std::find(words.begin(), words.end(), "--");
  if (behind != words.end()) {
    std::vector<std::string> launched(behind, words.end());
    launched[0] = "unival";
    unknown = UnknownOptions(launched);
    words.erase(behind, words.end());
  }
  const Outcome help = Program(NewFolder("docs_help")).Run(SubcommandOf(words) + " --help");
  if (help.code != 0) unknown.push_back(SubcommandOf(words));
  for (const std::string& word : words) {
    if (word.compare(0, 2, "--") == 0 && help.out.find(word) == std::string::npos)
      unknown.push_back(word);
  }
  return unknown;
}

TEST(Documents, ShownCommandsHaveTheOptionsTheyShow) {
  for (const fs::path& document : Documents()) {
    for (const Block& block : ShellBlocks(document)) {
      std::istringstream lines(block.text);
      for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        EXPECT_THAT(UnknownOptions({std::istream_iterator<std::string>(words), {}}), IsEmpty())
            << document << ": " << line;
      }
    }
  }
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find(" #")));
  return {std::istream_iterator<std::string>(stream), {}};
}

// Whether BUILD of `folder` defines `target`; the rules for plugins define "libx.so" for the name
// "x".
bool HasTarget(const fs::path& folder, const std::string& target) {
  const std::string build = ReadText((folder / "BUILD").string());
  const std::string plugin = std::regex_replace(target, std::regex("^lib(.*)\\.so$"), "$1");
  return target == "all" || build.find('"' + target + '"') != std::string::npos ||
         build.find('"' + plugin + '"') != std::string::npos;
}

// "//a/b:c" and "//a/b" name a target of a BUILD file; "//a/..." and "//a:all" a folder.
bool LabelLeadsSomewhere(const std::string& label) {
  const size_t colon = label.find(':');
  const std::string path = label.substr(2, colon - 2);
  const fs::path folder = SourceRoot() / std::regex_replace(path, std::regex("/?\\.\\.\\.$"), "");
  if (path.find("...") != std::string::npos) return fs::is_directory(folder);
  return HasTarget(
      folder, colon == std::string::npos ? folder.filename().string() : label.substr(colon + 1));
}

// Targets, scripts and build configurations that a command line names but that do not exist in this
// checkout.
std::vector<std::string> MissingFrom(const std::string& line) {
  static const std::regex script("(\\./test|(tools|\\.ci)/.*)");
  std::vector<std::string> missing;
  for (const std::string& word : Words(line)) {
    const bool is_label = word.compare(0, 2, "//") == 0;
    if (is_label && !LabelLeadsSomewhere(word)) missing.push_back(word);
    if (std::regex_match(word, script) && !fs::exists(SourceRoot() / word)) missing.push_back(word);
  }
  std::smatch name;
  const std::string options = ReadText((SourceRoot() / ".bazelrc").string());
  if (std::regex_search(line, name, std::regex("--config[= ](\\w+)")) &&
      options.find("\nbuild:" + name[1].str() + " ") == std::string::npos) {
    missing.push_back(name[0].str());
  }
  return missing;
}

TEST(Documents, ShownTargetsScriptsAndConfigurationsExist) {
  for (const fs::path& document : Documents()) {
    for (const Block& block : ShellBlocks(document)) {
      std::istringstream lines(block.text);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_THAT(MissingFrom(line), IsEmpty()) << document << ": " << line;
      }
    }
  }
}

TEST(Documents, RelativeLinksLeadSomewhere) {
  const std::regex link("\\]\\(([^)#:]+)\\)");
  for (const fs::path& document : Documents()) {
    // Code may look like a link: "[](int x)".
    const std::string text =
        std::regex_replace(ReadText(document.string()), std::regex("```[^`]*```"), "");
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      EXPECT_TRUE(fs::exists(document.parent_path() / (*it)[1].str()))
          << document << ": " << (*it)[1];
    }
  }
}

std::string WithCommas(int64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

// A number with one decimal.
std::string Mebibytes(const fs::path& place) {
  uintmax_t bytes = fs::is_regular_file(place) ? fs::file_size(place) : 0;
  if (fs::is_directory(place)) {
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
  }
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / (1 << 20);
  return text.str();
}

// The number of parameters: for a model directory, the program's own count; for a file of weights,
// without running statistics.
int64_t ParametersOf(const fs::path& place) {
  int64_t count = 0;
  if (fs::is_directory(place)) {
    const Outcome outcome =
        Program(NewFolder("docs_inspect")).Run("inspect '" + place.string() + "' --json");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const json inspected = json::parse(outcome.out);
    for (const json& part : inspected.at("parts")) {
      count += part["parameters"].get<int64_t>();
    }
    return count;
  }
  const std::string bytes = ReadText(place.string());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  const json header = json::parse(bytes.substr(sizeof(length), length));
  for (const auto& [name, tensor] : header.items()) {
    const bool is_buffer =
        name.find("running_") != std::string::npos || name.find("num_batches") != std::string::npos;
    if (name == "__metadata__" || is_buffer) continue;
    int64_t elements = 1;
    for (const json& size : tensor["shape"]) elements *= size.get<int64_t>();
    count += elements;
  }
  return count;
}

// "## `nano/`: ... (2,864,808 parameters, 5.5 MiB)" for every model and file of weights that ships.
TEST(Documents, ShippedWeightsAreAsLargeAsTheProgramSays) {
  const fs::path models = SourceRoot() / "models";
  const std::string text = ReadText((models / "README.md").string());
  const std::regex heading("\n## `([^`]+?)/?`:[^\n]*\\(([0-9,]+) parameters, ([0-9.]+) MiB\\)");
  std::set<std::string> stated;
  for (std::sregex_iterator it(text.begin(), text.end(), heading), end; it != end; ++it) {
    const fs::path place = models / (*it)[1].str();
    EXPECT_EQ((*it)[2].str(), WithCommas(ParametersOf(place))) << place;
    EXPECT_EQ((*it)[3].str(), Mebibytes(place)) << place;
    stated.insert((*it)[1]);
  }
  for (const auto& entry : fs::directory_iterator(models)) {
    const std::string name = entry.path().filename().string();
    const bool is_weights = entry.is_directory() || entry.path().extension() == ".safetensors";
    EXPECT_TRUE(!is_weights || stated.count(name) > 0) << name << " has no line with its size";
  }
}

// Other documents refer to these numbers and do not repeat them, because a copy could become wrong.
TEST(Documents, OnlyTheListOfModelsStatesTheirSizes) {
  const std::regex size("[0-9][0-9.,]* ?(M|million|thousand)? parameters");
  for (const fs::path& document : Documents()) {
    if (document.string().find("/docs/formats/") != std::string::npos) continue;
    EXPECT_FALSE(std::regex_search(ReadText(document.string()), size)) << document;
  }
  const std::regex rounded("[0-9] ?(M|million) parameters");
  EXPECT_FALSE(std::regex_search(ReadText((SourceRoot() / "models/README.md").string()), rounded));
}

// The size that the document states for a recipe is the program's count before the first step.
TEST(Documents, TheDepthConnectionIsAsLargeAsStated) {
  const Program program(NewFolder("docs_depth"));
  for (const char* folder : {"models", "recipes", "tasks"}) {
    fs::create_directory_symlink(SourceRoot() / folder, program.Path(folder));
  }
  const Outcome trained = program.Shell(
      "unival data make-world data --kind depth --count 24 --eval_count 8 --seed 1 && "
      "unival train recipes/depth_adapter.textproto --plugin \"$DEPTH_PLUGIN\" --data_root data "
      "--output run --steps 1 --quiet");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const int64_t count =
      json::parse(ReadText(program.Path("run/results.json")))["trainable_parameters"];
  const std::string text = ReadText((SourceRoot() / "models/README.md").string());
  const std::regex line(
      "`recipes/depth_adapter.textproto` \\([^)]*connection only, ([0-9,]+) "
      "parameters");
  std::smatch stated;
  ASSERT_TRUE(std::regex_search(text, stated, line));
  EXPECT_EQ(stated[1], WithCommas(count));
}

TEST(Documents, LibraryInTenLinesAnswersLikeTheProgram) {
  const Program program = Workplace("docs_predict");
  ASSERT_EQ(
      program
          .Shell("tar -xf '" + TinyWorkplace().Path("data/image/eval/images.tar") + "' 000000.png")
          .code,
      0);
  // The tokenizer's plugin is at the same place as in an installed tree.
  fs::create_directories(program.Path("bin"));
  fs::create_directories(program.Path("lib/unival"));
  fs::copy_file(Runfile("examples/programs/predict"), program.Path("bin/predict"));
  fs::create_directory_symlink(
      fs::canonical(Runfile("plugins/sentencepiece/libunival_sentencepiece.so"))
          .parent_path()
          .parent_path(),
      program.Path("lib/unival/plugins"));
  const Outcome library = program.Shell("bin/predict models/nano 000000.png");
  const Outcome command =
      program.Run("predict models/nano --task image_caption --input image=000000.png");
  EXPECT_EQ(library.code, 0) << library.err;
  EXPECT_EQ(library.out, command.out);
}

// A recipe's script from the documents, with two steps instead of thousands.
TEST(Recipes, StatementsAboutPicturesAreLearnedAndJudgedBesideAControl) {
  const Program program(NewFolder("recipe_nlvr"));
  const Outcome data = program.Shell(
      "set -e\nunival data make-statements made --count 12 --eval_count 2\nmkdir nlvr\n"
      "cp made/statements/train/images.tar nlvr\n"
      "cp made/statements/train/statement.jsonl nlvr/train.jsonl\n"
      "head -8 nlvr/train.jsonl > nlvr/dev.jsonl");
  ASSERT_EQ(data.code, 0) << data.err;
  const std::string script = (SourceRoot() / "recipes/nlvr.sh").string();
  const std::string command = "STATEMENTS=12 STEPS=2 THREADS=1 CONTROLS=text bash '" + script +
                              "' \"$(command -v unival)\" nlvr out";
  const Outcome trained = program.Shell(command);
  ASSERT_EQ(trained.code, 0) << trained.err;
  for (const char* line :
       {"nlvr dev accuracy ", "nlvr dev consistency ", "nlvr_text dev accuracy "})
    EXPECT_THAT(trained.out, ::testing::HasSubstr(line));
  // Finished parts are not repeated.
  EXPECT_EQ(program.Shell(command).out, trained.out);
  const Outcome scored = program.Run(
      "eval out/nlvr/model --task nlvr --data nlvr/dev.jsonl --column group=sentence "
      "--column sentence=sentence");
  EXPECT_EQ(scored.code, 0) << scored.err;
  EXPECT_THAT(scored.out, ::testing::HasSubstr("consistency"));
}

}  // namespace
}  // namespace unival
