#include "app/command.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "backbone/layers/inference_precision.h"
#include "runtime/input_size.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/record.h"

namespace unival {
namespace {

absl::StatusOr<FieldValue> NumbersOf(absl::string_view value) {
  std::vector<double> numbers;
  for (const absl::string_view part : absl::StrSplit(value, ',')) {
    double number = 0;
    if (!absl::SimpleAtod(absl::StripAsciiWhitespace(part), &number) || !std::isfinite(number)) {
      return InvalidArgument(
          "expected numbers with commas between them, such as 10,20,30,40, got \"", value, "\"");
    }
    numbers.push_back(number);
  }
  return FieldValue(std::move(numbers));
}

// A list in JSON. Text that only begins like one is text.
absl::optional<FieldValue> ListOf(const std::string& value) {
  const auto fields = ParseRecord(absl::StrCat("{\"x\": ", value, "}"));
  if (!fields.ok()) return absl::nullopt;
  return fields->at("x");
}

absl::StatusOr<FieldValue> ValueOf(const std::string& value, ValueKind kind) {
  if (absl::StartsWith(value, "[")) {
    const absl::optional<FieldValue> list = ListOf(value);
    if (list.has_value()) return *list;
    if (kind == ValueKind::kNumbers)
      return InvalidArgument("expected a list of numbers, got ", value);
  }
  if (kind == ValueKind::kText) return FieldValue(value);
  UNIVAL_ASSIGN_OR_RETURN(FieldValue numbers, NumbersOf(value));
  if (kind == ValueKind::kNumbers) return numbers;
  const auto& list = std::get<std::vector<double>>(numbers);
  if (list.size() != 1) return InvalidArgument("expected one number, got \"", value, "\"");
  return FieldValue(list[0]);
}

// The file or folder `name` in the user's cache folder, $XDG_CACHE_HOME/unival or ~/.cache/unival.
// Empty where neither XDG_CACHE_HOME nor HOME holds an absolute path. The environment is read here,
// so that the layers below depend on their options alone.
std::string CacheOfUser(const std::string& name) {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return absl::StrCat(cache, "/unival/", name);
  const char* const home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return absl::StrCat(home, "/.cache/unival/", name);
  return "";
}

}  // namespace

void PrintJson(const nlohmann::json& json) { std::cout << JsonText(json, 2) << "\n"; }

void AddPluginOptions(Command& command, RuntimeOptions* options) {
  command.AddOption("--plugin", &options->plugins, "A plugin file; may be given several times");
  command.AddOption(
      "--plugin_path",
      [options](const std::string& folder) { options->plugin_paths.push_back(folder); },
      "A folder of plugins; may be given several times");
}

void AddRuntimeOptions(Command& command, RuntimeOptions* options) {
  AddPluginOptions(command, options);
  command.AddOption("--threads", &options->threads, "Compute threads (default: all cores)")
      .Between(1, kMaxThreads);
  // The environment is read here, so that the layers below depend on their options alone.
  if (const char* path = std::getenv("UNIVAL_PLUGIN_PATH")) {
    for (absl::string_view folder : absl::StrSplit(path, ':', absl::SkipEmpty())) {
      options->plugin_paths.emplace_back(folder);
    }
  }
}

void AddIndexOption(Command& command, IndexOptions* options) {
  command.AddOption(
      "--data_index",
      [options](const std::string& place) {
        options->enabled = place != "none";
        options->folder = place == "beside" || place == "none" ? "" : place;
      },
      "Where the indexes of big data files are kept: beside them, a folder, or none (default: "
      "beside)");
  options->fallback = CacheOfUser("indexes");
}

// A list of options, in one piece.
void AddPipelineOptions(Command& command, PipelineOptions* options) {
  command.AddPositional("model", &options->model, "Model directory");
  command.AddOption("--templates", &options->templates,
                    "Task template file; may be given several times");
  command.AddDevice(&options->load.device);
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
  command.AddOption(
      "--input_size",
      [options](const std::string& text) {
        const auto size = ParseInputSize(text);
        if (size.ok()) options->load.input_sizes[size->first] = size->second;
        // A size that is malformed goes on as it is: Model::Load refuses it and says what it
        // expects.
        if (!size.ok()) options->load.input_sizes[text.substr(0, text.find('='))] = text;
      },
      "MODALITY=SIZE of what an encoder sees, in place of the model's: image=480x480, "
      "video=16x384x384 (frames, width, height), audio=480000 (samples)");
  command.AddFlag("--allow_adapter_mismatch", &options->load.allow_adapter_mismatch,
                  "Load adapters that were trained against other weights");
  command.AddOption("--adapter", &options->load.adapter_files,
                    "File of an adapter to use beside the model's; may be given several times");
  command.AddOption("--without_adapter", &options->load.without_adapters,
                    "Id of an adapter of the model to leave out, or \"all\"; may be given several "
                    "times");
  options->hash_memory = CacheOfUser("hashes");
  command.AddFlag("--verify", &options->verify,
                  "Hash every file of the model, also where its hash is remembered and it has not "
                  "changed since");
  command.AddFlag("--strict", &options->strict_templates,
                  "Refuse task templates in other words than the model was trained with");
  AddRuntimeOptions(command, &options->runtime);
}

void WarnOfWording(const Pipeline& pipeline, const std::string& task) {
  const absl::Status status = pipeline.CheckWording(task);
  if (!status.ok()) {
    std::cerr << "warning: " << PrintableMessage(std::string(status.message()))
              << " (--strict refuses it)\n";
  }
}

absl::Status CheckShare(double share) {
  if (share >= 0 && share <= 1) return absl::OkStatus();
  return UsageError(absl::StrCat("--max_unreadable: expected a share from 0 to 1, got ", share));
}

absl::StatusOr<std::vector<GivenColumn>> ParseInputs(const std::vector<std::string>& inputs) {
  std::vector<GivenColumn> given;
  for (const std::string& input : inputs) {
    const size_t equals = input.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("--input ", input, ": expected column=value"));
    }
    given.push_back(
        {absl::StrCat("--input ", input), input.substr(0, equals), input.substr(equals + 1)});
  }
  return given;
}

absl::StatusOr<TaskSample> SampleFromColumns(const TaskInfo& task, const std::string& key,
                                             const std::vector<GivenColumn>& given) {
  TaskSample sample{key, {}};
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& [said, column, value] : given) {
    const auto kind = task.column_kinds.find(column);
    const bool is_told = kind != task.column_kinds.end();
    if (!is_told && !has(task.columns, column) && !has(task.prediction_columns, column)) {
      return absl::InvalidArgumentError(
          absl::StrCat(said, ": task \"", task.name, "\" has no column \"", column,
                       "\"; it reads: ", absl::StrJoin(task.prediction_columns, ", ")));
    }
    if (sample.fields.count(column) > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(said, ": the column \"", column, "\" is given twice; give it once"));
    }
    if (!has(MediaColumns(task), column)) {
      const ValueKind held = is_told ? kind->second : ValueKind::kText;
      UNIVAL_ASSIGN_OR_RETURN(sample.fields[column], Annotate(ValueOf(value, held), said));
      continue;
    }
    const absl::Status opened = OpenRegularFile(value).status();
    if (absl::IsNotFound(opened)) return absl::NotFoundError(absl::StrCat(said, ": no such file"));
    UNIVAL_RETURN_IF_ERROR(Annotate(opened, said));
    sample.fields[column] = MediaSource{value, value, nullptr};
  }
  return sample;
}

}  // namespace unival
