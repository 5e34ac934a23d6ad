#include "app/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sdk/base/nearest.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The option values that a test's program received.
struct Told {
  std::string text, greeting = "hello";
  int whole = 1;
  int64_t wide = 2;
  uint64_t natural = 3;
  double real = 0.5;
  absl::optional<int> maybe;
  absl::optional<uint64_t> maybe_natural;
  std::vector<std::string> list, seen;
  bool flag = false;
};

// A program of one command "do" and one command "more" that holds "deep"; `told` outlives it.
class Fixture : public ::testing::Test {
 protected:
  Fixture() : program_("tool", "Does things") {
    Command& act = program_.AddCommand("do", "Do it");
    act.AddPositional("text", &told_.text, "What to do");
    act.AddOption("--greeting,-g", &told_.greeting, "A word").LastWins().ShowDefault();
    act.AddOption("--whole", &told_.whole, "A number").Between(1, 64);
    act.AddOption("--wide", &told_.wide, "A number").Positive();
    act.AddOption("--natural", &told_.natural, "A number");
    act.AddOption("--real", &told_.real, "A number").NotNegative();
    act.AddOption("--share", &told_.real, "A number").Within(0, 1);
    act.AddOption("--maybe", &told_.maybe, "A number");
    act.AddOption("--maybe_natural", &told_.maybe_natural, "A number");
    act.AddOption("--item", &told_.list, "An item");
    act.AddOption(
        "--each", [this](const std::string& value) { told_.seen.push_back(value); }, "An item");
    act.AddOption("--kind", &told_.greeting, "A kind").OneOf({"hello", "bye"});
    act.AddOption("--device", &told_.greeting, "A device").Device();
    act.AddOption("--prompt", &told_.greeting, "A text").MayBeEmpty();
    act.AddFlag("--flag", &told_.flag, "A switch");
    act.OnRun([this]() -> absl::StatusOr<ExitCode> { return outcome_; });
    Command& deep = program_.AddCommand("more", "More of it").AddCommand("deep", "Deeper");
    deep.OnRun([this] { return outcome_.status(); });
    Command& mix = program_.AddCommand("mix", "Mix what is named");
    mix.AddCommand("taste", "Only look").OnRun([this] {
      tasted_ = true;
      return outcome_.status();
    });
    mix.RunsAlone();
    mix.AddPositional("parts", &parts_, "What").Optional();
    mix.OnRun([this] {
      mixed_ = true;
      return outcome_.status();
    });
    program_.AddVersion("tool 1");
    program_.SetFooter([] { return std::string("See also: the sky"); });
  }

  int Run(const std::vector<std::string>& words) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = program_.Run(words);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }

  Told told_;
  absl::StatusOr<ExitCode> outcome_ = kDone;
  Command program_;
  std::string out_, err_;
  std::vector<std::string> parts_;
  bool mixed_ = false, tasted_ = false;
};

TEST_F(Fixture, ANumberBeyondItsBoundsIsRefusedByTheNameOfItsOption) {
  for (const char* text : {"1.8e19", "1e308", "-0.1", "1.0001", "nan", "inf", "", "0,5"}) {
    EXPECT_EQ(Run({"do", "x", "--share", text}), kUsage) << text;
    EXPECT_THAT(err_, AllOf(HasSubstr("--share"), HasSubstr("expected"))) << text;
  }
  EXPECT_EQ(Run({"do", "x", "--share", "1"}), kDone);
  EXPECT_EQ(told_.real, 1);
}

TEST_F(Fixture, ACommandWithCommandsMayRunAlone) {
  EXPECT_EQ(Run({"mix", "milk", "eggs"}), kDone) << err_;
  EXPECT_TRUE(mixed_);
  EXPECT_EQ(parts_, (std::vector<std::string>{"milk", "eggs"}));
  mixed_ = false;
  EXPECT_EQ(Run({"mix", "taste"}), kDone) << err_;
  EXPECT_TRUE(tasted_);
  EXPECT_FALSE(mixed_);
}

TEST_F(Fixture, EveryKindOfValueReachesItsTarget) {
  EXPECT_EQ(Run({"do", "it", "-g", "one", "--greeting", "two", "--whole", "64", "--wide", "-0x0",
                 "--real", "0"}),
            kUsage);
  EXPECT_EQ(Run({"do", "it", "-g", "one", "--greeting", "two", "--whole", "64", "--wide", "7",
                 "--natural", "18446744073709551615", "--real", "0", "--maybe", "0",
                 "--maybe_natural", "0", "--flag"}),
            kDone)
      << err_;
  EXPECT_EQ(told_.text, "it");
  EXPECT_EQ(told_.greeting, "two");
  EXPECT_EQ(told_.whole, 64);
  EXPECT_EQ(told_.wide, 7);
  EXPECT_EQ(told_.natural, 18446744073709551615u);
  EXPECT_EQ(told_.real, 0);
  EXPECT_EQ(told_.maybe, 0);
  EXPECT_EQ(told_.maybe_natural, 0u);
  EXPECT_TRUE(told_.flag);
}

TEST_F(Fixture, DefaultsStayWithoutTheOption) {
  EXPECT_EQ(Run({"do", "it"}), kDone);
  EXPECT_EQ(told_.greeting, "hello");
  EXPECT_EQ(told_.whole, 1);
  EXPECT_EQ(told_.maybe, absl::nullopt);
}

TEST_F(Fixture, AnOptionGivenAgainTakesOneValueEachTime) {
  EXPECT_EQ(Run({"do", "--item", "a", "--each", "c", "--item", "b", "--each", "d", "it"}), kDone)
      << err_;
  EXPECT_THAT(told_.list, ElementsAre("a", "b"));
  EXPECT_THAT(told_.seen, ElementsAre("c", "d"));
  EXPECT_EQ(told_.text, "it");
}

TEST_F(Fixture, AValueOutsideItsLimitIsRefusedBeforeAnythingRuns) {
  outcome_ = absl::InternalError("ran");
  EXPECT_EQ(Run({"do", "it", "--whole", "65"}), kUsage);
  EXPECT_THAT(err_, AllOf(HasSubstr("--whole"), HasSubstr("65"), HasSubstr("64")));
  EXPECT_EQ(Run({"do", "it", "--wide", "0"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("--wide: expected a number above 0, got 0; see "));
  EXPECT_EQ(Run({"do", "it", "--real", "-1"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("--real: expected 0 or more, got -1; see "));
  EXPECT_EQ(Run({"do", "it", "--real", "much"}), kUsage);
  EXPECT_EQ(Run({"do", "it", "--kind", "adieu"}), kUsage);
  EXPECT_THAT(err_, AllOf(HasSubstr("hello"), HasSubstr("bye")));
}

TEST_F(Fixture, ANumberThatItsTypeHasNotIsRefusedNotReplaced) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--natural", "-1"},
                                             {"--natural", "18446744073709551616"},
                                             {"--maybe_natural", "-18446744073709551615"},
                                             {"--maybe", "99999999999999999999"},
                                             {"--wide", "9223372036854775808"},
                                             {"--wide", "99999999999999999999"},
                                             {"--real", "inf"},
                                             {"--real", "nan"}}) {
    EXPECT_EQ(Run({"do", "it", words[0], words[1]}), kUsage) << words[0] << " " << words[1];
    EXPECT_THAT(err_, StartsWith("unival: " + words[0] + ": expected ")) << words[1];
    EXPECT_THAT(err_, HasSubstr(words[1])) << words[1];
  }
  EXPECT_EQ(told_.natural, Told().natural);
}

// CLI11 reads each of these as a number that nobody meant: 0, 8, 16, 10, 5, 255.
TEST_F(Fixture, ANumberIsWrittenInDigitsAlone) {
  for (const char* option :
       {"--whole", "--wide", "--natural", "--maybe", "--maybe_natural", "--real"}) {
    for (const char* text : {"",    " ",  "0x10",     "1_0",  "1'0",   " 5",  "5 ",     "5\n",
                             "+",   "-",  "0b1",      "0xFF", "0o7",   "1e",  "\u0663", "\u00bd",
                             "1,5", "5x", "infinity", "NaN",  "1e309", "-0x1"}) {
      EXPECT_EQ(Run({"do", "it", option, text}), kUsage) << option << " \"" << text << "\"";
      EXPECT_THAT(err_, AllOf(HasSubstr(option), HasSubstr("expected a "))) << text;
    }
  }
  EXPECT_EQ(Run({"do", "it", "--whole", "010", "--real", "-0", "--natural", "+7"}), kDone) << err_;
  EXPECT_EQ(told_.whole, 10);
  EXPECT_EQ(told_.natural, 7u);
  EXPECT_EQ(Run({"do", "it", "--real", "1.5e-1"}), kDone) << err_;
  EXPECT_EQ(told_.real, 0.15);
}

// An empty value, as from a script whose variable is not set. Using the default would be a guess.
TEST_F(Fixture, AnOptionSaysSomething) {
  for (const char* option : {"--greeting", "--item", "--each", "--kind", "--device"}) {
    EXPECT_EQ(Run({"do", "it", option, ""}), kUsage) << option;
    EXPECT_THAT(err_, AllOf(HasSubstr(option), HasSubstr("expected a text, got nothing")))
        << option;
    EXPECT_EQ(Run({"do", "it", absl::StrCat(option, "=")}), kUsage) << option;
    EXPECT_THAT(err_, HasSubstr(option));
  }
  EXPECT_EQ(Run({"do", "it", "--prompt", ""}), kDone) << err_;
}

TEST_F(Fixture, ADeviceIsOneThatThereMayBe) {
  for (const char* device : {"cpu", "cuda", "cuda:0", "cuda:12"}) {
    EXPECT_EQ(Run({"do", "it", "--device", device}), kDone) << err_;
  }
  for (const char* device : {"cpu:0", "cpu:1", "CPU", " cpu", "cuda:", "cuda:-1", "cuda:+1",
                             "cuda:999", "cuda:0x1", "meta", "tpu", "cuda:1:2"}) {
    EXPECT_EQ(Run({"do", "it", "--device", device}), kUsage) << device;
    EXPECT_THAT(err_, HasSubstr("expected cpu, cuda or cuda:N")) << device;
  }
}

TEST_F(Fixture, WhatRunsDecidesTheExitCode) {
  outcome_ = kDifferent;
  EXPECT_EQ(Run({"do", "it"}), kDifferent);
  outcome_ = absl::NotFoundError("file: gone");
  EXPECT_EQ(Run({"do", "it"}), kFailed);
  EXPECT_EQ(err_, "unival: file: gone\n");
  EXPECT_EQ(Run({"more", "deep"}), kFailed);
  outcome_ = kDone;
  EXPECT_EQ(Run({"more", "deep"}), kDone);
}

TEST_F(Fixture, AHyphenInAnOptionIsTakenForAnUnderscore) {
  EXPECT_EQ(Run({"do", "it", "--maybe-natural", "7", "--item=a-b"}), kDone) << err_;
  EXPECT_EQ(told_.maybe_natural, 7u);
  EXPECT_THAT(told_.list, ElementsAre("a-b"));
}

TEST_F(Fixture, AnUnknownWordIsNamedWithTheHelpToRead) {
  EXPECT_EQ(Run({"fly"}), kUsage);
  EXPECT_EQ(err_, "unival: \"fly\" is no command; see tool --help\n");
  EXPECT_EQ(Run({"more", "fly"}), kUsage);
  EXPECT_EQ(err_, "unival: \"fly\" is no command; see tool more --help\n");
  EXPECT_EQ(Run({"--fly"}), kUsage);
  EXPECT_EQ(err_, "unival: \"--fly\" is no option; see tool --help\n");
  EXPECT_EQ(Run({"\x1b[31mfly"}), kUsage);
  EXPECT_THAT(err_, AllOf(HasSubstr("\\x1b[31mfly"), Not(HasSubstr("\x1b"))));
}

TEST_F(Fixture, AnUnknownWordIsNamedAlsoWhereHelpIsAskedFor) {
  EXPECT_EQ(Run({"fly", "--help"}), kUsage);
  EXPECT_EQ(err_, "unival: \"fly\" is no command; see tool --help\n");
  EXPECT_EQ(Run({"more", "fly", "-h"}), kUsage);
  EXPECT_EQ(err_, "unival: \"fly\" is no command; see tool more --help\n");
  EXPECT_EQ(Run({""}), kUsage);
  EXPECT_EQ(err_, "unival: \"\" is no command; see tool --help\n");
}

TEST_F(Fixture, ANearNameIsOffered) {
  EXPECT_EQ(Run({"mroe", "deep"}), kUsage);
  EXPECT_EQ(err_, "unival: \"mroe\" is no command; did you mean \"more\"? See tool --help\n");
  EXPECT_EQ(Run({"more", "dep"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("did you mean \"deep\"? See tool more --help"));
  EXPECT_EQ(Run({"do", "it", "--natrual", "3"}), kUsage);
  EXPECT_EQ(err_,
            "unival: \"--natrual\" is no option; did you mean \"--natural\"? See tool do --help\n");
  EXPECT_EQ(Run({"do", "--natrual=3"}), kUsage) << "also where another word is missing";
  EXPECT_THAT(err_, HasSubstr("\"--natrual\" is no option; did you mean \"--natural\"?"));
}

TEST(NearestName, IsOneOfFewSlipsOrALongerOne) {
  const std::vector<std::string> names = {"data", "predict", "quickstart", "plugin"};
  EXPECT_EQ(NearestName("pedict", names), "predict");
  EXPECT_EQ(NearestName("dtaa", names), "data");
  EXPECT_EQ(NearestName("quick", names), "quickstart");
  EXPECT_EQ(NearestName("plugins", names), "plugin");
  EXPECT_EQ(NearestName("nosuch", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(100000, 'a'), names), "");
}

TEST_F(Fixture, HelpTellsLimitsAndDefaults) {
  EXPECT_EQ(Run({"do", "--help"}), kDone);
  for (const char* part :
       {"text TEXT REQUIRED", "-g,--greeting TEXT=hello", "INT in [1 - 64]", "--wide INT:POSITIVE",
        "--natural UINT", "--real FLOAT:NONNEGATIVE", "--maybe INT ", "--maybe_natural UINT",
        "--item TEXT ...", "--each TEXT ...", "{hello,bye}", "--flag  "}) {
    EXPECT_THAT(out_, HasSubstr(part));
  }
  EXPECT_EQ(Run({"--help"}), kDone);
  EXPECT_THAT(out_, AllOf(HasSubstr("Do it"), HasSubstr("See also: the sky")));
  EXPECT_EQ(Run({"--version"}), kDone);
  EXPECT_EQ(out_, "tool 1\n");
}

TEST_F(Fixture, AMissingWordIsAskedFor) {
  EXPECT_EQ(Run({}), kUsage);
  EXPECT_EQ(err_, "unival: expected a command: do, more, mix; see tool --help\n");
  EXPECT_EQ(Run({"do"}), kUsage);
  EXPECT_THAT(err_, HasSubstr("text: expected a value, got none"));
}

TEST_F(Fixture, AMistakeThatOnlyTheCommandSeesIsOneOfTheCommandLine) {
  outcome_ = UsageError("expected --here or --there");
  EXPECT_EQ(Run({"more", "deep"}), kUsage);
  EXPECT_EQ(err_, "unival: expected --here or --there; see tool more deep --help\n");
}

TEST(Command, AWordIsComparedWithOtherNamesWhereThereAreNoCommands) {
  Command alone("tool", "Does nothing by itself");
  alone.SetOtherNames([] { return std::vector<std::string>{"merge"}; });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(alone.Run({"merg"}), kUsage);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "unival: \"merg\" is no command; did you mean \"merge\"? See tool --help\n");
}

TEST_F(Fixture, EveryMistakeIsOneLineThatBeginsWithTheProgramAndEndsWithTheHelpToRead) {
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, Words{"do"}, Words{"do", "it", "--whole"}, Words{"do", "it", "--whole", "x"},
        Words{"do", "it", "--whole", "65"}, Words{"do", "it", "--kind", "adieu"},
        Words{"do", "it", "then", "more"}, Words{"do", "it", "--fly"}, Words{"fly"},
        Words{"more"}}) {
    EXPECT_EQ(Run(words), kUsage);
    EXPECT_THAT(err_, AllOf(StartsWith("unival: "), HasSubstr(" --help\n"))) << words.size();
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
  }
  EXPECT_EQ(Run({"do"}), kUsage);
  EXPECT_EQ(err_, "unival: text: expected a value, got none; see tool do --help\n");
  // Arguments after "--" belong to another program; they are not options, even after an error.
  EXPECT_EQ(Run({"do", "it", "--whole", "65", "--", "x", "--fly"}), kUsage);
  EXPECT_THAT(err_, AllOf(HasSubstr("--whole"), Not(HasSubstr("is no option"))));
}

TEST_F(Fixture, EveryMistakeNamesFieldExpectedAndActualInOneForm) {
  const struct {
    std::vector<std::string> words;
    const char* says;
  } kMistakes[] = {
      {{"do", "it", "--whole", "0"}, "--whole: expected 1 to 64, got 0"},
      {{"do", "it", "--whole", "x y"}, "--whole: expected a whole number, got \"x y\""},
      {{"do", "it", "--whole"}, "--whole: expected a value, got none"},
      {{"do", "it", "--whole", "3", "--whole"}, "--whole: expected a value, got none"},
      {{"do", "it", "--whole", "3", "--whole", "4"}, "--whole: expected one value, got 2"},
      {{"do", "it", "--item", "a", "--item", "b", "--item"}, "--item: expected a value, got none"},
      {{"do", "it", "--kind", "adieu"}, "--kind: expected one of hello, bye, got \"adieu\""},
      {{"do", "it", "--share", "2"}, "--share: expected a number from 0 to 1, got 2"},
      {{"do", "it", "--real", "inf"}, "--real: expected a finite number, got \"inf\""},
      {{"do", "it", "--item", ""}, "--item: expected a text, got nothing"},
      {{"do", "it", "--device", "tpu"}, "--device: expected cpu, cuda or cuda:N, got \"tpu\""},
      {{"do", "it", "--flag=maybe"}, "--flag: expected true or false, got \"maybe\""},
      {{"do", "it", "then", "more"}, "expected no further argument, got then more"},
      {{"do"}, "text: expected a value, got none"},
  };
  for (const auto& mistake : kMistakes) {
    EXPECT_EQ(Run(mistake.words), kUsage) << mistake.says;
    EXPECT_EQ(err_, absl::StrCat("unival: ", mistake.says, "; see tool do --help\n"));
  }
  EXPECT_EQ(Run({"do", "it", "--flag=no"}), kDone) << err_;
  EXPECT_FALSE(told_.flag);
}

TEST_F(Fixture, TheWordHelpBehindCommandsStandsForTheOption) {
  for (const std::vector<std::string>& path :
       std::vector<std::vector<std::string>>{{}, {"do"}, {"more"}, {"more", "deep"}, {"mix"}}) {
    std::vector<std::string> words = path;
    words.push_back("--help");
    EXPECT_EQ(Run(words), kDone);
    const std::string page = out_;
    words.back() = "help";
    EXPECT_EQ(Run(words), kDone) << err_;
    EXPECT_EQ(out_, page);
  }
  EXPECT_EQ(Run({"do", "help", "--whole", "3"}), kDone) << "one word of several is what it says";
  EXPECT_EQ(told_.text, "help");
  EXPECT_EQ(Run({"do", "--", "help"}), kDone) << err_;
  EXPECT_EQ(out_, "");
}

TEST(AnException, OfWhatRunsIsAFailure) {
  Command program("tool", "Throws");
  program.OnRun([]() -> absl::Status { throw std::runtime_error("broken"); });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(program.Run({}), kFailed);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("internal error: broken"));
}

}  // namespace
}  // namespace unival
