#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/layering/public_headers.h"
#include "tests/layering/rules.h"
#include "tests/layering/source_tree.h"

namespace unival {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

const std::vector<SourceFile>& Tree() {
  static const auto* const kTree = new std::vector<SourceFile>(ReadSourceTree(SourceRoot()));
  return *kTree;
}

// One case per forbidden dependency.
class ForbiddenEdge : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(ForbiddenEdge, IsNotInTheTree) {
  EXPECT_THAT(ForbiddenDependencies(Tree(), GetParam().first, GetParam().second), IsEmpty());
}

std::string EdgeName(const ::testing::TestParamInfo<std::pair<std::string, std::string>>& info) {
  std::string name = info.param.first + "_To_" + info.param.second;
  for (char& letter : name) {
    if (letter == '/') letter = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Layers, ForbiddenEdge, ::testing::ValuesIn(ForbiddenEdges()), EdgeName);

TEST(Lint, BackboneNeverBranchesOnAModalityName) {
  EXPECT_THAT(ModalityBranches(Tree()), IsEmpty());
}

TEST(Lint, NoFileNamesAPathOfOneMachine) { EXPECT_THAT(MachinePaths(Tree()), IsEmpty()); }

TEST(Lint, OptionalValuesAndTextViewsHaveOneSpelling) {
  EXPECT_THAT(OtherSpellings(Tree()), IsEmpty());
}

TEST(Lint, NoLibraryReadsTheEnvironment) { EXPECT_THAT(EnvironmentReads(Tree()), IsEmpty()); }

TEST(Lint, JsonIsReadInOnePlace) { EXPECT_THAT(JsonReaders(Tree()), IsEmpty()); }

TEST(Lint, NobodyFindsOutByACastWhetherATaskIsATemplate) {
  EXPECT_THAT(TemplateCasts(Tree()), IsEmpty());
}

TEST(Lint, NothingIsLeftUnfinished) { EXPECT_THAT(UnfinishedLines(Tree()), IsEmpty()); }

TEST(Lint, InstalledHeadersNameNoFileThatIsNotInstalled) {
  EXPECT_THAT(NamesOfInnerFiles(Tree()), IsEmpty());
}

TEST(Lint, NoSourceLeavesAMacroToTheFilesBehindIt) {
  EXPECT_THAT(LeftForOthers(Tree()), IsEmpty());
}

// Tests of the rules themselves, on invented files.

SourceFile Code(const std::string& path, const std::string& text) { return {path, text}; }

TEST(JsonReadersRule, FindsCallsOfTheParserAndItsExceptions) {
  const std::string text =
      "auto a = Json::parse(text);\n// Json::parse(text)\nauto b = ParseJson<Json>(text);\n"
      "} catch (const nlohmann::json::exception& error) {\n  app->parse(words);\n";
  EXPECT_THAT(JsonReaders({Code("training/run/receipt.cc", text)}), SizeIs(2));
  EXPECT_THAT(JsonReaders({Code("sdk/base/json_parse.h", text), Code("plugins/x/x.cc", text),
                           Code("training/run/receipt_test.cc", text)}),
              IsEmpty());
}

TEST(SourceTree, HoldsThisVeryFile) {
  EXPECT_THAT(Tree(),
              Contains(::testing::Field(&SourceFile::path, "tests/layering/layering_test.cc")));
}

TEST(SourceTree, LeavesOutBinariesAndBazelLinks) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "source_tree";
  std::filesystem::create_directories(root / "bazel-out");
  std::filesystem::create_directories(root / "backbone");
  std::ofstream(root / "bazel-out" / "x.h") << "x";
  std::ofstream(root / "backbone" / "weights.bin") << std::string("a\0b", 3);
  std::ofstream(root / "backbone" / "model.cc") << "int x;\n";
  const std::vector<SourceFile> files = ReadSourceTree(root.string());
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].path, "backbone/model.cc");
}

TEST(SourceTree, LeavesOutWhatGitIgnoresAtTheRoot) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) / "ignoring_tree";
  std::filesystem::create_directories(root / "runs" / "one");
  std::filesystem::create_directories(root / "app" / "runs");
  std::ofstream(root / ".gitignore") << "/runs/\n/machine.bazelrc\n*.o\n";
  std::ofstream(root / "runs" / "one" / "plan.textproto") << "x";
  std::ofstream(root / "machine.bazelrc") << "x";
  std::ofstream(root / "app" / "runs" / "a.cc") << "int x;\n";
  const std::vector<SourceFile> files = ReadSourceTree(root.string());
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].path, ".gitignore");
  EXPECT_EQ(files[1].path, "app/runs/a.cc");
}

TEST(ForbiddenReferencesRule, FindsAnIncludeAndNamesItsLine) {
  const std::vector<SourceFile> files = {
      Code("backbone/model.cc", "#include <vector>\n#  include \"modalities/image/resnet.h\"\n")};
  EXPECT_THAT(
      ForbiddenDependencies(files, "backbone", "modalities"),
      ElementsAre(
          "backbone/model.cc:2: backbone must not use modalities (modalities/image/resnet.h)"));
}

TEST(ForbiddenReferencesRule, FindsAnImportOfAProto) {
  const std::vector<SourceFile> files = {
      Code("sdk/proto/a.proto", "import \"training/config/plan.proto\";\n")};
  EXPECT_THAT(ForbiddenDependencies(files, "sdk/proto", "training"), SizeIs(1));
}

TEST(ForbiddenReferencesRule, FindsALabelInABuildFile) {
  const std::vector<SourceFile> files = {
      Code("tasks/BUILD", "deps = [\n  \"//backbone/layers:attention\",\n]\n")};
  EXPECT_THAT(ForbiddenDependencies(files, "tasks", "backbone"),
              ElementsAre(HasSubstr("tasks/BUILD:2")));
}

TEST(ForbiddenReferencesRule, IgnoresPluginsThatAreOpenedAtRunTime) {
  const std::vector<SourceFile> files = {
      Code("runtime/BUILD", "data = [\"//plugins/depth:libdepth.so\"],\n")};
  EXPECT_THAT(ForbiddenDependencies(files, "runtime", "plugins"), IsEmpty());
}

TEST(ForbiddenReferencesRule, IgnoresWhoMayComeIn) {
  const std::vector<SourceFile> files = {
      Code("tasks/BUILD",
           "visibility = [\n  \"//training:__subpackages__\",\n],\ndeps = [\"//sdk/native\"],\n")};
  EXPECT_THAT(ForbiddenDependencies(files, "tasks", "training"), IsEmpty());
}

TEST(ForbiddenEdgesRule, SeparatesTheThreeMiddleLayersAndTheSdkFromAllAbove) {
  EXPECT_THAT(ForbiddenEdges(), Contains(Pair("backbone", "modalities")));
  EXPECT_THAT(ForbiddenEdges(), Contains(Pair("modalities", "tasks")));
  EXPECT_THAT(ForbiddenEdges(), Contains(Pair("plugins", "runtime")));
  EXPECT_THAT(ForbiddenEdges(), Contains(Pair("sdk/native", "backbone")));
  EXPECT_THAT(ForbiddenEdges(), Not(Contains(Pair("runtime", "backbone"))));
}

TEST(ModalityBranchRule, FindsComparisonsInEitherOrder) {
  for (const char* line :
       {"if (name == \"image\") {", "if (\"audio\" != name)", "StartsWith(id, \"video\")"}) {
    EXPECT_THAT(ModalityBranches({Code("backbone/model.cc", line)}), SizeIs(1)) << line;
  }
}

TEST(ModalityBranchRule, AllowsTablesCommentsTestsAndOtherLayers) {
  const std::vector<SourceFile> files = {
      Code("backbone/names.cc", "{\"image\", \"encoder.embed_images\"},\n// if (x == \"image\")\n"),
      Code("backbone/model_test.cc", "EXPECT_TRUE(name == \"image\");"),
      Code("app/main.cc", "if (name == \"image\")"),
  };
  EXPECT_THAT(ModalityBranches(files), IsEmpty());
}

TEST(MachinePathRule, FindsHomesAndIgnoresRelativeAndSystemPaths) {
  const std::string home = std::string("/ho") + "me/ann/data";
  EXPECT_THAT(MachinePaths({Code("a.cc", "path = \"" + home + "\";")}), SizeIs(1));
  EXPECT_THAT(MachinePaths({Code("a.cc", "docs" + home + " $X" + "/usr/include ~" + home)}),
              IsEmpty());
}

TEST(OtherSpellingsRule, FindsTheStandardsNamesOutsideThePluginInterface) {
  const std::string line = std::string("std::") + "optional<int> x;";
  EXPECT_THAT(OtherSpellings({Code("app/x.h", line), Code("sdk/native/x.h", "// " + line)}),
              ElementsAre("app/x.h:1: " + line));
  EXPECT_THAT(OtherSpellings({Code("sdk/cpp/x.hpp", line), Code("plugins/imu/imu.cc", line)}),
              IsEmpty());
}

TEST(TemplateCastsRule, FindsThemInCodeThatIsNoTest) {
  const std::string cast = "const auto* found = dynamic_cast<const TemplateTask*>(&task);";
  EXPECT_THAT(TemplateCasts({Code("app/x.cc", cast), Code("tests/x_test.cc", cast)}),
              ElementsAre("app/x.cc:1: " + cast));
  EXPECT_THAT(
      TemplateCasts({Code("app/x.cc", "dynamic_cast<const Metric*>(task); TemplateTask t;")}),
      IsEmpty());
}

TEST(EnvironmentRule, FindsReadsInLibrariesAndAllowsProgramsAndTests) {
  const std::string read = "const char* folder = std::getenv(\"FOLDER\");";
  EXPECT_THAT(EnvironmentReads({Code("runtime/a.cc", read)}),
              ElementsAre(HasSubstr("runtime/a.cc:1")));
  EXPECT_THAT(
      EnvironmentReads({Code("app/a.cc", read), Code("libexec/a.cc", read),
                        Code("runtime/a_test.cc", read), Code("tests/a.cc", read),
                        Code("runtime/b.cc", "// " + read), Code("upstream/a_command.cc", read)}),
      IsEmpty());
}

TEST(EnvironmentRule, FindsReadsByOtherNamesAndNoOtherWords) {
  for (const char* read :
       {"secure_getenv(\"HOME\")", "extern char** environ;", "auto* read = &std::getenv;",
        "std::filesystem::temp_directory_path(error)", "std::setlocale(LC_ALL, \"\");",
        "std::locale(\"\")", "glob(pattern, GLOB_TILDE, nullptr, &found)"}) {
    EXPECT_THAT(EnvironmentReads({Code("sdk/base/a.cc", read)}), SizeIs(1)) << read;
    EXPECT_THAT(EnvironmentReads({Code("upstream/a.cc", read)}), SizeIs(1)) << read;
  }
  for (const char* other :
       {"int environment = 0;", "my_getenv_count = 1;", "std::setlocale(LC_ALL, \"C\");"}) {
    EXPECT_THAT(EnvironmentReads({Code("sdk/base/a.cc", other)}), IsEmpty()) << other;
  }
}

TEST(InnerFilesRule, FindsThemInCommentsOfHeadersThatTheRootsReach) {
  const std::vector<SourceFile> files = {
      Code("packaging/BUILD", "public_headers(\n    roots = [\n        \"a/a.h\",\n    ],\n)\n"),
      Code("a/a.h",
           "// See a/a.h and b.h, not a/inner.h.\n#include \"a/b.h\"\nint x;  // inner.cc\n"),
      Code("a/b.h", "/* all\n * of it: c.h */\n"), Code("a/inner.h", "// z.h\n")};
  EXPECT_THAT(NamesOfInnerFiles(files),
              ElementsAre("a/a.h:1: a/inner.h", "a/a.h:3: inner.cc", "a/b.h:2: c.h"));
}

TEST(LeftForOthersRule, FindsMacrosAndNamespacesOfLibraries) {
  EXPECT_THAT(LeftForOthers({Code("app/a.cc", "#define A(x) x\nusing namespace n;\n#define B\n")}),
              ElementsAre("app/a.cc:1: #define A(x) x", "app/a.cc:2: using namespace n;",
                          "app/a.cc:3: #define B"));
  EXPECT_THAT(
      LeftForOthers({Code("app/a.cc", "#define A(x) x\n#undef A\nusing n::B;\n"),
                     Code("app/a_test.cc", "#define A 1\n"), Code("app/a.h", "#define G_\n"),
                     Code("plugins/imu/imu.cc", "using namespace n;\n")}),
      IsEmpty());
}

TEST(UnfinishedRule, FindsNotesToOneself) {
  const std::string note = std::string("// TO") + "DO: later";
  EXPECT_THAT(UnfinishedLines({Code("a.cc", "int x;\n" + note)}), ElementsAre(HasSubstr("a.cc:2")));
}

}  // namespace
}  // namespace unival
