// unival-data: see app/program.h.

#include "app/command.h"
#include "app/program.h"
#include "examples/world/world_command.h"

namespace {

void AddDataCommands(CLI::App& app, int* exit_code) {
  app.require_subcommand(1);
  unival::world::AddWorldCommands(app, [exit_code](const absl::Status& status) {
    *exit_code = status.ok() ? unival::kDone : unival::Fail(status);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return unival::RunProgram(argc, argv, "unival data", "Make data of the procedural world.",
                            AddDataCommands);
}
