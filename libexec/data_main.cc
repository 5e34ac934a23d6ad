// unival-data: see app/extensions.h.

#include "app/shipped_extensions.h"
#include "examples/english/english_command.h"
#include "examples/sensor/sensor_command.h"
#include "examples/statements/statements_command.h"
#include "examples/world/world_command.h"

int main(int argc, char** argv) {
  unival::Command program = unival::ShippedProgram("data");
  unival::world::AddWorldCommands(program);
  unival::english::AddEnglishCommand(program);
  unival::sensor::AddSensorCommand(program);
  unival::statements::AddStatementsCommand(program);
  return program.Run(argc, argv);
}
