// unival convert fairseq CHECKPOINT MODEL, unival convert start MODEL: weights of other programs
// become a model directory.

#include <iostream>

#include "CLI/CLI.hpp"
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
  std::cout << options.directory << ": " << report.tensors << " tensors, vocabulary " << report.vocabulary
            << ", modalities " << (report.modalities.empty() ? "none" : absl::StrJoin(report.modalities, ", "))
            << ", after " << report.updates << " updates\n";
  if (options.dictionary.empty()) {
    std::cout << "No tokenizer in it: give --dictionary FOLDER (encoder.json, vocab.bpe, dict.txt) for a model that "
                 "can be loaded.\n";
  }
}

absl::Status Convert(const ConvertOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversionHost host, ConversionHost(*runtime, options.dictionary));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversion report,
                          ConvertFairseq(options.checkpoint, options.directory, options.conversion, host));
  Print(options, report);
  return absl::OkStatus();
}

absl::Status ConvertStart(const ConvertOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversionHost host, ConversionHost(*runtime, options.dictionary));
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
void AddSharedOptions(CLI::App* command, const Options& options) {
  command->add_option("--dictionary", options->dictionary,
                      "Folder of the tokenizer: encoder.json, vocab.bpe, dict.txt");
  FairseqConversionOptions& conversion = options->conversion;
  command->add_flag("--half", conversion.half, "Store floating tensors as float16");
  command->add_flag("--allow_missing", conversion.allow_missing, "Fill tensors that are not there with fresh values");
  command->add_flag("--allow_unexpected", conversion.allow_unexpected, "Leave out tensors that have no place");
  command->add_option("--seed", conversion.seed, "Of fresh values")->capture_default_str();
  command->add_flag("--overwrite", conversion.overwrite, "Replace a model directory that is there");
  AddRuntimeOptions(command, &options->runtime);
}

void AddFairseq(CLI::App* convert, int* exit_code) {
  CLI::App* command = convert->add_subcommand("fairseq", "A checkpoint of the reference's trainer");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("checkpoint", options->checkpoint, "The .pt file")->required();
  command->add_option("model", options->directory, "Model directory to write")->required();
  command->add_flag("--ema", options->conversion.ema, "Take the moving average instead of the weights");
  AddSharedOptions(command, options);
  OnRun(
      command,
      [options] {
        const absl::Status status = Convert(*options);
        return status.ok() ? kDone : Fail(status);
      },
      exit_code);
}

void AddStart(CLI::App* convert, int* exit_code) {
  CLI::App* command = convert->add_subcommand(
      "start", "What the reference starts pretraining from: BART and trained networks of the modalities");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("model", options->directory, "Model directory to write")->required();
  command->add_option("--bart", options->start.bart, "fairseq's bart.base/model.pt")->required();
  command->add_option("--image", options->start.image, "timm's ResNet (.pth); without it the model has no images");
  command->add_option("--video", options->start.video, "3-D ResNeXt trained on Kinetics (.pth)");
  command->add_option("--audio", options->start.audio, "PANN Cnn6 or Cnn14 (.pth)");
  AddSharedOptions(command, options);
  OnRun(
      command,
      [options] {
        const absl::Status status = ConvertStart(*options);
        return status.ok() ? kDone : Fail(status);
      },
      exit_code);
}

}  // namespace

void AddConvertCommands(CLI::App& app, int* exit_code) {
  app.require_subcommand(1);
  AddFairseq(&app, exit_code);
  AddStart(&app, exit_code);
}

}  // namespace unival
