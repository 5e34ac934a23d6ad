// unival-convert: see app/extensions.h.

#include "app/extensions.h"
#include "app/shipped.h"
#include "app/startup.h"
#include "upstream/commands.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  unival::Command program = unival::ShippedProgram("convert");
  unival::AddConvertCommands(program);
  return unival::RunExtensionProgram(program, argc, argv);
}
