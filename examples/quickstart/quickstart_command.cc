// unival quickstart: a new modality joins a frozen model, with a report.

#include "examples/quickstart/quickstart_command.h"

#include <filesystem>
#include <iostream>

#include "CLI/CLI.hpp"
#include "app/command.h"
#include "app/program.h"
#include "examples/quickstart/quickstart.h"

namespace unival {

void AddQuickstartOptions(CLI::App& app, int* exit_code) {
  CLI::App* command = &app;
  auto options = std::make_shared<quickstart::QuickstartOptions>();
  command->add_option("--output", options->output, "Folder of data, runs and report")
      ->capture_default_str();
  command->add_option("--model", options->model, "Model directory to start from")
      ->capture_default_str();
  command->add_option("--recipes", options->recipes, "Folder with depth_adapter.textproto")
      ->capture_default_str();
  command
      ->add_option("--plugin", options->plugin,
                   "The depth plugin (default: as built beside this program)")
      ->take_last();
  command->add_option("--device", options->device, "cpu, or cuda:N where libtorch has it")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Seed of data and training")->capture_default_str();
  command->add_option("--threads", options->threads, "Training runs side by side, one compute thread each (default: all cores)");
  command->add_flag("--fast", options->fast, "A quarter of the work and one control, for a look");
  command->footer("Example: unival quickstart --output quickstart_out");
  OnRun(
      command,
      [options] {
        options->program = UnivalProgram();
        if (options->program.empty()) {
          return Fail(absl::NotFoundError("the program unival is not beside this one; start this with `unival quickstart`"));
        }
        const absl::StatusOr<std::string> report = quickstart::RunQuickstart(*options);
        if (!report.ok()) return Fail(report.status());
        std::cout << "\nThe report: " << std::filesystem::absolute(*report).string() << "\n";
        return static_cast<int>(kDone);
      },
      exit_code);
}

}  // namespace unival
