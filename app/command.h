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

// Says on standard error when the task's words are not those that the model was trained with.
void WarnOfWording(const Pipeline& pipeline, const std::string& task);

// "--input column=value" pairs as record fields: media columns hold files; columns of boxes, codes
// and numbers hold numbers, "10,20,30,40" or "[10, 20, 30, 40]"; the others text, or a list of
// texts, ["a", "b"]. A task with a box takes `width` and `height`, too. NotFound for a media file
// that does not exist, InvalidArgument for a pair without "=", an unknown column, or no numbers
// where numbers are needed.
absl::StatusOr<TaskSample> SampleFromInputs(const TaskInfo& task,
                                            const std::vector<std::string>& inputs);

}  // namespace unival

#endif  // UNIVAL_APP_COMMAND_H_
