#include "examples/statements/statements_command.h"

#include <memory>

#include "examples/statements/make_statements.h"
#include "sdk/base/progress.h"

namespace unival::statements {

void AddStatementsCommand(Command& data) {
  Command& command = data.AddCommand(
      "make-statements", "Write pictures of three boxes and statements that are true or false");
  auto options = std::make_shared<StatementOptions>();
  command.AddPositional("out", &options->output_dir, "Folder to write to: OUT/statements/SPLIT");
  command
      .AddOption(
          "--count", &options->train_count,
          "Training statements; each has a picture that it is true of and one that it is not")
      .ShowDefault();
  command.AddOption("--eval_count", &options->eval_count, "Evaluation statements").ShowDefault();
  command
      .AddOption("--towers", &options->towers,
                 "Share of pictures with towers of blocks; the others have scattered items")
      .Within(0, 1)
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other statements").ShowDefault();
  command.SetFooter("Example: unival data make-statements data --count 100 --eval_count 20");
  command.OnRun([options] {
    ProgressLine line;
    options->progress = [&line](int64_t done, int64_t total) {
      line.Count("statements", done, total);
    };
    return GenerateStatements(*options);
  });
}

}  // namespace unival::statements
