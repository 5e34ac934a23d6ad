// Programs that extend `unival`, tested with a copy of the program, and scripts next to it and in
// its libexec.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>

#include "app/shipped.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The programs that hold the commands of `unival`.
constexpr const char* kOwnPrograms[] = {"unival_core", "unival_tools"};

// A folder with bin/unival, run as ./bin/unival, and the programs in libexec that it starts.
class Copied : public ::testing::Test {
 protected:
  Copied() : program_(NewFolder("copied")) {
    fs::create_directories(program_.Path("bin"));
    fs::copy_file(Runfile("app/unival"), program_.Path("bin/unival"));
    fs::create_directories(program_.Path("libexec"));
    for (const std::string program : kOwnPrograms) {
      for (const char* suffix : {"", ".help"}) {
        fs::create_symlink(Runfile("libexec/" + program + suffix),
                           program_.Path("libexec/" + program + suffix));
      }
    }
  }

  void WriteScript(const std::string& path, const std::string& text, bool executable = true) {
    WriteText(program_.Path(path), text);
    if (executable)
      fs::permissions(program_.Path(path), fs::perms::owner_exec, fs::perm_options::add);
  }

  // Scripts that replace the programs. They are not newer than the programs' help pages.
  void ReplacePrograms() {
    for (const std::string program : kOwnPrograms) {
      const std::string file = "libexec/" + program;
      fs::remove(program_.Path(file));
      WriteScript(file, "#!/bin/sh\necho \"started: $@\"\n");
      fs::last_write_time(program_.Path(file), fs::last_write_time(program_.Path(file + ".help")));
    }
  }

  Outcome Run(const std::string& words) const { return program_.Shell("./bin/unival " + words); }

  Program program_;
};

TEST_F(Copied, RunsTheProgramBesideItWithItsArgumentsAndEndsWithItsExitCode) {
  WriteScript("bin/unival-hello",
              "#!/bin/sh\nfor word in \"$@\"; do echo \"<$word>\"; done\n"
              "echo \"$UNIVAL_PROGRAM\"\necho trouble >&2\nexit 7\n");
  const Outcome outcome = Run("hello a 'b  c' --json '' --help");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.out, "<a>\n<b  c>\n<--json>\n<>\n<--help>\n" +
                             fs::canonical(program_.Path("bin/unival")).string() + "\n");
  EXPECT_EQ(outcome.err, "trouble\n");
}

TEST_F(Copied, RunsTheProgramInLibexec) {
  WriteScript("libexec/unival-near", "#!/bin/sh\necho near\n");
  WriteScript("libexec/unival/unival-far", "#!/bin/sh\necho far\n");
  EXPECT_EQ(Run("near").out, "near\n");
  EXPECT_EQ(Run("far").out, "far\n");
  WriteScript("bin/unival-near", "#!/bin/sh\necho beside\n");
  EXPECT_EQ(Run("near").out, "beside\n");
}

TEST_F(Copied, ListsInItsHelpWhatItFindsAndHowToReachIt) {
  EXPECT_THAT(Run("--help").out, Not(HasSubstr("Programs of their own")));
  WriteScript("bin/unival-hello", "#!/bin/sh\necho \"$@\"\n");
  WriteScript("bin/unival-parity", "#!/bin/sh\n");
  WriteScript("bin/unival-hello.bak", "#!/bin/sh\n");
  WriteScript("bin/unival-text", "no program", /*executable=*/false);
  fs::create_directories(program_.Path("bin/unival-folder"));
  const std::string help = Run("--help").out;
  EXPECT_THAT(help, AllOf(HasSubstr("Programs of their own:\n  hello  "),
                          HasSubstr("bin/unival-hello\n  parity  "), HasSubstr("stage by stage")));
  EXPECT_THAT(
      help, AllOf(Not(HasSubstr(".bak")), Not(HasSubstr("  text ")), Not(HasSubstr("  folder "))));
}

TEST_F(Copied, ListsCommandsOnlyWhereTheirProgramIsThereAndHowToMakeTheOthers) {
  const std::string whole = Run("--help").out;
  for (const char* command : {"\n  merge ", "\n  vocab ", "\n  predict "}) {
    EXPECT_THAT(whole, HasSubstr(command));
  }
  EXPECT_THAT(whole, Not(HasSubstr("unival_tools")));
  EXPECT_THAT(whole, HasSubstr("\n  unival-parity               parity"));
  EXPECT_THAT(whole, HasSubstr("data make-world, data make-speech"));
  fs::remove(program_.Path("libexec/unival_tools"));
  const std::string part = Run("--help").out;
  EXPECT_THAT(part, AllOf(HasSubstr("\n  predict "), Not(HasSubstr("\n  merge ")),
                          Not(HasSubstr("\n  vocab "))));
  EXPECT_THAT(part.substr(part.find("Programs that are not here")),
              AllOf(HasSubstr("bazel build"), HasSubstr("\n  unival_tools  "),
                    HasSubstr("merge, data, plugin, vocab, adapter")));
  EXPECT_THAT(Run("mrege").err, HasSubstr("did you mean \"merge\"?"));
}

TEST_F(Copied, APageThatIsOlderThanItsProgramIsNotBelieved) {
  ReplacePrograms();
  EXPECT_THAT(Run("predict --help").out, HasSubstr("Usage: unival predict"));
  for (const std::string program : kOwnPrograms) {
    const fs::path file = program_.Path("libexec/" + program);
    fs::last_write_time(file,
                        fs::last_write_time(file.string() + ".help") + std::chrono::seconds(9));
  }
  EXPECT_EQ(Run("predict --help").out, "started: predict --help\n");
  EXPECT_EQ(Run("help data import").out, "started: data import --help\n");
}

TEST_F(Copied, AProgramStartedByItselfBelievesNoOtherUnival) {
  // In a separate prefix whose libexec does not contain such a program.
  fs::create_directories(program_.Path("other/bin"));
  WriteScript("other/bin/unival", "#!/bin/sh\necho other\n");
  WriteScript("other/bin/unival-data", "#!/bin/sh\necho other\n");
  const std::string tools = Runfile("libexec/unival_tools");
  const Outcome outcome = program_.Shell("UNIVAL_PROGRAM=\"$PWD/other/bin/unival\" " + tools +
                                         " data make-world --help");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("make-world"), Not(HasSubstr("other\n"))));
}

TEST_F(Copied, HelpOfACommandIsAskedForInEitherOrder) {
  WriteScript("bin/unival-hello", "#!/bin/sh\necho \"asked: $@\"\n");
  EXPECT_EQ(Run("help hello").out, "asked: --help\n");
  EXPECT_EQ(Run("help hello more").out, "asked: more --help\n");
  EXPECT_EQ(Run("help").out, Run("--help").out);
  EXPECT_EQ(Run("help data import").out, Run("data import --help").out);
  EXPECT_THAT(Run("help data import").out, HasSubstr("Usage: unival data import"));
  EXPECT_EQ(Run("data import help").out, Run("data import --help").out);
  EXPECT_EQ(Run("train help").out, Run("train --help").out);
}

TEST_F(Copied, ItsOwnCommandsComeFirst) {
  WriteScript("bin/unival-inspect", "#!/bin/sh\necho mine\n");
  EXPECT_THAT(Run("inspect --help").out, HasSubstr("Usage: unival inspect"));
  EXPECT_EQ(Run("inspect").code, 2);
}

TEST_F(Copied, SaysInItsHelpWhichProgramsNeverRun) {
  WriteScript("bin/unival-inspect", "#!/bin/sh\necho mine\n");
  WriteScript("bin/unival-help", "#!/bin/sh\necho mine\n");
  WriteScript("bin/unival-data", "#!/bin/sh\necho mine\n");
  std::istringstream help(Run("--help").out);
  std::string list, line;
  while (std::getline(help, line) && line != "Programs of their own:") continue;
  while (std::getline(help, line) && !line.empty()) {
    const bool never = line.find("(never run: ") != std::string::npos;
    list += line.substr(2, line.find(' ', 2) - 2) + (never ? ":never " : " ");
  }
  EXPECT_EQ(list, "data help:never inspect:never ");
  EXPECT_EQ(Run("help help").out, Run("--help").out);
}

TEST_F(Copied, AWordThatIsNoCommandIsAnErrorAndANearOneIsOffered) {
  WriteScript("bin/unival-hello", "#!/bin/sh\necho hello\n");
  for (const char* words : {"nosuch", "help nosuch", "nosuch --help", "nosuch -h"}) {
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_EQ(outcome.out, "") << words;
    EXPECT_EQ(outcome.err, "unival: \"nosuch\" is no command; see unival --help\n") << words;
  }
  for (const auto& [words, nearest] :
       std::map<std::string, std::string>{{"pedict", "predict"},
                                          {"help pedict", "predict"},
                                          {"helllo", "hello"},
                                          {"quikstart", "quickstart"},
                                          {"hepl", "help"}}) {
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_THAT(outcome.err, HasSubstr("did you mean \"" + nearest + "\"? See unival --help"));
  }
  for (const char* words : {"data imprt", "help data imprt", "data imprt --help"}) {
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_THAT(outcome.err, HasSubstr("did you mean \"import\"? See unival data --help")) << words;
  }
  const Outcome option = Run("predict nano --taks image_caption");
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("\"--taks\" is no option; did you mean \"--task\"?"));
}

TEST_F(Copied, AddsTheCommandsThatItsOwnCommandLacks) {
  WriteScript("libexec/unival-data", "#!/bin/sh\necho \"extension: $@\"\n");
  EXPECT_EQ(Run("data make-world out --count 3").out, "extension: make-world out --count 3\n");
  EXPECT_THAT(Run("data --help").out,
              AllOf(HasSubstr("Usage: unival data"), HasSubstr("extension: --help\n")));
  EXPECT_THAT(Run("data check none.jsonl").err, HasSubstr("none.jsonl"));
  EXPECT_THAT(Run("data import --help").out, Not(HasSubstr("extension: ")));
}

TEST_F(Copied, SaysWhichFileIsNotExecutable) {
  WriteScript("bin/unival-hello", "#!/bin/sh\necho hello\n", /*executable=*/false);
  const Outcome outcome = Run("hello");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              AllOf(StartsWith("unival: "), HasSubstr("bin/unival-hello"), HasSubstr("chmod +x")));
}

TEST_F(Copied, SaysWhyAProgramCannotStart) {
  WriteScript("bin/unival-hello", "echo hello\n");
  const Outcome outcome = Run("hello");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(StartsWith("unival: cannot run "), HasSubstr("bin/unival-hello"),
                                 HasSubstr("#!/bin/sh")));
  WriteScript("bin/unival-gone", "#!/none/such\n");
  EXPECT_THAT(Run("gone").err, AllOf(HasSubstr("bin/unival-gone"), HasSubstr("No such file")));
}

TEST_F(Copied, PrintsTheHelpOfACommandWithoutStartingItsProgram) {
  ReplacePrograms();
  for (const char* words :
       {"predict --help", "predict -h", "help predict", "--help predict", "-h data import",
        "data import --help", "help prompts show", "merge --help", "train help", "data help"}) {
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, 0) << words;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage: unival "), Not(HasSubstr("started: "))))
        << words;
  }
  EXPECT_EQ(Run("predict --help more").out, "started: predict --help more\n");
  EXPECT_EQ(Run("--help > /dev/full").code, 1);
  EXPECT_EQ(Run("predict --help > /dev/full").code, 1);
}

TEST_F(Copied, AsksTheProgramWhereItsHelpIsMissingOrHasNotThePage) {
  const std::string page = Run("inspect --help").out;
  fs::remove(program_.Path("libexec/unival_core.help"));
  EXPECT_EQ(Run("inspect --help").out, page);
  WriteText(program_.Path("libexec/unival_core.help"), "=== inspector\nanother\n");
  EXPECT_EQ(Run("inspect --help").out, page);
}

TEST_F(Copied, AWordBehindTheOptionForHelpIsLookedAt) {
  EXPECT_EQ(Run("--help train").out, Run("train --help").out);
  EXPECT_EQ(Run("-h adapter list").out, Run("adapter list --help").out);
  EXPECT_EQ(Run("--help nosuch").code, 2);
  EXPECT_THAT(Run("--help nosuch").err, HasSubstr("\"nosuch\" is no command"));
}

TEST_F(Copied, SaysWhichProgramOfACommandIsNotExecutable) {
  fs::remove(program_.Path("libexec/unival_core"));
  WriteScript("libexec/unival_core", "#!/bin/sh\n", /*executable=*/false);
  const Outcome outcome = Run("train plan.textproto");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("libexec/unival_core"), HasSubstr("chmod +x")));
}

TEST_F(Copied, SaysHowToBuildTheProgramOfACommandThatIsNotThere) {
  fs::remove(program_.Path("libexec/unival_tools"));
  const Outcome outcome = Run("merge a b");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("`unival merge`"), HasSubstr("bazel build //libexec:unival_tools")));
}

TEST_F(Copied, SaysHowToBuildAShippedProgramThatIsNotThere) {
  for (const char* command :
       {"parity golden", "convert fairseq a b", "quickstart", "data make-world out"}) {
    const Outcome outcome = Run(command);
    const std::string name = std::string(command).substr(0, std::string(command).find(' '));
    EXPECT_EQ(outcome.code, 1) << command;
    EXPECT_THAT(outcome.err, HasSubstr("//libexec:unival-" + name));
  }
  EXPECT_EQ(Run("data fly").code, 2);
  EXPECT_EQ(Run("data fly").err, "unival: \"fly\" is no command; see unival data --help\n");
}

TEST_F(Copied, TakesNoProgramFromElsewhere) {
  WriteScript("unival-evil", "#!/bin/sh\necho evil\n");  // in the current folder
  for (const char* word : {"evil", "../evil", "evil/../../unival-evil", "''", "-evil"}) {
    const Outcome outcome = Run(word);
    EXPECT_EQ(outcome.code, 2) << word;
    EXPECT_THAT(outcome.out, Not(HasSubstr("evil"))) << word;
  }
}

TEST_F(Copied, NamesWithOddBytesAreNoCommandsAndDoNotReachTheTerminal) {
  WriteScript("bin/unival-a\nb", "#!/bin/sh\necho ran\n");
  const Outcome outcome = Run("\"$(printf 'a\\nb')\"");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("\"a\\nb\" is no command"));
  EXPECT_THAT(Run("\"$(printf '\\033[31mred\\377')\"").err,
              AllOf(HasSubstr("is no command"), Not(HasSubstr("\x1b")), Not(HasSubstr("\xff"))));
  EXPECT_THAT(Run("--help").out, Not(HasSubstr("unival-a")));
}

TEST(TheBuiltTree, HasThePageThatTheProgramWouldPrint) {
  const Program program(NewFolder("pages"));
  const std::string libexec = fs::path(Runfile("libexec/unival_core")).parent_path().string();
  for (const std::string words : {"unival_core train", "unival_tools data import",
                                  "unival_tools adapter", "unival-data make-world"}) {
    const std::string own = program.Shell(libexec + "/" + words + " --help").out;
    const std::string typed =
        "unival " + words.substr(words.find('-') == std::string::npos ? words.find(' ') + 1
                                                                      : words.find('-') + 1);
    EXPECT_EQ(program.Shell(typed + " --help").out, own) << typed;
    EXPECT_THAT(own, HasSubstr("Usage: " + typed)) << typed;
  }
}

TEST(TheBuiltTree, KnowsWhichOfItsCommandsHaveCommands) {
  const Program program(NewFolder("commands"));
  for (const ShippedCommand& command : ShippedCommands()) {
    const std::string help = program.Run(command.name + " --help").out;
    EXPECT_THAT(help, HasSubstr(command.summary)) << command.name;
    EXPECT_EQ(help.find("\nSubcommands:") != std::string::npos, command.has_commands)
        << command.name;
  }
}

TEST(TheBuiltTree, FindsEveryShippedProgram) {
  const std::string help = Program(NewFolder("built")).Run("--help").out;
  for (const char* command : {"convert", "data", "parity", "quickstart"}) {
    EXPECT_THAT(help.substr(help.find("Programs of their own")),
                HasSubstr(std::string("\n  ") + command + "  "));
  }
}

}  // namespace
}  // namespace unival
