// Results that would be written over what a command reads, and a run among the files of a folder
// of another kind.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

constexpr char kSays[] = "expected a file other than those that are read";

// "kept": data in two files with a tar of their pictures, a model, a plan, a finished run.
const Program& Kept() {
  static const Program* const kProgram = [] {
    const Program* program = &Workplace();
    WriteText(program->Path("kept/plan.textproto"),
              "# a comment\nname: \"p\" seed: 1 model: \"m\"\n"
              "stage { trainable: \"connection:image\" steps: 1 batch: 1\n"
              "  optimizer { learning_rate: 1e-3 }\n"
              "  source { task: \"image_caption\" path: \"s-0.jsonl\" } }\n");
    for (const char* name : {"kept/s-0.jsonl", "kept/s-1.jsonl"}) {
      WriteText(program->Path(name), "{\"image\": \"i.tar:picture.png\", \"caption\": \"x\"}\n");
    }
    WriteText(program->Path("kept/single.jsonl"),
              "{\"image\": \"picture.png\", \"caption\": \"\\u001b[2J\"}\n");
    WriteText(program->Path("kept/text.txt"), "a word another text\n");
    const Outcome made = program->Shell(
        "cp -r models/nano kept/m && cp picture.png kept && tar -cf kept/i.tar picture.png && "
        "unival train kept/plan.textproto --output kept/run --quiet");
    EXPECT_EQ(made.code, 0) << made.err;
    return program;
  }();
  return *kProgram;
}

std::string Hashes() { return Kept().Shell("find kept -type f | sort | xargs sha256sum").out; }

TEST(OutputAttacks, NothingThatIsReadIsWrittenOver) {
  const std::string before = (Kept(), Hashes());
  const std::string eval = "unival eval kept/m --task image_caption --data ";
  const std::string show = "unival data show kept/s-0.jsonl --task image_caption --model kept/m ";
  const std::string plan = "unival plan show kept/plan.textproto --dry_run ";
  const std::vector<std::string> commands = {
      eval + "'kept/s-{0,1}.jsonl' --metrics kept/s-0.jsonl",
      eval + "kept/s-0.jsonl --predictions kept/i.tar",
      eval + "kept/single.jsonl --predictions kept/picture.png",
      eval + "kept/s-0.jsonl --report kept/m/backbone.safetensors",
      eval + "kept/s-0.jsonl --report kept/m/tokenizer/tokenizer.model",
      "unival data check 'kept/s-{0,1}.jsonl' --html kept/s-0.jsonl",
      "unival data check kept/s-0.jsonl --html kept/i.tar",
      "unival data check kept/s-0.jsonl --task image_caption --against kept/s-1.jsonl --html "
      "kept/s-1.jsonl",
      show + "--html kept/s-0.jsonl",
      show + "--html kept/i.tar",
      "unival watch kept/run --report kept/run/log.jsonl",
      "unival watch kept/run --report kept/run/model/backbone.safetensors",
      plan + "kept/plan.textproto",
      plan + "kept/s-0.jsonl",
      plan + "kept/i.tar",
      plan + "kept/m/manifest.textproto",
      "unival data train-tokenizer kept/text.txt kept/text.txt --size 60",
      "unival merge front kept/m kept/run/model --task image_caption --data kept/s-0.jsonl --csv "
      "kept/i.tar",
      "unival merge front kept/m kept/run/model --task image_caption --data kept/s-0.jsonl --csv "
      "kept/m/backbone.safetensors"};
  for (const std::string& command : commands) Try(Kept(), {command, command, {1}, kSays});
  EXPECT_EQ(Hashes(), before);
}

TEST(OutputAttacks, FilesBesideWhatIsReadAreWrittenAgainAndAgain) {
  const std::string eval =
      "unival eval kept/m --task image_caption --data kept/s-0.jsonl --predictions "
      "kept/answers.jsonl --report kept/m/report.html";
  for (int i = 0; i < 2; ++i) {
    Try(Kept(), {"eval beside", eval, {0}, ""});
    Try(Kept(), {"watch", "unival watch kept/run --report kept/run/page.html", {0}, ""});
  }
}

TEST(OutputAttacks, APageHoldsNoControlCharacters) {
  Try(Kept(), {"a page of an escape",
               "unival eval kept/m --task image_caption --data kept/single.jsonl --report c.html",
               {0},
               ""});
  EXPECT_EQ(ReadText(Kept().Path("c.html")).find('\x1b'), std::string::npos);
}

TEST(OutputAttacks, ResumeGoesOnWithARunAlone) {
  const std::string train = "unival train kept/plan.textproto --resume --quiet --output ";
  const std::string before = Kept().Shell("ls -A kept/m").out;
  Try(Kept(), {"a model's folder", train + "kept/m", {1}, "expected the folder of a run"});
  EXPECT_EQ(Kept().Shell("ls -A kept/m").out, before);
  Try(Kept(), {"a plan's folder", train + "kept", {1}, "expected the folder of a run"});
  Try(Kept(), {"an absent folder", train + "fresh_run", {0}, ""});
  Try(Kept(), {"a run", train + "fresh_run", {0}, ""});
}

TEST(OutputAttacks, AFullFileOfATarSaysTheSystemsReason) {
  Try(Kept(), {"a limit of file size",
               "mkdir -p big/a && yes | head -c 200000 >big/a/1.png && "
               "sh -c 'trap \"\" XFSZ; ulimit -f 16; unival data import folder big big.tar'",
               {1},
               "ulimit -f"});
}

}  // namespace
}  // namespace unival
