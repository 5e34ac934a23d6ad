// unival: quickstart_command.h - what `unival quickstart` understands.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_
#define UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_

#include "app/options.h"

namespace unival {

void AddQuickstartOptions(Command& program);

}  // namespace unival

#endif  // UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_
