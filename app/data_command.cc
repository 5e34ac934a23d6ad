// unival data ...: makes, packs and checks data. See docs/formats/data.md.

#include <iostream>

#include "app/command.h"
#include "app/commands.h"
#include "app/data_commands.h"
#include "runtime/runtime.h"
#include "sdk/base/status_macros.h"
#include "training/data/corpus.h"
#include "training/data/import.h"

namespace unival {
namespace {

// More than any published tokenizer has; training takes time and memory in proportion.
constexpr int kMaxPieces = 1 << 20;

absl::Status TrainTokenizer(const std::string& type, const TokenizerTraining& training) {
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

absl::Status Import(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const ImportReport report, ImportDataset(options));
  std::cout << options.destination << ": " << report.samples << " samples, " << report.bytes
            << " bytes of media\n";
  constexpr size_t kMostNamed = 10;
  for (size_t i = 0; i < report.skipped.size() && i < kMostNamed; ++i)
    std::cout << "skipped " << report.skipped[i] << "\n";
  if (report.skipped.size() > kMostNamed)
    std::cout << "skipped " << report.skipped.size() - kMostNamed << " more\n";
  return absl::OkStatus();
}

void AddImport(Command& data) {
  Command& command =
      data.AddCommand("import", "Pack a data set in its publisher's layout into one tar");
  auto options = std::make_shared<ImportOptions>();
  command
      .AddPositional("dataset", &options->dataset,
                     "fsdd, cifar10, or folder (one sub-folder per class)")
      .OneOf(ImportDatasets());
  command.AddPositional("source", &options->source, "Folder of the data set");
  command.AddPositional("destination", &options->destination, "FILE.tar to write");
  command.AddOption("--split", &options->split, "all, train or test")
      .OneOf(ImportSplits())
      .ShowDefault();
  command.SetFooter("Example: unival data import fsdd recordings fsdd/train.tar --split train");
  command.OnRun([options] { return Import(*options); });
}

}  // namespace

void AddDataCommand(Command& program) {
  Command& data = program.AddCommand("data", "Make, pack and check data");
  AddTrainTokenizer(data);
  AddImport(data);
  AddDataCheck(data);
  AddDataShow(data);
}

}  // namespace unival
