// unival: extensions.h
//
// How `unival` comes to the program that does the work, and the way back from there.
//
// `unival X …` is a command of its own, held by a program in libexec/ (app/shipped.h), or else the
// program `unival-X`, which is sought beside `unival` and in its libexec folders, as git and cargo
// do. `unival X Y …` with a command X that has no command Y does the same. An extension receives
// everything behind X and, in the environment variable UNIVAL_PROGRAM, the path of `unival`; its
// exit code is that of `unival`.
//
// Help must not wait until the libraries of a large program are loaded: beside each program of ours
// lies FILE.help with the help of all its commands, which the build lets the program itself write.
// Where it is missing, or older than the program, the program is started.
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

// All extensions, by name; where several files have a name, the one that `unival X` runs. Not
// counted are files that may not be executed, and names with characters other than letters, digits,
// "-" and "_".
std::vector<Extension> FindExtensions();

// The main function of `unival`: prints help, or lets the program that has the command take this
// process's place. `help X Y` stands for `X Y --help`. Returns the exit code.
int RunUnival(int argc, const char* const* argv);

// The main function of a program in libexec ends with one of these calls. They return the exit
// code; with "--help-pages" as the only word they print what FILE.help holds. The first is for
// programs that hold commands of `unival`; it also runs an extension that adds to such a command.
// The second is for extensions.
int RunOwnCommands(Command& program, int argc, const char* const* argv);
int RunExtensionProgram(Command& program, int argc, const char* const* argv);

// The path of `unival`: of the one that started this program, or of the one beside it; empty when
// there is none. UNIVAL_PROGRAM is used only if the `unival` that it names would start this very
// program: a value left over in the environment may belong to another version.
std::string UnivalProgram();

}  // namespace unival

#endif  // UNIVAL_APP_EXTENSIONS_H_
