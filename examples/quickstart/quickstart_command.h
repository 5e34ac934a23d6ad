// unival: quickstart_command.h - what `unival quickstart` understands.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_
#define UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_

#include <CLI/App.hpp>

namespace unival {

// For RunProgram (app/program.h).
void AddQuickstartOptions(CLI::App& app, int* exit_code);

}  // namespace unival

#endif  // UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_COMMAND_H_
