// unival-data: see app/extensions.h.

#include "app/shipped_extensions.h"
#include "examples/world/world_command.h"

int main(int argc, char** argv) {
  unival::Command program = unival::ShippedProgram("data");
  unival::world::AddWorldCommands(program);
  return program.Run(argc, argv);
}
