// unival: program.h
//
// What the main functions of `unival` and of the programs in libexec share.
//
// `unival X …` runs a command of its own, or else the program `unival-X`, which is sought beside
// `unival` and in its libexec folder, as git does. `unival X Y …` with a command X that has no
// subcommand Y does the same. The program receives everything behind X and, in the environment
// variable UNIVAL_PROGRAM, the path of `unival`.
#ifndef UNIVAL_APP_PROGRAM_H_
#define UNIVAL_APP_PROGRAM_H_

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

namespace unival {

using AddCommands = std::function<void(CLI::App& app, int* exit_code)>;

// Parses the command line and runs the command in it; returns the exit code (command.h). `name` is
// what the user typed ("unival data"): it stands in usage and messages. Never throws.
int RunProgram(int argc, char** argv, const std::string& name, const std::string& description,
               const AddCommands& add_commands);

// One program found that extends `unival`.
struct Extension {
  std::string command;  // "parity" for the file unival-parity
  std::string file;
};

// The programs that extend this one, ordered by command. Where two have the same name, the one
// found first.
std::vector<Extension> FindExtensions();

// Replaces this process by `unival-X` when the command line asks for a command that `app` lacks and
// such a program is there; returns otherwise.
void RunExtension(CLI::App& app, int argc, char** argv);

// The `unival` program: the one that started this process, or the one that lies beside it. Empty
// when there is none.
std::string UnivalProgram();

}  // namespace unival

#endif  // UNIVAL_APP_PROGRAM_H_
