// unival: commands.h
//
// The table of the program's commands, in the order of its help. A new one needs its line here, its
// own file foo_command.cc that defines AddFooCommand, and that file's line in BUILD.
#ifndef UNIVAL_APP_COMMANDS_H_
#define UNIVAL_APP_COMMANDS_H_

#include "app/options.h"

#define UNIVAL_COMMANDS(COMMAND) \
  COMMAND(AddPredictCommand)     \
  COMMAND(AddEvalCommand)        \
  COMMAND(AddProbeCommand)       \
  COMMAND(AddTrainCommand)       \
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

}  // namespace unival

#endif  // UNIVAL_APP_COMMANDS_H_
