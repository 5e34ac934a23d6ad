// unival verify RECEIPT MODEL: recomputes what a training receipt states.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"
#include "training/run/receipt.h"

namespace unival {
namespace {

struct VerifyArguments {
  std::string receipt, model, base;
  RuntimeOptions runtime;
  bool json = false;
};

absl::StatusOr<ExitCode> Verify(const VerifyArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  UNIVAL_ASSIGN_OR_RETURN(
      const ReceiptCheck check,
      VerifyReceipt(arguments.receipt, arguments.model, arguments.base, *runtime));
  if (arguments.json) {
    const nlohmann::ordered_json json = {{"holds", check.ok()},
                                         {"tensors", check.tensors},
                                         {"compared_with_model", check.compared_with_model},
                                         {"compared_with_base", check.compared_with_base},
                                         {"base_compared", check.base_compared},
                                         {"plan_compared", check.plan_compared},
                                         {"unproven", check.unproven},
                                         {"frozen_tensors_changed", check.frozen_changed},
                                         {"problems", check.problems}};
    std::cout << JsonText(json, 2) << "\n";
    return check.ok() ? kDone : kDifferent;
  }
  std::cout << absl::StrFormat(
                   "%d tensors in the receipt; %d recomputed from the model, %d from the base\n",
                   check.tensors, check.compared_with_model, check.compared_with_base)
            << absl::StrFormat("frozen tensors changed: %d\n", check.frozen_changed);
  if (!check.base_compared) {
    std::cout << "The base model was not compared: what was before training is the receipt's own "
                 "word; name it with --base.\n";
  }
  for (const std::string& line : check.unproven) std::cout << "Not proven: " << line << "\n";
  for (const std::string& problem : check.problems) std::cout << "DIFFERS " << problem << "\n";
  std::cout << (check.ok() ? "The receipt holds.\n" : "The receipt does not hold.\n");
  return check.ok() ? kDone : kDifferent;
}

}  // namespace

void AddVerifyCommand(Command& program) {
  Command& command = AddShippedCommand(program, "verify");
  auto arguments = std::make_shared<VerifyArguments>();
  command.AddPositional("receipt", &arguments->receipt, "receipt.json of a run");
  command.AddPositional("model", &arguments->model, "The trained model directory");
  command.AddOption("--base", &arguments->base, "The model directory that the run started from");
  command.AddFlag("--json", &arguments->json, "Print JSON");
  AddRuntimeOptions(command, &arguments->runtime);
  command.SetFooter(
      "Exit code 3 when a hash differs.\n"
      "Example: unival verify runs/depth/receipt.json runs/depth/model --base models/nano");
  command.OnRun([arguments] { return Verify(*arguments); });
}

}  // namespace unival
