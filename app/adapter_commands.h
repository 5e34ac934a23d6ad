// unival: adapter_commands.h - the commands of `unival adapter`, each in its file.
#ifndef UNIVAL_APP_ADAPTER_COMMANDS_H_
#define UNIVAL_APP_ADAPTER_COMMANDS_H_

#include "app/options.h"

namespace unival {

void AddAdapterListCommands(Command& adapter);  // list, show: adapter_list_command.cc
void AddAdapterEditCommands(Command& adapter);  // merge, remove: adapter_edit_command.cc

}  // namespace unival

#endif  // UNIVAL_APP_ADAPTER_COMMANDS_H_
