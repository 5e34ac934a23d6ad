// The `unival` program: every subcommand is a thin face of a library call (runtime/, training/).

#include "app/command.h"
#include "app/program.h"

namespace unival {
namespace {

void AddUnivalCommands(CLI::App& app, int* exit_code) {
  app.require_subcommand(1);
  app.set_version_flag("--version", "unival 0.1.0");
  AddPredictCommand(app, exit_code);
  AddEvalCommand(app, exit_code);
  AddProbeCommand(app, exit_code);
  AddTrainCommand(app, exit_code);
  AddVerifyCommand(app, exit_code);
  AddDataCommand(app, exit_code);
  AddPluginCommand(app, exit_code);
  AddVocabCommand(app, exit_code);
  AddAdapterCommand(app, exit_code);
  AddInspectCommand(app, exit_code);
  AddDoctorCommand(app, exit_code);
  std::string further;
  for (const Extension& extension : FindExtensions()) further += "\n  unival " + extension.command;
  if (!further.empty()) app.footer("Further commands, programs of their own:" + further);
}

}  // namespace
}  // namespace unival

int main(int argc, char** argv) {
  return unival::RunProgram(
      argc, argv, "unival",
      "UnIVAL: one encoder-decoder model for text, images, video, audio and your own modalities.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a check found a difference.",
      unival::AddUnivalCommands);
}
