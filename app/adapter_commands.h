// unival: adapter_commands.h - the commands of `unival adapter`, and the shape that all of them
// have.
#ifndef UNIVAL_APP_ADAPTER_COMMANDS_H_
#define UNIVAL_APP_ADAPTER_COMMANDS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app/options.h"
#include "runtime/runtime.h"

namespace unival {

void AddAdapterListCommands(Command& adapter);  // list, show: adapter_list_command.cc
void AddAdapterEditCommands(Command& adapter);  // merge, remove: adapter_edit_command.cc

// For commands that read tasks, of which some name slot types or metrics of plugins: a runtime with
// these plugins, or null where none are given; and what tasks may name.
absl::StatusOr<std::unique_ptr<Runtime>> RuntimeForTasks(const RuntimeOptions& options);
TemplateTypes TypesOf(const Runtime* runtime);

// The parsed command line of one subcommand: `Work` says what it works on, `json` how it prints.
template <typename Work>
struct AdapterArguments : Work {
  bool json = false;
};

// Adds the subcommand `name`. `declare(command, arguments)` declares what it works on; --json and
// the footer, which ends with an example, are added here. `run` receives the parsed command line.
template <typename Work, typename Declare>
void AddAdapterSubcommand(Command& adapter, const std::string& name, const std::string& help,
                          const std::string& footer, Declare declare,
                          absl::Status (*run)(const AdapterArguments<Work>&)) {
  Command& command = adapter.AddCommand(name, help);
  auto arguments = std::make_shared<AdapterArguments<Work>>();
  declare(command, *arguments);
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(footer);
  command.OnRun([arguments, run] { return run(*arguments); });
}

}  // namespace unival

#endif  // UNIVAL_APP_ADAPTER_COMMANDS_H_
