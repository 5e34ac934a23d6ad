#include "examples/world/world_command.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/speech/speech.h"
#include "examples/world/world.h"

namespace unival::world {
namespace {

using Done = std::function<void(const absl::Status&)>;

// One line that counts up.
void ShowProgress(const std::string& what, Split split, int64_t done, int64_t total) {
  std::cerr << '\r' << what << ' ' << SplitName(split) << ' ' << done << " of " << total
            << (done == total ? "\n" : "") << std::flush;
}

void AddMakeWorld(CLI::App& data_command, const Done& done) {
  CLI::App* command = data_command.add_subcommand(
      "make-world", "Write generated pictures, videos, depth maps, sounds and sentences");
  auto options = std::make_shared<WorldOptions>();
  command->add_option("out", options->output_dir, "Folder to write to")->required();
  command->add_option("--kind", options->kinds,
                      absl::StrCat("What to write; may be given several times (default: all of ",
                                   absl::StrJoin(WorldKinds(), ", "), ")"));
  command->add_option("--count", options->train_count, "Training samples of each kind")
      ->capture_default_str();
  command->add_option("--eval_count", options->eval_count, "Evaluation samples of each kind")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Other seeds give other worlds")
      ->capture_default_str();
  command->callback([options, done] {
    options->progress = [](const WorldProgress& p) {
      ShowProgress(p.kind, p.split, p.done, p.total);
    };
    done(GenerateWorld(*options));
  });
}

void AddMakeSpeech(CLI::App& data_command, const Done& done) {
  CLI::App* command = data_command.add_subcommand(
      "make-speech", "Write spoken words (no digits) in synthetic voices; runs espeak-ng");
  auto options = std::make_shared<speech::SpeechOptions>();
  command->add_option("out", options->output_dir, "Folder to write to")->required();
  command->add_option("--word", options->words,
                      "A word to speak; may be given several times (default: the lexicon)");
  command->add_option("--clips", options->train_clips, "Training clips of each word")
      ->capture_default_str();
  command->add_option("--eval_clips", options->eval_clips, "Evaluation clips of each word")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Other seeds give other clips")
      ->capture_default_str();
  command->add_option("--espeak", options->program, "The synthesiser")->capture_default_str();
  command->callback([options, done] {
    options->progress = [](Split split, int64_t made, int64_t total) {
      ShowProgress("speech", split, made, total);
    };
    done(speech::GenerateSpeech(*options));
  });
}

void AddMakeCorpus(CLI::App& data_command, const Done& done) {
  CLI::App* command = data_command.add_subcommand(
      "make-corpus", "Write the world's sentences as text to train a tokenizer on");
  auto options = std::make_shared<CorpusOptions>();
  command->add_option("out", options->output_file, "Text file to write")->required();
  command->add_option("--sentences", options->sentences, "How many")->capture_default_str();
  command->add_option("--seed", options->seed, "Other seeds give other sentences")
      ->capture_default_str();
  command->add_option("--extra", options->extra_files,
                      "A text file whose lines are added; may be given several times");
  command->callback([options, done] { done(WriteCorpus(*options)); });
}

}  // namespace

void AddWorldCommands(CLI::App& data_command, std::function<void(const absl::Status&)> done) {
  AddMakeWorld(data_command, done);
  AddMakeSpeech(data_command, done);
  AddMakeCorpus(data_command, done);
}

}  // namespace unival::world
