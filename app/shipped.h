// unival: shipped.h
//
// What comes with `unival`, a small program that starts others: its own commands, each held by one
// of the programs in libexec/, and the extensions, which need not be built or installed with it. So
// that its help says what they are, and a message how to get one that is missing. Adding a command:
// shipped_commands.h. Adding an extension: its line in shipped.cc, its main function in libexec,
// and that one's line in BUILD.
#ifndef UNIVAL_APP_SHIPPED_H_
#define UNIVAL_APP_SHIPPED_H_

#include <string>
#include <vector>

#include "app/options.h"

namespace unival {

// A command of `unival`.
struct ShippedCommand {
  std::string name;
  std::string program;  // the file in libexec that holds it
  std::string summary;
  bool has_commands = false;  // `data import`; an extension of the same name may then add some
};

// All commands of `unival`, in the order of the help.
const std::vector<ShippedCommand>& ShippedCommands();

// Returns null when no command has that name.
const ShippedCommand* FindShippedCommand(const std::string& name);

struct ShippedExtension {
  std::string command;  // "parity" for the program unival-parity
  std::string summary;
  // Where `unival` has a command of that name too: the commands that this one adds.
  std::vector<std::string> added;
};

const std::vector<ShippedExtension>& ShippedExtensions();

// Returns null when no extension adds that command.
const ShippedExtension* FindShippedExtension(const std::string& command);

// What the main function of a shipped extension begins with: a program with the summary above,
// called `unival X` in its help as that is what users type. `command` is one of
// ShippedExtensions().
Command ShippedProgram(const std::string& command);

// Declares the command `name` of `program` with the summary above. `name` is one of
// ShippedCommands().
Command& AddShippedCommand(Command& program, const std::string& name);

}  // namespace unival

#endif  // UNIVAL_APP_SHIPPED_H_
