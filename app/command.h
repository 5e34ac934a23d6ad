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

namespace unival {

// Prints `json` indented, with a line end. Bytes that are not UTF-8, which file names may hold, are
// replaced.
void PrintJson(const nlohmann::json& json);

// --plugin, --plugin_path, --threads; the paths in UNIVAL_PLUGIN_PATH are added.
void AddRuntimeOptions(Command& command, RuntimeOptions* options);
// MODEL, --templates, --device, and the runtime's.
void AddPipelineOptions(Command& command, PipelineOptions* options);

// "--input column=value" pairs as record fields: media columns hold files, the others text.
// NotFound for a media file that does not exist, InvalidArgument for a pair without "=" or an
// unknown column.
absl::StatusOr<TaskSample> SampleFromInputs(const TaskInfo& task,
                                            const std::vector<std::string>& inputs);

}  // namespace unival

#endif  // UNIVAL_APP_COMMAND_H_
