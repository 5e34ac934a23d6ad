// Plugins that attack the process that checks them, and numbers that would cost hours of work.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string Plugin(const std::string& name) {
  return "'" + Runfile("tests/adversarial/lib" + name + ".so") + "'";
}

// Processes of plugins that are still running. Does not use `ps`, which some systems lack.
std::string Left() {
  return Workplace()
      .Shell(
          "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | "
          "grep 'plugin-child.*[h]ostile'; done")
      .out;
}

TEST(ChildAttacks, ThatBeginWhenThePluginIsOpened) {
  for (const auto& [name, code] : std::vector<std::pair<const char*, int>>{
           {"hostile_exit", 3}, {"hostile_forge", 1}, {"hostile_leave", 0}}) {
    const std::string check = absl::StrCat("unival plugin check ", Plugin(name), " --sample eight");
    const std::string list =
        absl::StrCat("unival plugin list --plugin ", Plugin(name), " --plugin ", Plugin("hostile"));
    ASSERT_EQ(Workplace()
                  .Shell("mkdir -p eight && printf abcdefgh >eight/a && printf ijklmnop >eight/b")
                  .code,
              0);
    Try(Workplace(), {check, check, {code}, "hostile"});
    Try(Workplace(), {list, list, {0}, "hostile"});
    EXPECT_EQ(Left(), "") << name;
  }
}

TEST(ChildAttacks, ThatBeginWithACall) {
  for (const char* does :
       {"exit", "crash", "abort", "stop", "hang", "end the group", "leave one", "eat in another"}) {
    const bool is_sound = does == std::string("leave one");
    const std::string check = absl::StrCat(
        "unival plugin check ", Plugin("hostile"), " --sample eight --option 'does=", does,
        "' --process_mib 600 --call_seconds ", is_sound ? 60 : 2);
    Try(Workplace(), {absl::StrCat("a plugin that does ", does),
                      check,
                      {is_sound ? 0 : 3},
                      is_sound ? "ok" : "FAIL"});
    EXPECT_EQ(Left(), "") << does;
  }
}

// Replacing /dev/null would affect all programs.
TEST(PlaceAttacks, APipeStaysAPipe) {
  const std::string lines = "a b c d e\nb c d e f\n";
  WriteText(Workplace().Path("lines.txt"), lines + lines + lines);
  for (const char* command :
       {"data make-corpus pipe --sentences 5", "data train-tokenizer lines.txt pipe --size 20",
        "plan show run_of_pipes.textproto --dry_run pipe", "data make-corpus made --extra pipe",
        "data make-corpus made --extra sparse.jsonl"}) {
    WriteText(Workplace().Path("run_of_pipes.textproto"),
              "name: \"x\" model: \"models/nano\" stage { trainable: \"all\" steps: 1 batch: 1\n"
              "optimizer { learning_rate: 1 } source { task: \"image_caption\" path: \"a.jsonl\" } "
              "}");
    Try(Workplace(), {command, absl::StrCat("unival ", command), {1}, ""});
    EXPECT_TRUE(fs::is_fifo(Workplace().Path("pipe"))) << command;
  }
  EXPECT_FALSE(fs::exists(Workplace().Path("pipe.tmp")));
  EXPECT_FALSE(fs::exists(Workplace().Path("made.tmp")));
}

TEST(ChildAttacks, NumbersThatWouldTakeHours) {
  WriteText(Workplace().Path("short.json"),
            "{\"references\": {\"a\": [\"x\"]}, \"candidates\": {\"a\": \"x\"}}");
  const std::string plan =
      "name: \"x\" model: \"models/nano\" stage { trainable: \"all\" steps: 1000000000 batch: 1\n"
      "optimizer { learning_rate: 1 } source { task: \"image_caption\" path: \"a.jsonl\" } }";
  WriteText(Workplace().Path("long.textproto"), plan);
  Try(Workplace(), {"resamples", "unival score short.json --resamples 1000000000", {2}, ""});
  Try(Workplace(),
      {"resamples of eval",
       "unival eval models/nano --task image_caption --data a.jsonl --resamples 1000000000",
       {2},
       ""});
  Try(Workplace(), {"steps", "unival plan show long.textproto", {1}, "are drawn to count"});
}

}  // namespace
}  // namespace unival
