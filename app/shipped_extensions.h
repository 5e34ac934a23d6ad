// unival: shipped_extensions.h
//
// The extensions that come with the program (libexec/), which need not be built or installed with
// it: so that its help says what they are, and a message how to get one that is missing. Adding
// one: its line in shipped_extensions.cc, its main function in libexec, and that one's line in
// BUILD.
#ifndef UNIVAL_APP_SHIPPED_EXTENSIONS_H_
#define UNIVAL_APP_SHIPPED_EXTENSIONS_H_

#include <string>
#include <vector>

#include "app/options.h"

namespace unival {

struct ShippedExtension {
  std::string command;  // "parity" for the program unival-parity
  std::string summary;
  // Where `unival` has a command of that name too: the commands that this one adds.
  std::vector<std::string> added;
};

const std::vector<ShippedExtension>& ShippedExtensions();

// nullptr: none of that name.
const ShippedExtension* FindShippedExtension(const std::string& command);

// What the main function of a shipped extension begins with: a program with the summary above,
// called `unival X` in its help as that is what users type. `command` is one of
// ShippedExtensions().
Command ShippedProgram(const std::string& command);

}  // namespace unival

#endif  // UNIVAL_APP_SHIPPED_EXTENSIONS_H_
