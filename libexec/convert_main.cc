// unival-convert: see app/extensions.h.

#include "app/shipped_extensions.h"
#include "upstream/commands.h"

int main(int argc, char** argv) {
  unival::Command program = unival::ShippedProgram("convert");
  unival::AddConvertCommands(program);
  return program.Run(argc, argv);
}
