// unival_tools: the commands that are needed now and then.

#include <cstring>

#include "app/commands.h"
#include "app/extensions.h"
#include "app/plugin/plugin_child.h"
#include "app/startup.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  if (argc > 1 && std::strcmp(argv[1], unival::kPluginChild) == 0)
    return unival::RunAsPluginChild({argv + 2, argv + argc});
  unival::Command program("unival", "What is needed now and then.");
#define UNIVAL_ADD_COMMAND(name, ...) unival::Add##name##Command(program);
#define UNIVAL_LEAVE_OUT(...)
  UNIVAL_COMMANDS(UNIVAL_LEAVE_OUT, UNIVAL_ADD_COMMAND)
#undef UNIVAL_ADD_COMMAND
#undef UNIVAL_LEAVE_OUT
  return unival::RunOwnCommands(program, argc, argv);
}
