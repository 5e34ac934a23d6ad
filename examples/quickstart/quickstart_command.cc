// unival quickstart: a new modality joins a frozen model, with a report.

#include "examples/quickstart/quickstart_command.h"

#include <filesystem>
#include <iostream>

#include "absl/status/status.h"
#include "app/extensions.h"
#include "examples/quickstart/quickstart.h"
#include "runtime/loader/shipped_files.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {

namespace {

// What is not in the current folder may be installed with the program.
std::string OrShipped(const std::string& path) {
  if (IsThere(path)) return path;
  const std::string shipped = FindShippedFile(path, "share/unival");
  return shipped.empty() ? path : shipped;
}

absl::Status Quickstart(quickstart::QuickstartOptions options) {
  options.model = OrShipped(options.model);
  options.base = OrShipped(options.base);
  options.recipes = OrShipped(options.recipes);
  options.program = UnivalProgram();
  if (options.program.empty()) {
    return absl::NotFoundError(
        "the program unival is not beside this one; start this with `unival quickstart`");
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::string report, quickstart::RunQuickstart(options));
  std::cout << "\nThe report: " << std::filesystem::absolute(report).string() << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddQuickstartOptions(Command& program) {
  auto options = std::make_shared<quickstart::QuickstartOptions>();
  program.AddOption("--output,-o", &options->output, "Folder of data, runs and report")
      .ShowDefault();
  program.AddOption("--model", &options->model, "Model directory to start from").ShowDefault();
  program.AddOption("--recipes", &options->recipes, "Folder with depth_adapter.textproto")
      .ShowDefault();
  program
      .AddOption("--plugin", &options->plugin,
                 "The depth plugin (default: as built beside this program)")
      .LastWins();
  program.AddDevice(&options->device);
  program.AddOption("--seed", &options->seed, "Seed of data and training").ShowDefault();
  program
      .AddOption("--threads", &options->threads,
                 "Training runs side by side, one compute thread each (default: all cores)")
      .Between(0, 1024);
  program.AddFlag("--fast", &options->fast,
                  "A quarter of the work and the connection alone, for a look");
  program.AddFlag("--controls", &options->controls,
                  "Also train controls, each with one thing changed: random backbone, untrained "
                  "encoder, backbone without text (three times the time)");
  program.AddOption("--say", &options->say,
                    "A sentence of yours that a made-up sensor is to say, each by its own signal; "
                    "give two or more");
  program.AddOption("--base", &options->base, "Model directory that is to say them").ShowDefault();
  program
      .AddOption("--series_plugin", &options->series_plugin,
                 "The series plugin, for --say (default: as built beside this program)")
      .LastWins();
  program.SetFooter(
      "Example: unival quickstart --say \"a still target, near\" --say \"nothing in sight\"");
  program.OnRun([options] { return Quickstart(*options); });
}

}  // namespace unival
