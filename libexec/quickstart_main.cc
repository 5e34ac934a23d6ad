// unival-quickstart: see app/extensions.h.

#include "app/extensions.h"
#include "app/shipped.h"
#include "app/startup.h"
#include "examples/quickstart/quickstart_command.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  unival::Command program = unival::ShippedProgram("quickstart");
  unival::AddQuickstartOptions(program);
  return unival::RunExtensionProgram(program, argc, argv);
}
