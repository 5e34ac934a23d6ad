// Numbers on the command line: every option is given values that are not valid numbers.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "app/options.h"
#include "tests/adversarial/attack.h"

namespace unival {
namespace {

struct Values {
  int whole = 0, bounded = 0;
  uint64_t seed = 0;
  int64_t steps = 0;
  double share = 0;
  absl::optional<int> maybe;
};

// The error of a command line that gives `option` the value `text`.
absl::Status Give(const std::string& option, const std::string& text) {
  Command program("program", "Takes numbers");
  Command& command = program.AddCommand("take", "Take them");
  Values values;
  command.AddOption("--whole", &values.whole, "any");
  command.AddOption("--bounded", &values.bounded, "1 to 64").Between(1, 64);
  command.AddOption("--seed", &values.seed, "any from 0");
  command.AddOption("--steps", &values.steps, "above 0").Positive();
  command.AddOption("--share", &values.share, "0 or more").NotNegative();
  command.AddOption("--maybe", &values.maybe, "any");
  command.OnRun([]() -> absl::Status { return absl::OkStatus(); });
  testing::internal::CaptureStderr();
  const int code = program.Run({"take", option, text});
  const std::string said = testing::internal::GetCapturedStderr();
  if (code == kDone) return absl::OkStatus();
  EXPECT_EQ(code, kUsage) << option << " " << text << said;
  return absl::InvalidArgumentError(said);
}

TEST(OptionAttacks, WhatIsNoNumberIsNoNumberOfAnyOption) {
  for (const char* option : {"--whole", "--bounded", "--seed", "--steps", "--share", "--maybe"}) {
    for (const char* text : {"", " ", "nan", "inf", "-inf", "abc", "5x", "--", "1e400", "0x",
                             "\xff", "1,5", "99999999999999999999999999x"}) {
      const Attack attack(absl::StrCat("option ", option, " \"", text, "\""));
      attack.Refused(Give(option, text));
    }
  }
}

TEST(OptionAttacks, NumbersOutsideOfWhatAnOptionTakes) {
  for (const auto& [option, text] :
       std::vector<std::pair<const char*, const char*>>{{"--whole", "2147483648"},
                                                        {"--whole", "-2147483649"},
                                                        {"--whole", "1.5"},
                                                        {"--whole", "1000000000000000000"},
                                                        {"--maybe", "2147483648"},
                                                        {"--maybe", "1.5"},
                                                        {"--bounded", "0"},
                                                        {"--bounded", "65"},
                                                        {"--bounded", "-1"},
                                                        {"--bounded", "1000000000"},
                                                        {"--seed", "-1"},
                                                        {"--seed", "18446744073709551616"},
                                                        {"--seed", "1.5"},
                                                        {"--steps", "0"},
                                                        {"--steps", "-1"},
                                                        {"--steps", "9223372036854775808"},
                                                        {"--share", "-0.1"},
                                                        {"--share", "-1e-300"}}) {
    const Attack attack(absl::StrCat("option ", option, " ", text));
    attack.Refused(Give(option, text));
  }
  for (const auto& [option, text] :
       std::vector<std::pair<const char*, const char*>>{{"--whole", "-2147483648"},
                                                        {"--seed", "18446744073709551615"},
                                                        {"--steps", "9223372036854775807"},
                                                        {"--share", "1e300"},
                                                        {"--bounded", "64"}}) {
    const Attack attack(absl::StrCat("option ", option, " ", text));
    attack.Harmless(Give(option, text));
  }
}

}  // namespace
}  // namespace unival
