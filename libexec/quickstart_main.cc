// unival-quickstart: see app/extensions.h.

#include "app/shipped_extensions.h"
#include "examples/quickstart/quickstart_command.h"

int main(int argc, char** argv) {
  unival::Command program = unival::ShippedProgram("quickstart");
  unival::AddQuickstartOptions(program);
  return program.Run(argc, argv);
}
