// unival data ...: makes, packs and checks data. See docs/formats/data.md.

#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "runtime/runtime.h"
#include "sdk/base/status_macros.h"
#include "training/data/import.h"
#include "training/data/source.h"

namespace unival {
namespace {

using Done = std::function<void(const absl::Status&)>;

absl::Status TrainTokenizer(const std::string& type, const TokenizerTraining& training) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create({}));
  return runtime->registry().TrainTokenizer(type, training);
}

void AddTrainTokenizer(CLI::App* data, const Done& done) {
  CLI::App* command =
      data->add_subcommand("train-tokenizer", "Train a sentencepiece tokenizer on a text file");
  auto training = std::make_shared<TokenizerTraining>();
  training->vocabulary_size = 1000;
  command->add_option("corpus", training->corpus, "Text, one sentence a line")->required();
  command->add_option("output", training->output, "File to write; models read it as tokenizer.model")
      ->required();
  command->add_option("--size", training->vocabulary_size, "Pieces at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--symbol", training->symbols,
                      "Text kept as one piece; may be given several times");
  command->footer(
      "Example: unival data train-tokenizer corpus.txt tokenizer/tokenizer.model --size 1000");
  command->callback([training, done] { done(TrainTokenizer("sentencepiece", *training)); });
}

absl::Status Import(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const ImportReport report, ImportDataset(options));
  std::cout << options.destination << ": " << report.samples << " samples, " << report.bytes
            << " bytes of media\n";
  return absl::OkStatus();
}

void AddImport(CLI::App* data, const Done& done) {
  CLI::App* command =
      data->add_subcommand("import", "Pack a data set in its publisher's layout into one tar");
  auto options = std::make_shared<ImportOptions>();
  command
      ->add_option("dataset", options->dataset,
                   "fsdd, cifar10, or folder (one sub-folder per class)")
      ->required()
      ->check(CLI::IsMember({"fsdd", "cifar10", "folder"}));
  command->add_option("source", options->source, "Folder of the data set")->required();
  command->add_option("destination", options->destination, "FILE.tar to write")->required();
  command->add_option("--split", options->split, "all, train or test")
      ->check(CLI::IsMember({"all", "train", "test"}))
      ->capture_default_str();
  command->footer("Example: unival data import fsdd recordings fsdd/train.tar --split train");
  command->callback([options, done] { done(Import(*options)); });
}

absl::Status CheckData(const SourceOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(*source));
  UNIVAL_RETURN_IF_ERROR(CheckSource(*source));
  std::cout << options.path << ": " << source->size()
            << " records; columns: " << absl::StrJoin(columns, ", ") << "\n";
  return absl::OkStatus();
}

void AddCheck(CLI::App* data, const Done& done) {
  CLI::App* command = data->add_subcommand("check", "Read every record of a file");
  auto options = std::make_shared<SourceOptions>();
  command->add_option("file", options->path, "FILE.jsonl or FILE.tar")->required();
  command->add_option("--media", options->media_columns,
                      "A column that holds media, beside audio, depth, image and video; may be "
                      "given several times");
  command->footer("Example: unival data check world/image/train/caption.jsonl");
  command->callback([options, done] { done(CheckData(*options)); });
}

}  // namespace

void AddDataCommand(CLI::App& app, int* exit_code) {
  CLI::App* data = app.add_subcommand("data", "Make, pack and check data");
  data->require_subcommand(1);
  const Done done = [exit_code](const absl::Status& status) {
    *exit_code = status.ok() ? kDone : Fail(status);
  };
  AddTrainTokenizer(data, done);
  AddImport(data, done);
  AddCheck(data, done);
}

}  // namespace unival
