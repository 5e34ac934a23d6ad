// unival adapter merge MODEL ADAPTER -o OUT, unival adapter remove MODEL ID: an adapter into the
// weights of its base, or out of a model directory.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/adapter_commands.h"
#include "app/command.h"
#include "backbone/storage/adapter_edit.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct AdapterMergeArguments : AdapterMerge {
  bool json = false;
};

struct AdapterRemoveArguments : AdapterRemoval {
  bool json = false;
};

absl::Status MergeOne(const AdapterMergeArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const AdapterMergeResult result, MergeAdapter(arguments));
  if (arguments.json) {
    PrintJson({{"output", arguments.output},
               {"adapter", result.id},
               {"kind", result.kind},
               {"tensors_changed", result.tensors},
               {"backbone_sha256", result.backbone_sha256}});
    return absl::OkStatus();
  }
  std::cout << arguments.output << ": " << arguments.model << " with adapter \"" << result.id
            << "\" (" << result.kind << ") in " << result.tensors << " of its tensors\n";
  return absl::OkStatus();
}

absl::Status RemoveOne(const AdapterRemoveArguments& arguments) {
  UNIVAL_RETURN_IF_ERROR(RemoveAdapter(arguments));
  const std::string& output = arguments.output.empty() ? arguments.model : arguments.output;
  if (arguments.json) {
    PrintJson({{"output", output}, {"removed", arguments.adapter}});
    return absl::OkStatus();
  }
  std::cout << output << ": without adapter \"" << arguments.adapter << "\"\n";
  return absl::OkStatus();
}

}  // namespace

void AddAdapterEditCommands(Command& adapter) {
  Command& merge = adapter.AddCommand(
      "merge", "Write a model whose weights do what the base does with an adapter beside it");
  auto merged = std::make_shared<AdapterMergeArguments>();
  merge.AddPositional("model", &merged->model, "Model directory");
  merge.AddPositional("adapter", &merged->adapter,
                      "Id of an adapter that it holds, or the file of one");
  merge.AddOption("--output,-o", &merged->output, "Model directory to write").Required();
  merge.AddFlag("--allow_adapter_mismatch", &merged->allow_mismatch,
                "Also when it was trained against other weights");
  merge.AddFlag("--json", &merged->json, "Print JSON");
  merge.SetFooter("Example: unival adapter merge models/nano lora.safetensors -o models/merged");
  merge.OnRun([merged] { return MergeOne(*merged); });

  Command& remove = adapter.AddCommand(
      "remove", "Take an adapter out of a model directory; the rest stays as it is, to the bit");
  auto removed = std::make_shared<AdapterRemoveArguments>();
  remove.AddPositional("model", &removed->model, "Model directory");
  remove.AddPositional("id", &removed->adapter,
                       "Id of the adapter; a modality's takes its encoder with it");
  remove.AddOption("--output,-o", &removed->output,
                   "Model directory to write (default: MODEL itself, in one step)");
  remove.AddFlag("--json", &removed->json, "Print JSON");
  remove.SetFooter("Example: unival adapter remove runs/lora/model lora -o models/plain");
  remove.OnRun([removed] { return RemoveOne(*removed); });
}

}  // namespace unival
