// unival: commands.h
//
// What the programs in libexec/ call that hold the commands of `unival`; app/shipped_commands.h is
// the table of them.
#ifndef UNIVAL_APP_COMMANDS_H_
#define UNIVAL_APP_COMMANDS_H_

#include <string>
#include <vector>

#include "app/options.h"
#include "app/shipped_commands.h"

namespace unival {

#define UNIVAL_DECLARE_COMMAND(name, ...) void Add##name##Command(Command& program);
UNIVAL_COMMANDS(UNIVAL_DECLARE_COMMAND, UNIVAL_DECLARE_COMMAND)
#undef UNIVAL_DECLARE_COMMAND

// Runs the child's side of RunPluginChild (app/plugin/plugin_child.h): this program starts itself
// again to run foreign code in a process of its own. `words` follow kPluginChild on the command
// line. Returns the exit code.
int RunAsPluginChild(const std::vector<std::string>& words);

}  // namespace unival

#endif  // UNIVAL_APP_COMMANDS_H_
