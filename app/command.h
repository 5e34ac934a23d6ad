// unival: command.h
//
// What commands share: the options that make a runtime and a pipeline, and what is printed.
#ifndef UNIVAL_APP_COMMAND_H_
#define UNIVAL_APP_COMMAND_H_

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/options.h"
#include "runtime/pipeline.h"
#include "runtime/runtime.h"
#include "training/data/files/index_options.h"

namespace unival {

// Prints `json` indented, with a line end. Bytes that are not UTF-8, which file names may hold, are
// replaced.
void PrintJson(const nlohmann::json& json);

// --plugin, --plugin_path; for commands that compute nothing.
void AddPluginOptions(Command& command, RuntimeOptions* options);
// --plugin, --plugin_path, --threads; the paths in UNIVAL_PLUGIN_PATH are added.
void AddRuntimeOptions(Command& command, RuntimeOptions* options);
// MODEL, --templates, --device, and the runtime's.
void AddPipelineOptions(Command& command, PipelineOptions* options);

// --data_index: where indexes of big data files are kept. Those that cannot be written beside their
// data go to the user's cache folder (XDG_CACHE_HOME, else ~/.cache).
void AddIndexOption(Command& command, IndexOptions* options);

// Warns on standard error when the task's words are not those that the model was trained with.
void WarnOfWording(const Pipeline& pipeline, const std::string& task);

// Checks the value of --max_unreadable: InvalidArgument unless `share` is from 0 to 1.
absl::Status CheckShare(double share);

// The value of a column, as given on the command line.
struct GivenColumn {
  std::string said;  // the option and its value, for messages: "--input box=10,20,30,40"
  std::string column, value;
};

// "--input column=value" pairs. InvalidArgument for one without "=".
absl::StatusOr<std::vector<GivenColumn>> ParseInputs(const std::vector<std::string>& inputs);

// A record with the key `key`, made of the values in `given`. Media columns take files; columns
// that hold numbers (TaskInfo::column_kinds) take numbers, "10,20,30,40" or "[10, 20, 30, 40]"; the
// others take text, or a list of texts, ["a", "b"]. NotFound for a
// media file that does not exist; InvalidArgument for an unknown column, a column given twice, or
// text where numbers are needed.
absl::StatusOr<TaskSample> SampleFromColumns(const TaskInfo& task, const std::string& key,
                                             const std::vector<GivenColumn>& given);

}  // namespace unival

#endif  // UNIVAL_APP_COMMAND_H_
