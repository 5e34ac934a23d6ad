#include "tests/layering/packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<SourceFile>& Tree() {
  static const auto* const kTree = new std::vector<SourceFile>(ReadSourceTree(SourceRoot()));
  return *kTree;
}

TEST(Packages, EveryLibraryOfThirdPartyIsUsed) { EXPECT_THAT(UnusedLibraries(Tree()), IsEmpty()); }

TEST(Packages, EveryPackageHasItsUser) { EXPECT_THAT(PackagesWithoutUser(Tree()), IsEmpty()); }

TEST(Folders, SayWhatTheyAreFor) { EXPECT_THAT(FoldersWithoutReason(Tree()), IsEmpty()); }

// Tests of the rules themselves, on invented files.

constexpr char kLibraries[] = R"(
cc_library(name = "json")

alias(
    name = "torch",
    actual = "@libtorch//:torch",
)

cc_library(
    name = "re2",
    linkopts = ["-lre2"],
)
)";

std::vector<SourceFile> Files(const std::string& packages) {
  return {{"app/BUILD", "deps = [\"//third_party:json\", \"//third_party:torch\"]"},
          {"third_party/BUILD", kLibraries},
          {"tools/packages.txt", packages}};
}

TEST(UnusedLibrariesRule, FindsWhatNoOtherBuildFileNames) {
  EXPECT_THAT(UnusedLibraries(Files("")), ElementsAre("//third_party:re2"));
}

TEST(PackagesWithoutUserRule, TakesLibrariesInUseAndTextsOfFiles) {
  EXPECT_THAT(PackagesWithoutUser(Files("# name user reason\n"
                                        "json-dev  //third_party:json       records\n"
                                        "re2-dev   third_party/BUILD:-lre2  patterns\n")),
              IsEmpty());
}

TEST(PackagesWithoutUserRule, RefusesUnusedAndUndeclaredLibrariesMissingTextsAndMissingReasons) {
  EXPECT_THAT(PackagesWithoutUser(Files("re2-dev    //third_party:re2    patterns\n"
                                        "gloo-dev   //third_party:gloo   processes\n"
                                        "cmake      test:cmake           tests\n"
                                        "json-dev   //third_party:json\n"
                                        "torch-dev\n")),
              ElementsAre("re2-dev: //third_party:re2", "gloo-dev: //third_party:gloo",
                          "cmake: test:cmake", "json-dev: //third_party:json", "torch-dev: "));
}

TEST(FoldersWithoutReasonRule, TakesHeadsAndReadmesAndLooksAtFoldersAboveSources) {
  EXPECT_THAT(FoldersWithoutReason({{"app/BUILD", "# The program.\n"},
                                    {"app/plugin/check.cc", ""},
                                    {"docs/words.md", ""},
                                    {"plugins/README.md", "# Plugins\n"},
                                    {"plugins/path/BUILD", "load(\"x\")\n"},
                                    {"tests/io/io_test.cc", ""},
                                    {"tests/compat/v0_1/plugins/echo.cc", ""}}),
              ElementsAre("app/plugin", "plugins/path", "tests", "tests/io"));
}

}  // namespace
}  // namespace unival
