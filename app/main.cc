// The `unival` program: every subcommand is a thin face of a library call (runtime/, training/).

#include <iostream>

#include "CLI/CLI.hpp"
#include "app/command.h"

namespace {

// Options that may be given several times take one value each time: what follows may be a
// positional argument.
void TakeOneValueEach(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) option->allow_extra_args(false);
  }
  for (CLI::App* command : app.get_subcommands({})) TakeOneValueEach(*command);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "UnIVAL: one encoder-decoder model for text, images, video, audio and your own modalities.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a check found a difference.",
      "unival");
  app.require_subcommand(1);
  app.set_version_flag("--version", "unival 0.1.0");
  int exit_code = unival::kDone;
  unival::AddQuickstartCommand(app, &exit_code);
  unival::AddPredictCommand(app, &exit_code);
  unival::AddEvalCommand(app, &exit_code);
  unival::AddProbeCommand(app, &exit_code);
  unival::AddTrainCommand(app, &exit_code);
  unival::AddVerifyCommand(app, &exit_code);
  unival::AddDataCommand(app, &exit_code);
  unival::AddConvertCommand(app, &exit_code);
  unival::AddParityCommand(app, &exit_code);
  unival::AddPluginCommand(app, &exit_code);
  unival::AddVocabCommand(app, &exit_code);
  unival::AddAdapterCommand(app, &exit_code);
  unival::AddInspectCommand(app, &exit_code);
  unival::AddDoctorCommand(app, &exit_code);
  TakeOneValueEach(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app.remaining();
    if (error.get_exit_code() != 0 && app.get_subcommands().empty() && !unknown.empty()) {
      std::cerr << "unival: \"" << unknown.front() << "\" is no command; see unival --help\n";
      return unival::kUsage;
    }
    return app.exit(error) == 0 ? unival::kDone : unival::kUsage;
  } catch (const std::exception& error) {
    std::cerr << "unival: internal error: " << error.what() << "\n";
    return unival::kFailed;
  }
  return exit_code;
}
