// unival-convert: see app/program.h.

#include "app/program.h"
#include "upstream/commands.h"

int main(int argc, char** argv) {
  return unival::RunProgram(argc, argv, "unival convert",
                            "Bring models of other programs into a model directory.",
                            unival::AddConvertCommands);
}
