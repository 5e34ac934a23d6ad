// Attacks on the program itself by flags, paths and output locations. Each attack is one command
// line.

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
TEST(ProgramAttacks, AFullStandardOutputIsAnErrorOfEveryCommand) {
  for (const char* command :
       {"unival --help", "unival --version", "unival doctor --json", "unival inspect models/nano",
        "unival inspect models/nano --json", "unival plugin list --json",
        "unival predict models/nano --task image_caption --input image=picture.png",
        "unival vocab list models/nano", "unival prompts list models/nano",
        "unival adapter list models/nano", "unival adapter show models/nano image --json",
        "unival predict models/nano --task image_caption picture.png --stream",
        "unival merge --help", "unival launch --help"}) {
    Try(Workplace(),
        {command, absl::StrCat(command, " >/dev/full"), {1}, "standard output: cannot be written"});
  }
}

TEST(ProgramAttacks, NumbersAndWordsThatAreNone) {
  const std::string word(100000, 'w');
  for (const auto& [command, code] : std::vector<std::pair<std::string, int>>{
           {"doctor --threads 100000", 2},
           {"doctor --threads 0", 2},
           {"doctor --threads -1", 2},
           {"doctor --threads 1e9", 2},
           {"doctor --threads 99999999999999999999", 2},
           {"data train-tokenizer file out.model --size 2000000000", 2},
           {"data train-tokenizer file out.model --size 0", 2},
           {"data train-tokenizer nul.txt out.model --size 50", 1},
           {"data train-tokenizer tab.txt out.model --size 50", 1},
           {"data train-tokenizer sparse.jsonl out.model --size 50", 1},
           {"data train-tokenizer pipe out.model --size 50", 1},
           {"predict models/nano --task image_caption --input image=picture.png --beam 1000", 2},
           {"eval models/nano --task image_caption --data a.jsonl --batch 0", 2},
           {"vocab add models/nano --block a.b=99999999999 --output grown", 1},
           {"vocab add models/nano --block a.b=-1 --output grown", 1},
           {"vocab add models/nano --block a.b=0 --output grown", 1},
           {"vocab add models/nano --block = --output grown", 1},
           {"data make-corpus corpus.txt --sentences -1", 2},
           {"eval models/nano --task image_caption --data a.jsonl --limit -1", 2},
           {"$(printf '\\033[2J')", 2},
           {"doctor --$(printf '\\033]0;x\\007')", 2},
           {"inspect \"$(printf 'a\\033[31mb')\"", 1},
           {"doctor --" + word, 2},
           {word, 2},
           {"inspect " + word, 1},
           {"data check " + word + ".jsonl", 1},
           {"predict models/nano --task " + word + " --input image=picture.png", 1},
           {"predict models/nano --task image_caption --input " + word, 1},
           {"predict models/nano --task image_caption --input image=" + word, 1},
       }) {
    Try(Workplace(), {command.substr(0, 60), "unival " + command, {code}, ""});
  }
}

TEST(ProgramAttacks, BoundsAreThoseThatTheReportTells) {
  ASSERT_EQ(Workplace().Shell("truncate -s 67108865 large.textproto").code, 0);
  Try(Workplace(), {"a plan of 64 MiB and a byte",
                    "unival train large.textproto --output large",
                    {1},
                    "may have 67108864 at most"});
  Try(Workplace(), {"what the report says of it",
                    "unival doctor --security",
                    {0},
                    "manifest, plan or template set: 64 MiB"});
  for (const char* part : {"avif (av1) (libavcodec libdav1d)", "pgm (libavcodec)",
                           "bmp (libavcodec)", "loops of a data-only program"}) {
    Try(Workplace(), {absl::StrCat("the report on ", part), "unival doctor --security", {0}, part});
  }
}

TEST(ProgramAttacks, FilesThatWouldMakeItWait) {
  for (const char* command :
       {"predict models/nano --task image_caption --input image=pipe",
        "predict models/nano --task image_caption --input image=device",
        "predict models/nano --task image_caption --input image=circle",
        "predict models/nano --task image_caption --input image=full",
        "predict models/nano --task t --input image=picture.png --templates pipe.textproto",
        "predict models/nano --task t --input image=picture.png --templates sparse.textproto",
        "eval models/nano --task image_caption --data pipe.jsonl",
        "eval models/nano --task image_caption --data sparse.jsonl",
        "train pipe.textproto --output out1",
        "train sparse.textproto --output out2",
        "verify pipe models/nano",
        "inspect pipe",
        "inspect circle",
        "doctor --plugin pipe",
        "doctor --plugin sparse.so",
        "plugin check pipe",
        "plugin check sparse.so",
        "data check pipe.jsonl",
        "data check sparse.jsonl",
        "data import folder pipe out.tar",
        "data import folder circle out.tar"}) {
    Try(Workplace(), {command, absl::StrCat("unival ", command), {1, 2}, ""});
  }
}

TEST(ProgramAttacks, PlacesThatCannotBeWritten) {
  const std::string eval = "unival eval models/nano --task image_caption --data a.jsonl ";
  const std::vector<CommandAttack> attacks = {
      {"metrics to a full device", absl::StrCat(eval, "--metrics ", kDevice), {1}, kDevice},
      {"metrics into nothing", eval + "--metrics none/m.json", {1}, "none/m.json"},
      {"metrics over the data", eval + "--metrics a.jsonl", {1}, "a.jsonl"},
      {"metrics to a pipe that nobody reads", eval + "--metrics pipe", {1}, "that nobody reads"},
      {"a page to a pipe", "unival data check a.jsonl --html pipe", {1}, "that nobody reads"},
      {"metrics to a circle", eval + "--metrics circle/m.json", {1}, "circle"},
      {"answers over the data", eval + "--predictions ./a.jsonl", {1}, "a.jsonl"},
      {"a tar to a full device", "unival data import folder classes device.tar", {1}, "device.tar"},
      {"a tokenizer into nothing", "unival data train-tokenizer a.jsonl none/t --size 60", {1}, ""},
      {"a run into a file", "unival train none.textproto --output file", {1}, ""},
      {"a run with a name that is too long",
       "unival train none.textproto --output " + std::string(300, 'n'),
       {1},
       ""},
      {"a limit of file size",
       "sh -c 'ulimit -f 4; unival adapter copy image models/nano --from models/nano --output x'",
       {1, 2},
       ""},
  };
  for (const CommandAttack& attack : attacks) Try(Workplace(), attack);
  EXPECT_TRUE(fs::exists(Workplace().Path("a.jsonl")));
}

}  // namespace
}  // namespace unival
