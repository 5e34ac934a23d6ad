// unival: commands.h - what `unival convert` and `unival parity` understand.
#ifndef UNIVAL_UPSTREAM_COMMANDS_H_
#define UNIVAL_UPSTREAM_COMMANDS_H_

#include "app/options.h"

namespace unival {

void AddConvertCommands(Command& program);
void AddParityOptions(Command& program);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_COMMANDS_H_
