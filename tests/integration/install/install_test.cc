// The installed tree is created, moved and used. Its programs find their files; other programs link
// its library with CMake and with pkg-config, as in docs/installing.md; plugins load; only the API
// is exported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/integration/cli/documents.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A folder with a picture and the tree in "moved", a place that was not known when it was
// installed.
const Program& Workplace() {
  static const auto* const program = [] {
    auto* made = new Program(NewFolder("installation"));
    const Outcome laid_out =
        made->Shell("'" + Runfile("packaging/install") + "' first && mv first moved");
    EXPECT_EQ(laid_out.code, 0) << laid_out.err;
    return made;
  }();
  return *program;
}

// `prefix` is the moved tree; no other file of the build is visible.
Outcome Shell(const std::string& command) {
  return Workplace().Shell(
      "export PREFIX=\"$PWD/moved\" PATH=/usr/bin:/bin\nunset RUNFILES_DIR TEST_SRCDIR\nset -e\n" +
      command);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Installation, HoldsProgramsLibraryHeadersPluginsAndData) {
  for (const char* file : {"bin/unival",
                           "libexec/unival/unival-parity",
                           "libexec/unival/unival-convert",
                           "libexec/unival/unival-quickstart",
                           "libexec/unival/unival-data",
                           "lib/libunival.so",
                           "include/unival/runtime/pipeline.h",
                           "include/unival/training/run/non_finite.h",
                           "include/unival/training/trainer.h",
                           "include/unival/sdk/native/plugin.h",
                           "include/unival/sdk/proto/model.pb.h",
                           "lib/unival/plugins/sentencepiece/libunival_sentencepiece.so",
                           "lib/unival/plugins/gpt2_bpe/libunival_gpt2_bpe.so",
                           "lib/unival/plugins/depth/libdepth.so",
                           "lib/unival/plugins/thermal/thermal_encoder.pt",
                           "share/unival/sdk/sdk/abi/unival_plugin.h",
                           "share/unival/models/nano/manifest.textproto",
                           "share/unival/models/nano_notext/manifest.textproto",
                           "share/unival/recipes/depth_adapter.textproto",
                           "share/unival/tasks/templates/quickstart.textproto",
                           "share/doc/unival/LICENSE"}) {
    EXPECT_TRUE(fs::exists(Workplace().Path(std::string("moved/") + file))) << file;
  }
  for (const char* inner : {"backbone", "app", "modalities"}) {
    EXPECT_FALSE(fs::exists(Workplace().Path(std::string("moved/include/unival/") + inner)))
        << inner;
  }
  const Outcome broken = Shell("find \"$PREFIX\" -xtype l");
  EXPECT_EQ(broken.out, "") << "links that lead nowhere";
}

// Compiles only with the flags of pkg-config, without the source tree; one to three seconds each,
// in two processes.
TEST(Headers, CompileEachOnItsOwn) {
  const Outcome outcome = Shell(R"(
export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
export FLAGS=$(pkg-config --cflags unival)
cd "$PREFIX/include/unival"
find * -name '*.h' ! -name '*.pb.h' | xargs -P 2 -I{} sh -c '
  echo "#include \"{}\"" |
    g++ -std=c++17 -fsyntax-only -Wall -Wextra -Werror $FLAGS -x c++ - && echo {}'
)");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(Lines(outcome.out), SizeIs(Gt(30u)));
}

TEST(Installation, SaysOneVersionEverywhere) {
  const std::string version =
      Shell("PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig pkg-config --modversion unival").out;
  EXPECT_EQ(Shell("\"$PREFIX/bin/unival\" --version").out, "unival " + version);
  EXPECT_EQ(Shell("basename $(readlink -f \"$PREFIX/lib/libunival.so\")").out,
            "libunival.so." + version);
  const std::string soname =
      Shell("readelf -d \"$PREFIX/lib/libunival.so\" | sed -n 's/.*soname: \\[\\(.*\\)\\]/\\1/p'")
          .out;
  EXPECT_EQ(soname, "libunival.so." + version.substr(0, version.rfind('.')) + "\n");
  EXPECT_EQ(Shell("cd \"$PREFIX/lib\" && test -L " + soname).code, 0);
}

TEST(Installation, LayingOutTwiceGivesTheSameTree) {
  const Program& program = Workplace();
  const std::string list = "find moved -type f | sort | xargs cksum";
  const std::string before = program.Shell(list).out;
  ASSERT_EQ(program.Shell("'" + Runfile("packaging/install") + "' moved").code, 0);
  EXPECT_EQ(program.Shell(list).out, before);
  EXPECT_EQ(program.Shell("'" + Runfile("packaging/install") + "'").code, 2);
}

// Runs every block of the document in its order; the answers of the three programs must be the
// same.
TEST(Document, CommandsRunAndAllThreeProgramsAnswerAlike) {
  std::vector<std::string> answers;
  for (const Block& block : ShellBlocks(SourceRoot() / "docs/installing.md")) {
    if (!block.run) continue;
    const Outcome outcome = Shell(block.text);
    ASSERT_EQ(outcome.code, 0) << block.text << outcome.out << outcome.err;
    answers.push_back(Lines(outcome.out).back());
  }
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_THAT(answers, Each(answers[0]));
  EXPECT_NE(answers[0], "");
}

TEST(Programs, OfLibexecAreFoundAndFindTheirFiles) {
  const Outcome parity =
      Shell("\"$PREFIX/bin/unival\" parity '" + (SourceRoot() / "tests/golden").string() + "'");
  EXPECT_EQ(parity.code, 0) << parity.out << parity.err;
  EXPECT_THAT(parity.out, HasSubstr(", 0 cases differ"));
  // From a folder without models and recipes: it goes on to what it is told.
  const Outcome quickstart = Shell(
      "mkdir -p full && touch full/thesis.tex\n\"$PREFIX/bin/unival\" quickstart --output full");
  EXPECT_EQ(quickstart.code, 1);
  EXPECT_THAT(quickstart.err, HasSubstr("name another with --output"))
      << "model, recipes and plugin were found";
}

TEST(Plugins, OfAllTiersLoadInAStrangersProgram) {
  const Outcome built = Shell(
      "export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig\n"
      "g++ -std=c++17 -Wall -Wextra -Werror -fPIC -shared '" +
      Runfile("tests/integration/install/testdata/host.cc") +
      "' "
      "$(pkg-config --cflags --libs unival) -Wl,-z,defs -Wl,-rpath,\"$PREFIX/lib\" -o libhost.so\n"
      "gcc '" +
      Runfile("tests/integration/install/testdata/opens_host.c") + "' -ldl -o opens_host");
  ASSERT_EQ(built.code, 0) << built.err;
  const Outcome loaded = Shell(
      "cd / && \"$OLDPWD/opens_host\" \"$OLDPWD/libhost.so\" "
      "\"$PREFIX/lib/unival/plugins/depth/libdepth.so\" "
      "\"$PREFIX/lib/unival/plugins/imu/libimu.so\" "
      "\"$PREFIX/lib/unival/plugins/thermal/thermal.plugin.textproto\"");
  EXPECT_EQ(loaded.code, 0) << loaded.err;
  EXPECT_THAT(loaded.out, AllOf(HasSubstr("depth tier 1"), HasSubstr("imu tier 2"),
                                HasSubstr("thermal tier 3")));
}

TEST(Library, ExportsTheInterfaceAndNothingElse) {
  const std::vector<std::string> exported =
      Lines(Shell("nm -D --defined-only --extern-only --format=just-symbols "
                  "\"$PREFIX/lib/libunival.so\" | sed "
                  "'s/@.*//' | c++filt")
                .out);
  std::vector<std::string> strange;
  for (const std::string& symbol : exported) {
    if (symbol.find("unival::") == std::string::npos && symbol != "UNIVAL_0.1")
      strange.push_back(symbol);
  }
  EXPECT_THAT(strange, IsEmpty());
  EXPECT_THAT(exported, ::testing::Contains(HasSubstr("unival::Pipeline::Predict(")));
  EXPECT_THAT(exported, ::testing::Contains(HasSubstr("unival::Train(")));
  const std::string inner = "unival::ModelDirectory::";
  EXPECT_THAT(exported, Each(Not(StartsWith(inner))));
  EXPECT_THAT(Shell("nm -C \"$PREFIX/lib/libunival.so\"").out, HasSubstr(" " + inner))
      << "it is in the library";
  std::cout << exported.size() << " symbols are exported\n";
  EXPECT_THAT(exported.size(), AllOf(Gt(300u), Lt(3000u)));
}

}  // namespace
}  // namespace unival
