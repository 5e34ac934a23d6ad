// unival data ...: makes, packs and checks data. See docs/formats/data.md.

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "app/commands.h"
#include "runtime/runtime.h"
#include "sdk/base/status_macros.h"
#include "training/data/import.h"
#include "training/data/source.h"

namespace unival {
namespace {

absl::Status TrainTokenizer(const std::string& type, const TokenizerTraining& training) {
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
  command.AddOption("--size", &training->vocabulary_size, "Pieces at most")
      .Positive()
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

// What the first record holds that no task can read, or nothing.
std::string UnreadableColumn(SourceOptions options) {
  options.needed.reset();
  const auto source = OpenSource(options);
  if (!source.ok()) return "";
  return std::string((*source)->Read(0).status().message());
}

absl::Status CheckData(SourceOptions options) {
  // Which columns a task will read is not known here.
  options.needed.emplace();
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(*source));
  UNIVAL_RETURN_IF_ERROR(CheckSource(*source));
  std::cout << options.path << ": " << source->size()
            << " records; columns: " << absl::StrJoin(columns, ", ") << "\n";
  const std::string unreadable = UnreadableColumn(options);
  if (!unreadable.empty()) std::cout << "For no task: " << unreadable << "\n";
  return absl::OkStatus();
}

void AddDataCheck(Command& data) {
  Command& command = data.AddCommand("check", "Read every record of a file");
  auto options = std::make_shared<SourceOptions>();
  command.AddPositional("file", &options->path, "FILE.jsonl or FILE.tar");
  command.AddOption("--media", &options->media_columns,
                    "A column that holds media, beside audio, depth, image and video; may be "
                    "given several times");
  command.SetFooter("Example: unival data check world/image/train/caption.jsonl");
  command.OnRun([options] { return CheckData(*options); });
}

}  // namespace

void AddDataCommand(Command& program) {
  Command& data = program.AddCommand("data", "Make, pack and check data");
  AddTrainTokenizer(data);
  AddImport(data);
  AddDataCheck(data);
}

}  // namespace unival
