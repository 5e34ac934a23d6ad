// unival: commands.h
//
// The table of the program's commands, in the order of its help. A new one needs its line here, its
// own file foo_command.cc that defines AddFooCommand, and that file's line in BUILD.
#ifndef UNIVAL_APP_COMMANDS_H_
#define UNIVAL_APP_COMMANDS_H_

#include <string>
#include <vector>

#include "app/options.h"

#define UNIVAL_COMMANDS(COMMAND) \
  COMMAND(AddPredictCommand)     \
  COMMAND(AddEvalCommand)        \
  COMMAND(AddScoreCommand)       \
  COMMAND(AddProbeCommand)       \
  COMMAND(AddPromptsCommand)     \
  COMMAND(AddPlanCommand)        \
  COMMAND(AddTrainCommand)       \
  COMMAND(AddWatchCommand)       \
  COMMAND(AddCheckpointCommand)  \
  COMMAND(AddLaunchCommand)      \
  COMMAND(AddMergeCommand)       \
  COMMAND(AddVerifyCommand)      \
  COMMAND(AddDataCommand)        \
  COMMAND(AddPluginCommand)      \
  COMMAND(AddVocabCommand)       \
  COMMAND(AddAdapterCommand)     \
  COMMAND(AddInspectCommand)     \
  COMMAND(AddDoctorCommand)

namespace unival {

#define UNIVAL_DECLARE_COMMAND(function) void function(Command& program);
UNIVAL_COMMANDS(UNIVAL_DECLARE_COMMAND)
#undef UNIVAL_DECLARE_COMMAND

// What the program does when it was started by itself to look at foreign code (app/plugin/
// plugin_child.h): `words` are those behind kPluginChild. Returns the exit code.
int RunAsPluginChild(const std::vector<std::string>& words);

}  // namespace unival

#endif  // UNIVAL_APP_COMMANDS_H_
