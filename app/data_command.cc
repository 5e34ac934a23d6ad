// unival data ...: makes, packs and checks data. See docs/formats/data.md.

#include <iostream>

#include "app/command.h"
#include "app/commands.h"
#include "app/data_commands.h"
#include "app/data_import.h"
#include "app/shipped.h"
#include "runtime/runtime.h"
#include "sdk/base/status_macros.h"
#include "training/data/check/corpus.h"
#include "training/data/files/output_file.h"

namespace unival {
namespace {

// More than any published tokenizer has; training takes time and memory in proportion.
constexpr int kMaxPieces = 1 << 20;

absl::Status TrainTokenizer(const std::string& type, const TokenizerTraining& training) {
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({training.output}, {training.corpus}));
  UNIVAL_RETURN_IF_ERROR(CheckCorpus(training.corpus));
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create({}));
  return runtime->registry().TrainTokenizer(type, training);
}

void AddTrainTokenizer(Command& data) {
  Command& command =
      data.AddCommand("train-tokenizer", "Train a sentencepiece tokenizer on a text file");
  auto training = std::make_shared<TokenizerTraining>();
  training->vocabulary_size = 1000;
  command.AddPositional("corpus", &training->corpus, "Text, one sentence a line");
  command.AddPositional("output", &training->output,
                        "File to write; models read it as tokenizer.model");
  command
      .AddOption("--size", &training->vocabulary_size,
                 "Pieces at most; from 2048 on with one for every byte")
      .Between(1, kMaxPieces)
      .ShowDefault();
  command.AddOption("--symbol", &training->symbols,
                    "Text kept as one piece; may be given several times");
  command.SetFooter(
      "Example: unival data train-tokenizer corpus.txt tokenizer/tokenizer.model --size 1000");
  command.OnRun([training] { return TrainTokenizer("sentencepiece", *training); });
}

}  // namespace

void AddDataCommand(Command& program) {
  Command& data = AddShippedCommand(program, "data");
  AddTrainTokenizer(data);
  AddDataImport(data);
  AddDataCheck(data);
  AddDataShow(data);
}

}  // namespace unival
