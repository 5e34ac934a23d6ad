// unival: data_commands.h - commands of `unival data` that stand in files of their own.
#ifndef UNIVAL_APP_DATA_COMMANDS_H_
#define UNIVAL_APP_DATA_COMMANDS_H_

#include "app/options.h"

namespace unival {

void AddDataCheck(Command& data);
void AddDataShow(Command& data);

}  // namespace unival

#endif  // UNIVAL_APP_DATA_COMMANDS_H_
