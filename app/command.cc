#include "app/command.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/layers/inference_precision.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Threads beyond the processors only wait for each other; far beyond, starting them takes minutes.
constexpr int kMaxThreads = 1024;

}  // namespace

void PrintJson(const nlohmann::json& json) { std::cout << JsonText(json, 2) << "\n"; }

void AddRuntimeOptions(Command& command, RuntimeOptions* options) {
  command.AddOption("--plugin", &options->plugins, "A plugin file; may be given several times");
  command.AddOption(
      "--plugin_path",
      [options](const std::string& folder) { options->plugin_paths.push_back(folder); },
      "A folder of plugins; may be given several times");
  command.AddOption("--threads", &options->threads, "Compute threads (default: all cores)")
      .Between(1, kMaxThreads);
  // The environment is read here and nowhere below.
  if (const char* path = std::getenv("UNIVAL_PLUGIN_PATH")) {
    for (absl::string_view folder : absl::StrSplit(path, ':', absl::SkipEmpty())) {
      options->plugin_paths.emplace_back(folder);
    }
  }
}

void AddPipelineOptions(Command& command, PipelineOptions* options) {
  command.AddPositional("model", &options->model, "Model directory");
  command.AddOption("--templates", &options->templates,
                    "Task template file; may be given several times");
  command.AddOption("--device", &options->load.device, "cpu, or cuda:N where libtorch has it");
  command
      .AddOption("--precision", &options->precision,
                 "Numbers in which the backbone multiplies by its weights")
      .OneOf(InferencePrecisionNames())
      .ShowDefault();
  command.AddOption(
      "--modality",
      [options](const std::string& id) {
        options->load.all_modalities = false;
        options->load.modalities.push_back(id);
      },
      "Load only this modality of the model; may be given several times (default: what "
      "the task takes)");
  command.AddFlag("--allow_adapter_mismatch", &options->load.allow_adapter_mismatch,
                  "Load adapters that were trained against other weights");
  AddRuntimeOptions(command, &options->runtime);
}

absl::StatusOr<TaskSample> SampleFromInputs(const TaskInfo& task,
                                            const std::vector<std::string>& inputs) {
  TaskSample sample{"command line", {}};
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& input : inputs) {
    const size_t equals = input.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("--input ", input, ": expected column=value"));
    }
    const std::string column = input.substr(0, equals), value = input.substr(equals + 1);
    if (!has(task.columns, column) && !has(task.prediction_columns, column)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--input ", input, ": task \"", task.name, "\" has no column \"", column,
                       "\"; it reads: ", absl::StrJoin(task.prediction_columns, ", ")));
    }
    if (sample.fields.count(column) > 0) {
      return absl::InvalidArgumentError(absl::StrCat("--input ", input, ": the column \"", column,
                                                     "\" is given twice; give it once"));
    }
    if (!has(task.media_columns, column)) {
      sample.fields[column] = value;
      continue;
    }
    const absl::Status opened = OpenRegularFile(value).status();
    if (absl::IsNotFound(opened)) {
      return absl::NotFoundError(absl::StrCat("--input ", input, ": no such file"));
    }
    UNIVAL_RETURN_IF_ERROR(Annotate(opened, "--input ", column));
    sample.fields[column] = MediaSource{value, value, nullptr};
  }
  return sample;
}

}  // namespace unival
