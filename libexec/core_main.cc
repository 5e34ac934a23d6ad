// unival_core: the commands that work with a model or make one.

#include "app/commands.h"
#include "app/extensions.h"
#include "app/startup.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  unival::Command program("unival", "Works with a model, or makes one.");
#define UNIVAL_ADD_COMMAND(name, ...) unival::Add##name##Command(program);
#define UNIVAL_LEAVE_OUT(...)
  UNIVAL_COMMANDS(UNIVAL_ADD_COMMAND, UNIVAL_LEAVE_OUT)
#undef UNIVAL_ADD_COMMAND
#undef UNIVAL_LEAVE_OUT
  return unival::RunOwnCommands(program, argc, argv);
}
