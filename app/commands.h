// unival: commands.h
//
// The commands of `unival` by the program in libexec/ that holds them. A new one needs its line
// here and in app/shipped.cc, its own file foo_command.cc that defines AddFooCommand, and that
// file's line in BUILD.
#ifndef UNIVAL_APP_COMMANDS_H_
#define UNIVAL_APP_COMMANDS_H_

#include <string>
#include <vector>

#include "app/options.h"

// What works with a model or makes one.
#define UNIVAL_CORE_COMMANDS(COMMAND) \
  COMMAND(AddPredictCommand)          \
  COMMAND(AddEvalCommand)             \
  COMMAND(AddProbeCommand)            \
  COMMAND(AddTrainCommand)            \
  COMMAND(AddLaunchCommand)           \
  COMMAND(AddVerifyCommand)           \
  COMMAND(AddInspectCommand)          \
  COMMAND(AddDoctorCommand)

// What is needed now and then.
#define UNIVAL_TOOL_COMMANDS(COMMAND) \
  COMMAND(AddScoreCommand)            \
  COMMAND(AddPromptsCommand)          \
  COMMAND(AddPlanCommand)             \
  COMMAND(AddWatchCommand)            \
  COMMAND(AddCheckpointCommand)       \
  COMMAND(AddMergeCommand)            \
  COMMAND(AddDataCommand)             \
  COMMAND(AddPluginCommand)           \
  COMMAND(AddVocabCommand)            \
  COMMAND(AddAdapterCommand)

namespace unival {

#define UNIVAL_DECLARE_COMMAND(function) void function(Command& program);
UNIVAL_CORE_COMMANDS(UNIVAL_DECLARE_COMMAND)
UNIVAL_TOOL_COMMANDS(UNIVAL_DECLARE_COMMAND)
#undef UNIVAL_DECLARE_COMMAND

// Runs the child's side of RunPluginChild (app/plugin/plugin_child.h): this program starts itself
// again to run foreign code in a process of its own. `words` follow kPluginChild on the command
// line. Returns the exit code.
int RunAsPluginChild(const std::vector<std::string>& words);

}  // namespace unival

#endif  // UNIVAL_APP_COMMANDS_H_
