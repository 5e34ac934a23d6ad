// unival: statements_command.h - the command `make-statements` of `unival data`.
#ifndef UNIVAL_EXAMPLES_STATEMENTS_STATEMENTS_COMMAND_H_
#define UNIVAL_EXAMPLES_STATEMENTS_STATEMENTS_COMMAND_H_

#include "app/options.h"

namespace unival::statements {

void AddStatementsCommand(Command& data);

}  // namespace unival::statements

#endif  // UNIVAL_EXAMPLES_STATEMENTS_STATEMENTS_COMMAND_H_
