// unival parity FIXTURE_DIR: this implementation against recorded outputs of the original one.

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "app/command.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "upstream/commands.h"
#include "upstream/parity/parity.h"

namespace unival {
namespace {

struct ParityArguments {
  ParityOptions options;
  RuntimeOptions runtime;
  std::string precision = InferencePrecisionName(InferencePrecision::kFloat32);
  bool json = false;
};

absl::StatusOr<ExitCode> Compare(const ParityArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  ParityOptions options = arguments.options;
  options.precision = *ParseInferencePrecision(arguments.precision);  // checked by the option
  std::error_code none;
  const std::string temporary = std::filesystem::temp_directory_path(none).string();
  if (!none) options.temporary_folder = temporary;
  ProgressLine line;
  options.progress = [&line](const ParityProgress& progress) {
    line.Count("comparing", progress.done, progress.total, progress.file);
  };
  const absl::StatusOr<parity::Report> report = RunParity(options, *runtime);
  line.Clear();
  if (!report.ok()) return report.status();
  std::cout << (arguments.json ? JsonText(ToJson(*report), 2) + "\n" : ToTable(*report));
  return report->ok() ? kDone : kDifferent;
}

}  // namespace

void AddParityOptions(Command& program) {
  auto arguments = std::make_shared<ParityArguments>();
  ParityOptions& options = arguments->options;
  program.AddPositional("fixture", &options.fixture, "Folder with index.json");
  program.AddOption("--stage", &options.stage,
                    "Only checks of one stage: " + absl::StrJoin(parity::StageNames(), ", ") +
                        "; layers also by number, decoder.layer.0");
  program.AddOption("--perturb", &options.perturb,
                    "Add one to every other element of this tensor of the reference's state_dict, "
                    "to see which stage notices");
  program
      .AddOption("--precision", &arguments->precision,
                 "Numbers in which the backbone multiplies by its weights; other than float32 with "
                 "bounds of their own")
      .OneOf(InferencePrecisionNames())
      .ShowDefault();
  program.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(program, &arguments->runtime);
  program.SetFooter(
      "Exit code 3 when a case is outside its tolerance or cannot be replayed. Weights come from "
      "the fixture's formula; cases marked reference_quirk are listed, not judged.\n"
      "Example: unival parity golden --stage logits");
  program.OnRun([arguments] { return Compare(*arguments); });
}

}  // namespace unival
