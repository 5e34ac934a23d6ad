// unival: command.h
//
// What the subcommands of `unival` share: the options that make a runtime, and exit codes.
//
// Exit codes: 0 done; 1 the work failed (one message on standard error says file, field, expected,
// actual, remedy); 2 the command line is wrong; 3 a check found a difference (verify, eval
// --at_least).
#ifndef UNIVAL_APP_COMMAND_H_
#define UNIVAL_APP_COMMAND_H_

#include <CLI/App.hpp>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/pipeline.h"
#include "runtime/runtime.h"

namespace unival {

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kDifferent = 3 };

// Prints "unival: <message>" and returns kFailed.
int Fail(const absl::Status& status);

// Prints `json` indented, with a line end. Bytes that are not UTF-8, which file names may hold, are
// replaced.
void PrintJson(const nlohmann::json& json);
// A callback for the `progress` of long work: it writes "7 of 20" and `suffix` on standard error,
// over the line before.
std::function<void(int64_t done, int64_t total)> ProgressLine(const std::string& suffix);

// What a subcommand does; it returns the exit code of the program.
using RunCommand = std::function<int()>;
void OnRun(CLI::App* command, RunCommand run, int* exit_code);

// --plugin, --plugin_path, --threads; the paths in UNIVAL_PLUGIN_PATH are added.
void AddRuntimeOptions(CLI::App* command, RuntimeOptions* options);
// MODEL, --templates, --device, and the runtime's.
void AddPipelineOptions(CLI::App* command, PipelineOptions* options);

// "--input column=value" pairs as record fields: media columns hold files, the others text.
// NotFound for a media file that does not exist, InvalidArgument for a pair without "=" or an
// unknown column.
absl::StatusOr<TaskSample> SampleFromInputs(const TaskInfo& task, const std::vector<std::string>& inputs);

// One function per subcommand; see the files of the same name.
void AddDoctorCommand(CLI::App& app, int* exit_code);
void AddInspectCommand(CLI::App& app, int* exit_code);
void AddPredictCommand(CLI::App& app, int* exit_code);
void AddEvalCommand(CLI::App& app, int* exit_code);
void AddProbeCommand(CLI::App& app, int* exit_code);
void AddTrainCommand(CLI::App& app, int* exit_code);
void AddVerifyCommand(CLI::App& app, int* exit_code);
void AddDataCommand(CLI::App& app, int* exit_code);
void AddPluginCommand(CLI::App& app, int* exit_code);
void AddVocabCommand(CLI::App& app, int* exit_code);
void AddAdapterCommand(CLI::App& app, int* exit_code);

}  // namespace unival

#endif  // UNIVAL_APP_COMMAND_H_
