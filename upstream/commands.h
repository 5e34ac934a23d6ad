// unival: commands.h - what `unival convert` and `unival parity` understand.
#ifndef UNIVAL_UPSTREAM_COMMANDS_H_
#define UNIVAL_UPSTREAM_COMMANDS_H_

#include <CLI/App.hpp>

namespace unival {

// For RunProgram (app/program.h).
void AddConvertCommands(CLI::App& app, int* exit_code);
void AddParityOptions(CLI::App& app, int* exit_code);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_COMMANDS_H_
