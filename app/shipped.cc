#include "app/shipped.h"

#include "app/shipped_commands.h"

namespace unival {
namespace {

constexpr char kCore[] = "unival_core", kTools[] = "unival_tools";

template <typename Row>
const Row* FindRow(const std::vector<Row>& rows, const std::string& name,
                   const std::string Row::*column) {
  for (const Row& row : rows) {
    if (row.*column == name) return &row;
  }
  return nullptr;
}

}  // namespace

const std::vector<ShippedCommand>& ShippedCommands() {
#define UNIVAL_CORE_ROW(function, name, has_commands, summary) {name, kCore, summary, has_commands},
#define UNIVAL_TOOLS_ROW(function, name, has_commands, summary) \
  {name, kTools, summary, has_commands},
  static const auto* const kCommands =
      new std::vector<ShippedCommand>{UNIVAL_COMMANDS(UNIVAL_CORE_ROW, UNIVAL_TOOLS_ROW)};
#undef UNIVAL_CORE_ROW
#undef UNIVAL_TOOLS_ROW
  return *kCommands;
}

const ShippedCommand* FindShippedCommand(const std::string& name) {
  return FindRow(ShippedCommands(), name, &ShippedCommand::name);
}

const std::vector<ShippedExtension>& ShippedExtensions() {
  static const auto* const kExtensions = new std::vector<ShippedExtension>{
      {"quickstart", "Teach a frozen model depth maps, measure, and write a report", {}},
      {"data",
       "Make data of the procedural world, of sentences and statements, and of a sensor that does "
       "not exist",
       {"make-world", "make-speech", "make-corpus", "make-english", "make-statements",
        "fake-sensor", "make-signals"}},
      {"convert", "Bring models of other programs into a model directory", {}},
      {"parity",
       "Compare with recorded outputs of the original implementation, stage by stage",
       {}},
  };
  return *kExtensions;
}

const ShippedExtension* FindShippedExtension(const std::string& command) {
  return FindRow(ShippedExtensions(), command, &ShippedExtension::command);
}

Command ShippedProgram(const std::string& command) {
  const ShippedExtension* extension = FindShippedExtension(command);
  return Command("unival " + command, extension == nullptr ? "" : extension->summary);
}

Command& AddShippedCommand(Command& program, const std::string& name) {
  const ShippedCommand* command = FindShippedCommand(name);
  return program.AddCommand(name, command == nullptr ? "" : command->summary);
}

}  // namespace unival
