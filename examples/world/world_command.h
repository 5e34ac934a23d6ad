// unival: world_command.h
//
// The subcommands that write generated data: `make-world`, `make-speech`, `make-corpus`.
//
//   AddWorldCommands(*app.add_subcommand("data", "..."), [&](const absl::Status& status) {
//     if (!status.ok()) exit_code = Fail(status);
//   });
#ifndef UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_
#define UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_

#include <functional>

#include "absl/status/status.h"

namespace CLI {
class App;
}

namespace unival::world {

// `done` receives the outcome of the subcommand that was named, while the command line is parsed.
// Progress goes to standard error.
void AddWorldCommands(CLI::App& data_command, std::function<void(const absl::Status&)> done);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_WORLD_COMMAND_H_
