// unival-data: see app/extensions.h.

#include "app/extensions.h"
#include "app/shipped.h"
#include "app/startup.h"
#include "examples/english/english_command.h"
#include "examples/sensor/sensor_command.h"
#include "examples/statements/statements_command.h"
#include "examples/world/world_command.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  unival::Command program = unival::ShippedProgram("data");
  unival::world::AddWorldCommands(program);
  unival::english::AddEnglishCommand(program);
  unival::sensor::AddSensorCommand(program);
  unival::statements::AddStatementsCommand(program);
  return unival::RunExtensionProgram(program, argc, argv);
}
