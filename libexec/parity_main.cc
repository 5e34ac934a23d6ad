// unival-parity: see app/program.h.

#include "app/program.h"
#include "upstream/commands.h"

int main(int argc, char** argv) {
  return unival::RunProgram(argc, argv, "unival parity",
                            "Compare with recorded outputs of the original implementation, stage by stage.",
                            unival::AddParityOptions);
}
