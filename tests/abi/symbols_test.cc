// Plugins of tier 2 export one symbol and use none of the host's libraries. The headers compile
// alone, in C11 and C++17. Features newer than a plugin's target version are not declared for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "sdk/base/test_shell.h"

namespace unival {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Output(const std::string& command) {
  const ShellOutcome outcome = RunShell(command);
  EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.err;
  return outcome.out;
}

class Plugins : public ::testing::TestWithParam<const char*> {};

TEST_P(Plugins, ExportOneSymbol) {
  EXPECT_EQ(Output(std::string("nm -D --defined-only --format=just-symbols ") + GetParam()),
            "unival_plugin_v0\n");
}

TEST_P(Plugins, UseNothingOfTheHost) {
  const std::string needed = Output(std::string("nm -D -C --undefined-only ") + GetParam());
  for (const char* library : {"google::protobuf", "absl::", "c10::", "at::", "torch::"}) {
    EXPECT_THAT(needed, Not(HasSubstr(library)));
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, Plugins,
                         ::testing::Values("tests/abi/libthrowing.so", "plugins/imu/libimu.so",
                                           "plugins/mel_stats/libmel_stats.so"),
                         [](const auto& test) { return "plugin" + std::to_string(test.index); });

int Compile(const std::string& arguments) {
  return RunShell(arguments + " -fsyntax-only -I.").code;
}

std::string FileThatIncludes(const std::string& header, const std::string& ending) {
  const std::string path =
      std::string(std::getenv("TEST_TMPDIR")) + "/include_" + ending + "." + ending;
  std::ofstream(path) << "#include \"" << header << "\"\n";
  return path;
}

TEST(Headers, CompileAloneInEitherLanguage) {
  const std::string strict = " -Wall -Wextra -pedantic -Werror ";
  EXPECT_EQ(Compile("cc -std=c11" + strict + FileThatIncludes("sdk/abi/unival_plugin.h", "c")), 0);
  EXPECT_EQ(Compile("c++ -std=c++17" + strict + FileThatIncludes("sdk/abi/unival_plugin.h", "cc")),
            0);
  EXPECT_EQ(
      Compile("c++ -std=c++17" + strict + FileThatIncludes("sdk/cpp/unival_plugin.hpp", "cpp")), 0);
  EXPECT_EQ(Compile("c++ -std=c++17 -DUNIVAL_TARGET_MINOR=1" + strict +
                    FileThatIncludes("sdk/cpp/unival_plugin.hpp", "cxx")),
            0);
}

TEST(Target, HidesWhatCameLater) {
  const std::string source = " tests/abi/fixtures/newer_field.cc";
  EXPECT_EQ(Compile("c++ -std=c++17 -DUNIVAL_TARGET_MINOR=2" + source), 0) << "the control";
  EXPECT_NE(Compile("c++ -std=c++17 -DUNIVAL_TARGET_MINOR=1" + source), 0);
  EXPECT_NE(Compile("c++ -std=c++17 -DUNIVAL_TARGET_MINOR=99" + source), 0);
}

}  // namespace
}  // namespace unival
