// unival adapter copy FROM ADAPTER INTO: takes a trained modality, or another adapter, over into
// another model directory, with the tasks that use it.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_join.h"
#include "app/adapter_commands.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "backbone/storage/adapter_copy.h"
#include "backbone/storage/model_parts.h"
#include "runtime/adapter_tasks.h"
#include "runtime/model.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

void SayTasks(const AdapterTasks& tasks, const AdapterCopy& copy) {
  for (const std::string& problem : tasks.unreadable)
    std::cerr << "unival: note: tasks not brought, " << problem << "\n";
  if (!tasks.kept.empty()) {
    std::cerr << "unival: note: kept as they are in " << copy.into << ": task "
              << absl::StrJoin(tasks.kept, ", ") << "\n";
  }
  if (!tasks.brought.empty()) {
    std::cout << "with its tasks: " << absl::StrJoin(tasks.brought, ", ") << "\n";
  } else if (tasks.kept.empty()) {
    std::cout << "no task of " << copy.from << " takes it; give one with --templates FILE\n";
  }
}

struct CopyArguments : AdapterCopy {
  RuntimeOptions runtime;
};

absl::Status Copy(const AdapterArguments<CopyArguments>& arguments) {
  AdapterCopy copy = arguments;
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, RuntimeForTasks(arguments.runtime));
  const TemplateTypes types = TypesOf(runtime.get());
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel from, OpenedModel::Open(copy.from, types));
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel into, OpenedModel::Open(copy.into, types));
  const AdapterRecord* record = FindAdapter(from.manifest(), copy.modality);
  const bool is_modality = record == nullptr || !record->has_config();
  const AdapterTasks tasks =
      is_modality ? TasksOfModality(from, into, copy.modality) : AdapterTasks();
  if (!tasks.files.empty()) {
    copy.folders[kTemplatesComponent] = tasks.files;
    copy.template_set_hash = tasks.template_set_hash;
  }
  UNIVAL_ASSIGN_OR_RETURN(const AdapterCopyResult result, CopyAdapter(copy));
  for (const std::string& block : result.missing_blocks) {
    std::cerr << "unival: note: block \"" << block << "\" is not in the vocabulary of "
              << result.into_name << "; tasks that need it: `unival vocab add`\n";
  }
  if (arguments.json) {
    PrintJson({{"output", result.output},
               {is_modality ? "modality" : "adapter", copy.modality},
               {"tasks", tasks.brought},
               {"missing_blocks", result.missing_blocks}});
    return absl::OkStatus();
  }
  std::cout << result.output << ": holds " << (is_modality ? "modality" : "adapter") << " \""
            << copy.modality << "\" of " << copy.from << "\n";
  if (is_modality) SayTasks(tasks, copy);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> RuntimeForTasks(const RuntimeOptions& options) {
  if (options.plugins.empty() && options.plugin_paths.empty()) return nullptr;
  return Runtime::Create(options);
}

TemplateTypes TypesOf(const Runtime* runtime) {
  return runtime == nullptr ? BuiltinTemplateTypes() : runtime->template_types();
}

void AddAdapterCommand(Command& program) {
  Command& adapter = AddShippedCommand(program, "adapter");
  AddAdapterListCommands(adapter);
  AddAdapterEditCommands(adapter);
  AddAdapterSubcommand<CopyArguments>(
      adapter, "copy",
      "Take a modality, its encoder, connection and tasks, or another adapter over into another "
      "model",
      "Example: unival adapter copy runs/depth/model depth models/mine",
      [](Command& command, CopyArguments& copy) {
        command.AddPositional("from", &copy.from, "Model directory that holds it");
        command.AddPositional("id", &copy.modality, "Id of the adapter or modality");
        command.AddPositional(
            "into", &copy.into,
            "Model directory with the same language model; its vocabulary may have other blocks");
        command.AddOption("--output,-o", &copy.output,
                          "Model directory to write (default: INTO itself, in one step)");
        command.AddFlag("--replace", &copy.replace, "Take it in the place of one that INTO has");
        command.AddFlag("--allow_adapter_mismatch", &copy.allow_mismatch,
                        "Also when it was trained against other weights; that is written down in "
                        "the manifest");
        AddPluginOptions(command, &copy.runtime);
      },
      &Copy);
}

}  // namespace unival
