// unival-quickstart: see app/program.h.

#include "app/program.h"
#include "examples/quickstart/quickstart_command.h"

int main(int argc, char** argv) {
  return unival::RunProgram(argc, argv, "unival quickstart",
                            "Teach a frozen model depth maps, measure, and write a report.",
                            unival::AddQuickstartOptions);
}
