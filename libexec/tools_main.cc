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
#define UNIVAL_ADD_COMMAND(function) unival::function(program);
  UNIVAL_TOOL_COMMANDS(UNIVAL_ADD_COMMAND)
#undef UNIVAL_ADD_COMMAND
  return unival::RunOwnCommands(program, argc, argv);
}
