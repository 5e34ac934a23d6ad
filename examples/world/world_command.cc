#include "examples/world/world_command.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/speech/speech.h"
#include "examples/world/world.h"
#include "sdk/base/progress.h"

namespace unival::world {
namespace {

void AddMakeWorld(Command& data) {
  Command& command = data.AddCommand(
      "make-world", "Write generated pictures, videos, depth maps, sounds and sentences");
  auto options = std::make_shared<WorldOptions>();
  command.AddPositional("out", &options->output_dir, "Folder to write to");
  command.AddOption("--kind", &options->kinds,
                    absl::StrCat("What to write; may be given several times (default: all of ",
                                 absl::StrJoin(WorldKinds(), ", "), ")"));
  command.AddOption("--count", &options->train_count, "Training samples of each kind")
      .ShowDefault();
  command.AddOption("--eval_count", &options->eval_count, "Evaluation samples of each kind")
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other worlds").ShowDefault();
  command.OnRun([options] {
    ProgressLine line;
    options->progress = [&line](const WorldProgress& p) {
      line.Count(absl::StrCat(p.kind, " ", SplitName(p.split)), p.done, p.total);
    };
    return GenerateWorld(*options);
  });
}

void AddMakeSpeech(Command& data) {
  Command& command = data.AddCommand(
      "make-speech", "Write spoken words (no digits) in synthetic voices; runs espeak-ng");
  auto options = std::make_shared<speech::SpeechOptions>();
  command.AddPositional("out", &options->output_dir, "Folder to write to");
  command.AddOption("--word", &options->words,
                    "A word to speak; may be given several times (default: the lexicon)");
  command.AddOption("--clips", &options->train_clips, "Training clips of each word").ShowDefault();
  command.AddOption("--eval_clips", &options->eval_clips, "Evaluation clips of each word")
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other clips").ShowDefault();
  command.AddOption("--espeak", &options->program, "The synthesiser").ShowDefault();
  command.OnRun([options] {
    ProgressLine line;
    options->progress = [&line](Split split, int64_t made, int64_t total) {
      line.Count(absl::StrCat("speech ", SplitName(split)), made, total);
    };
    return speech::GenerateSpeech(*options);
  });
}

void AddMakeCorpus(Command& data) {
  Command& command =
      data.AddCommand("make-corpus", "Write the world's sentences as text to train a tokenizer on");
  auto options = std::make_shared<CorpusOptions>();
  command.AddPositional("out", &options->output_file, "Text file to write");
  command.AddOption("--sentences", &options->sentences, "How many").NotNegative().ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other sentences").ShowDefault();
  command.AddOption("--extra", &options->extra_files,
                    "A text file whose lines are added; may be given several times");
  command.OnRun([options] { return WriteCorpus(*options); });
}

}  // namespace

void AddWorldCommands(Command& data) {
  AddMakeWorld(data);
  AddMakeSpeech(data);
  AddMakeCorpus(data);
}

}  // namespace unival::world
