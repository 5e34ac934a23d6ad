#include "examples/english/english_command.h"

#include <memory>

#include "examples/english/english.h"

namespace unival::english {

void AddEnglishCommand(Command& data) {
  Command& command =
      data.AddCommand("make-english", "Write texts to say, to order and to read, from sentences");
  auto options = std::make_shared<EnglishOptions>();
  command.AddPositional("texts", &options->text_dir,
                        "Folder of NAME_train.jsonl and NAME_dev.jsonl with a column text");
  command.AddPositional("out", &options->output_dir, "Folder to write to");
  command.AddOption("--max_words", &options->max_words, "Longer sentences are left out")
      .ShowDefault();
  command.AddOption("--count", &options->count, "Training records of words, order and reading")
      .ShowDefault();
  command.AddOption("--eval_count", &options->eval_count, "Records of every task for evaluation")
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other texts").ShowDefault();
  command.SetFooter("Example: unival data make-english texts data");
  command.OnRun([options] { return GenerateEnglish(*options); });
}

}  // namespace unival::english
