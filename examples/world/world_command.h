// unival: world_command.h - the commands that write generated data: `make-world`, `make-speech`,
// `make-corpus`.
#ifndef UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_
#define UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_

#include "app/options.h"

namespace unival::world {

// Progress goes to standard error.
void AddWorldCommands(Command& data);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_
