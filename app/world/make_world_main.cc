// make_world: the data commands of `unival data` alone. Builds in seconds, since it needs no
// libtorch.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/world/world_command.h"

int main(int argc, char** argv) {
  CLI::App app("Writes generated data; the same commands as `unival data`.", "make_world");
  app.require_subcommand(1);
  int exit_code = 0;
  unival::world::AddWorldCommands(app, [&exit_code](const absl::Status& status) {
    if (status.ok()) return;
    std::cerr << "make_world: " << status.message() << "\n";
    exit_code = 1;
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
