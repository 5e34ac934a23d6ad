// unival: english_command.h - the command `make-english` of `unival data`.
#ifndef UNIVAL_EXAMPLES_ENGLISH_ENGLISH_COMMAND_H_
#define UNIVAL_EXAMPLES_ENGLISH_ENGLISH_COMMAND_H_

#include "app/options.h"

namespace unival::english {

void AddEnglishCommand(Command& data);

}  // namespace unival::english

#endif  // UNIVAL_EXAMPLES_ENGLISH_ENGLISH_COMMAND_H_
