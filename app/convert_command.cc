// unival convert fairseq CHECKPOINT MODEL: a checkpoint of the reference's trainer becomes a model directory.

#include <torch/nn/module.h>

#include <iostream>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "backbone/checkpoint/fairseq/convert.h"
#include "backbone/checkpoint/files.h"
#include "sdk/native/status_macros.h"

namespace unival {
namespace {

struct ConvertOptions {
  std::string checkpoint, directory, dictionary;
  FairseqConversionOptions conversion;
  RuntimeOptions runtime;
};

absl::Status AddTokenizer(const Runtime& runtime, const std::string& directory, FairseqConversionHost* host) {
  if (directory.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Tokenizer> tokenizer,
                          runtime.registry().CreateTokenizer("gpt2_bpe", directory, "core.bpe"));
  host->text_size = tokenizer->block().size;
  host->text_hash = tokenizer->block().content_hash;
  for (const char* name : {"encoder.json", "vocab.bpe", "dict.txt"}) {
    UNIVAL_ASSIGN_OR_RETURN(host->tokenizer_files[name], ReadWholeFile(absl::StrCat(directory, "/", name)));
  }
  return absl::OkStatus();
}

absl::StatusOr<HostModality> DescribeModality(const Runtime& runtime, const ModalityConfig& config) {
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Modality> modality,
                          runtime.registry().CreateModality(config, runtime.services()));
  HostModality known{modality->info().type, modality->info().feature_schema, {}};
  if (const auto module = modality->module()) known.tensors = NamedTensors(*module);
  return known;
}

void PrintNames(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::cout << title << " (" << names.size() << "):\n  " << absl::StrJoin(names, "\n  ") << "\n";
}

void Print(const ConvertOptions& options, const FairseqConversion& report) {
  PrintNames("Missing, filled with fresh values", report.missing);
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
  FairseqConversionHost host;
  host.describe = [&runtime](const ModalityConfig& config) { return DescribeModality(*runtime, config); };
  UNIVAL_RETURN_IF_ERROR(AddTokenizer(*runtime, options.dictionary, &host));
  UNIVAL_ASSIGN_OR_RETURN(const FairseqConversion report,
                          ConvertFairseq(options.checkpoint, options.directory, options.conversion, host));
  Print(options, report);
  return absl::OkStatus();
}

}  // namespace

void AddConvertCommand(CLI::App& app, int* exit_code) {
  CLI::App* convert = app.add_subcommand("convert", "Bring models of other programs into a model directory");
  convert->require_subcommand(1);
  CLI::App* command = convert->add_subcommand("fairseq", "A checkpoint of the reference's trainer");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("checkpoint", options->checkpoint, "The .pt file")->required();
  command->add_option("model", options->directory, "Model directory to write")->required();
  command->add_option("--dictionary", options->dictionary,
                      "Folder of the tokenizer: encoder.json, vocab.bpe, dict.txt");
  FairseqConversionOptions& conversion = options->conversion;
  command->add_flag("--ema", conversion.ema, "Take the moving average instead of the weights");
  command->add_flag("--half", conversion.half, "Store floating tensors as float16");
  command->add_flag("--allow_missing", conversion.allow_missing, "Fill tensors that are not there with fresh values");
  command->add_flag("--allow_unexpected", conversion.allow_unexpected, "Leave out tensors that have no place");
  command->add_flag("--overwrite", conversion.overwrite, "Replace a model directory that is there");
  AddRuntimeOptions(command, &options->runtime);
  OnRun(
      command,
      [options] {
        const absl::Status status = Convert(*options);
        return status.ok() ? kDone : Fail(status);
      },
      exit_code);
}

}  // namespace unival
