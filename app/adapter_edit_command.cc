// unival adapter merge MODEL ADAPTER -o OUT, unival adapter remove MODEL ID: an adapter into the
// weights of its base, or out of a model directory.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "app/adapter_commands.h"
#include "app/command.h"
#include "backbone/storage/adapter_edit.h"
#include "backbone/storage/model_parts.h"
#include "runtime/adapter_tasks.h"
#include "runtime/model.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::Status MergeOne(const AdapterArguments<AdapterMerge>& arguments) {
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

struct RemovalArguments : AdapterRemoval {
  RuntimeOptions runtime;
};

// A modality's tasks go with it where they came with it.
absl::StatusOr<RemainingTasks> TasksThatStay(const RemovalArguments& removal) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, RuntimeForTasks(removal.runtime));
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel model,
                          OpenedModel::Open(removal.model, TypesOf(runtime.get())));
  const AdapterRecord* record = FindAdapter(model.manifest(), removal.adapter);
  if (record == nullptr || record->has_config()) return RemainingTasks();
  return TasksWithoutModality(model, removal.adapter);
}

absl::Status RemoveOne(const AdapterArguments<RemovalArguments>& arguments) {
  AdapterRemoval removal = arguments;
  UNIVAL_ASSIGN_OR_RETURN(const RemainingTasks tasks, TasksThatStay(arguments));
  if (!tasks.removed.empty()) {
    removal.folders[kTemplatesComponent] = tasks.files;
    removal.template_set_hash = tasks.template_set_hash;
  }
  UNIVAL_RETURN_IF_ERROR(RemoveAdapter(removal));
  const std::string& output = arguments.output.empty() ? arguments.model : arguments.output;
  if (arguments.json) {
    PrintJson({{"output", output}, {"removed", arguments.adapter}, {"tasks", tasks.removed}});
    return absl::OkStatus();
  }
  std::cout << output << ": without adapter \"" << arguments.adapter << "\"\n";
  if (!tasks.removed.empty()) {
    std::cout << "and without its tasks: " << absl::StrJoin(tasks.removed, ", ") << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddAdapterEditCommands(Command& adapter) {
  AddAdapterSubcommand<AdapterMerge>(
      adapter, "merge",
      "Write a model whose weights do what the base does with an adapter beside it",
      "Example: unival adapter merge models/nano lora.safetensors -o models/merged",
      [](Command& command, AdapterMerge& merge) {
        command.AddPositional("model", &merge.model, "Model directory");
        command.AddPositional("adapter", &merge.adapter,
                              "Id of an adapter that it holds, or the file of one");
        command.AddOption("--output,-o", &merge.output, "Model directory to write").Required();
        command.AddFlag("--allow_adapter_mismatch", &merge.allow_mismatch,
                        "Also when it was trained against other weights");
      },
      &MergeOne);
  AddAdapterSubcommand<RemovalArguments>(
      adapter, "remove",
      "Take an adapter out of a model directory; the rest stays as it is, to the bit",
      "Example: unival adapter remove runs/lora/model lora -o models/plain",
      [](Command& command, RemovalArguments& removal) {
        command.AddPositional("model", &removal.model, "Model directory");
        command.AddPositional("id", &removal.adapter,
                              "Id of the adapter; a modality's takes its encoder with it, and the "
                              "tasks that `adapter copy` brought");
        command.AddOption("--output,-o", &removal.output,
                          "Model directory to write (default: MODEL itself, in one step)");
        AddPluginOptions(command, &removal.runtime);
      },
      &RemoveOne);
}

}  // namespace unival
