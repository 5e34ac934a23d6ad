// The options of `unival predict` that say what it is asked about.
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/predict_inputs.h"
#include "app/task_columns.h"
#include "runtime/opened_model.h"
#include "training/data/read/media_files.h"

namespace unival {
namespace {

// Whether a modality of the model has this name, or a column with media of one of its tasks.
bool NamesMedium(const OpenedModel& model, const std::string& name) {
  for (const ModalityConfig& modality : model.manifest().modality()) {
    if (modality.id() == name) return true;
  }
  for (const auto& [file, stored] : model.templates()) {
    if (!stored.set.ok()) continue;
    for (const LoadedTemplate& task : (*stored.set)->tasks) {
      for (const TaskInput& input : task.proto.input()) {
        if (input.name() == name) return true;
      }
    }
  }
  return false;
}

}  // namespace

std::string MediumAdvice(const std::string& model, const std::string& option) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::StripPrefix(option, "--"), absl::MaxSplits('=', 1));
  const absl::StatusOr<OpenedModel> opened = OpenedModel::Open(model);
  if (!opened.ok() || !NamesMedium(*opened, parts[0])) return "";
  return absl::StrCat("give this medium as --input ", parts[0], "=",
                      parts.size() > 1 && !parts[1].empty() ? parts[1] : "FILE");
}

void AddInputOptions(Command& command, PredictInputs* inputs) {
  command
      .AddPositional("files", &inputs->files,
                     "Media files, folders of them, patterns (\"*.png\", {1..9}.wav); data files "
                     "(*.jsonl, *.tsv, *.tar), or - for JSONL from standard input")
      .Optional();
  for (const char* medium : {"image", "video", "audio"}) {
    const std::string option = absl::StrCat("--", medium);
    command.AddOption(
        option,
        [inputs, option](const std::string& value) { inputs->values[option].push_back(value); },
        absl::StrCat("The task's ", medium,
                     ": a file, a folder or a pattern; may be given several times"));
  }
  command
      .AddOption(
          kTextOption,
          [inputs](const std::string& value) { inputs->values[kTextOption].push_back(value); },
          "The task's text, such as a question; one for all records, or one each")
      .MayBeEmpty();
  command.AddOption(
      "--input", &inputs->inputs,
      "column=value for what the others do not name; a file for media columns, numbers for boxes "
      "and codes (box=10,20,30,40), a list as JSON ([\"a\", \"b\"]), text otherwise; may be given "
      "several times");
  command.AddOption("--column", &inputs->columns,
                    "task_column=record_column where names of data files differ; may be given "
                    "several times");
  command.AddOption("--media_root", &inputs->media_roots, kMediaRootHelp);
  AddIndexOption(command, &inputs->index);
  command.AddOption("--limit", &inputs->limit, "Only the first records (default: all)")
      .NotNegative();
}

std::vector<std::string> FilesGiven(const PredictInputs& inputs) {
  std::vector<std::string> given = inputs.files, files;
  for (const auto& [option, values] : inputs.values) {
    if (option != kTextOption) given.insert(given.end(), values.begin(), values.end());
  }
  for (const std::string& input : inputs.inputs) given.push_back(input.substr(input.find('=') + 1));
  for (const std::string& word : given) {
    const auto found = ExpandMediaPath(word, /*modality=*/"");
    if (found.ok()) files.insert(files.end(), found->paths.begin(), found->paths.end());
  }
  return files;
}

}  // namespace unival
