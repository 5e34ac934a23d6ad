// unival: extensions.h
//
// Programs that extend `unival`, and the way back from them to it.
//
// `unival X …` runs a command of its own, or else the program `unival-X`, which is sought beside
// `unival` and in its libexec folders, as git and cargo do. `unival X Y …` with a command X that
// has no command Y does the same. The program receives everything behind X and, in the environment
// variable UNIVAL_PROGRAM, the path of `unival`; its exit code is that of `unival`.
#ifndef UNIVAL_APP_EXTENSIONS_H_
#define UNIVAL_APP_EXTENSIONS_H_

#include <string>
#include <vector>

#include "app/options.h"

namespace unival {

// One program found that extends `unival`.
struct Extension {
  std::string command;  // "parity" for the file unival-parity
  std::string file;
};

// All of them, by name; where a name is there twice, the one that `unival X` runs. Files that may
// not be executed or have a name with other characters than letters, digits, "-" and "_" are none.
std::vector<Extension> FindExtensions();

// Runs the command line of `unival`: a command of `program`, or an extension, which then takes this
// process's place. `help X Y` stands for `X Y --help`. Returns the exit code.
int RunWithExtensions(Command& program, int argc, const char* const* argv);

// What the help of `program` lists below its own commands; empty when nothing is found. An
// extension that a command of `program` takes the place of is listed with that reason.
std::string DescribeExtensions(const Command& program);

// The file of `unival`: the one that started this program, or the one that lies beside it. Empty
// when there is none.
std::string UnivalProgram();

}  // namespace unival

#endif  // UNIVAL_APP_EXTENSIONS_H_
