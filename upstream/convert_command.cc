// unival convert fairseq CHECKPOINT MODEL, unival convert start MODEL: weights of other programs
// become a model directory.

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "sdk/base/status_macros.h"
#include "upstream/commands.h"
#include "upstream/conversion_host.h"
#include "upstream/fairseq/convert.h"
#include "upstream/fairseq/start_weights.h"

namespace unival {
namespace {

struct ConvertOptions {
  std::string checkpoint, directory, dictionary;
  StartFiles start;
  FairseqConversionOptions conversion;
  RuntimeOptions runtime;
};

void PrintNames(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::cout << title << " (" << names.size() << "):\n  " << absl::StrJoin(names, "\n  ") << "\n";
}

void Print(const ConvertOptions& options, const FairseqConversion& report) {
  PrintNames("Missing, filled with fresh values", report.missing);
  PrintNames("In none of the files, fresh values", report.fresh);
  PrintNames("Unexpected, left out", report.unexpected);
  PrintNames("Never used by a forward pass, left out", report.unused);
  std::cout << options.directory << ": " << report.tensors << " tensors, vocabulary "
            << report.vocabulary << ", modalities "
            << (report.modalities.empty() ? "none" : absl::StrJoin(report.modalities, ", "))
            << ", after " << report.updates << " updates\n";
  if (options.dictionary.empty()) {
    std::cout << "No tokenizer in it: give --dictionary FOLDER (encoder.json, vocab.bpe, dict.txt) "
                 "for a model that "
                 "can be loaded.\n";
  }
}

absl::Status Convert(const ConvertOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversionHost host,
                          ConversionHost(*runtime, options.dictionary));
  UNIVAL_ASSIGN_OR_RETURN(
      const FairseqConversion report,
      ConvertFairseq(options.checkpoint, options.directory, options.conversion, host));
  Print(options, report);
  return absl::OkStatus();
}

absl::Status ConvertStart(const ConvertOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversionHost host,
                          ConversionHost(*runtime, options.dictionary));
  UNIVAL_ASSIGN_OR_RETURN(const StartWeights start, AssembleStart(options.start));
  FairseqConversionOptions conversion = options.conversion;
  conversion.may_be_fresh = start.may_be_fresh;
  conversion.vocabulary = PublishedVocabularySize(host.text_size);
  UNIVAL_ASSIGN_OR_RETURN(
      const FairseqConversion report,
      ConvertFairseq(*start.checkpoint, options.start.bart, options.directory, conversion, host));
  PrintNames("No place in this model, left out", start.left_out);
  Print(options, report);
  return absl::OkStatus();
}

using Options = std::shared_ptr<ConvertOptions>;

// What both conversions take.
void AddSharedOptions(Command& command, const Options& options) {
  command.AddOption("--dictionary", &options->dictionary,
                    "Folder of the tokenizer: encoder.json, vocab.bpe, dict.txt");
  FairseqConversionOptions& conversion = options->conversion;
  command.AddFlag("--half", &conversion.half, "Store floating tensors as float16");
  command.AddFlag("--allow_missing", &conversion.allow_missing,
                  "Fill tensors that are not there with fresh values");
  command.AddFlag("--allow_unexpected", &conversion.allow_unexpected,
                  "Leave out tensors that have no place");
  command.AddOption("--seed", &conversion.seed, "Of fresh values").ShowDefault();
  command.AddFlag("--overwrite", &conversion.overwrite, "Replace a model directory that is there");
  AddRuntimeOptions(command, &options->runtime);
}

void AddFairseq(Command& convert) {
  Command& command = convert.AddCommand("fairseq", "A checkpoint of the reference's trainer");
  auto options = std::make_shared<ConvertOptions>();
  command.AddPositional("checkpoint", &options->checkpoint, "The .pt file");
  command.AddPositional("model", &options->directory, "Model directory to write");
  command.AddFlag("--ema", &options->conversion.ema,
                  "Take the moving average instead of the weights");
  AddSharedOptions(command, options);
  command.OnRun([options] { return Convert(*options); });
}

void AddStart(Command& convert) {
  Command& command = convert.AddCommand(
      "start",
      "What the reference starts pretraining from: BART and trained networks of the modalities");
  auto options = std::make_shared<ConvertOptions>();
  command.AddPositional("model", &options->directory, "Model directory to write");
  command.AddOption("--bart", &options->start.bart, "fairseq's bart.base/model.pt").Required();
  command.AddOption("--image", &options->start.image,
                    "timm's ResNet (.pth); without it the model has no images");
  command.AddOption("--video", &options->start.video, "3-D ResNeXt trained on Kinetics (.pth)");
  command.AddOption("--audio", &options->start.audio, "PANN Cnn6 or Cnn14 (.pth)");
  AddSharedOptions(command, options);
  command.OnRun([options] { return ConvertStart(*options); });
}

}  // namespace

void AddConvertCommands(Command& program) {
  AddFairseq(program);
  AddStart(program);
}

}  // namespace unival
