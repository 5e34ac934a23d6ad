// unival plugin list|check|new: plugins as files, without a model.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/plugin/plugin_check.h"
#include "app/plugin/plugin_list.h"
#include "app/plugin/scaffold.h"
#include "app/shipped.h"
#include "sdk/base/printable.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr double kDay = 24 * 60 * 60;        // seconds
constexpr double kTebibyte = 1024.0 * 1024;  // MiB

nlohmann::json ToJson(const PluginRow& plugin) {
  nlohmann::json row = {{"file", plugin.file},    {"id", plugin.id},   {"version", plugin.version},
                        {"tier", plugin.tier},    {"abi", plugin.abi}, {"verdict", plugin.verdict},
                        {"reason", plugin.reason}};
  row["components"] = nlohmann::json::array();
  for (const ListedComponent& component : plugin.components) {
    row["components"].push_back(
        {{"kind", component.kind}, {"type", component.type}, {"summary", component.summary}});
  }
  return row;
}

void PrintPlugin(const PluginRow& row, bool explain) {
  const std::string name = row.id.empty() ? "(none)" : absl::StrCat(row.id, " ", row.version);
  std::cout << absl::StrFormat("%-24s %-6d %-18s %-9s %s\n", PrintableLine(name), row.tier,
                               PrintableLine(row.abi), row.verdict, PrintableLine(row.file));
  if (!explain) return;
  for (const ListedComponent& component : row.components) {
    std::cout << absl::StrFormat("    %s %s: %s\n", component.kind, PrintableLine(component.type),
                                 PrintableLine(component.summary));
  }
  if (!row.reason.empty()) {
    std::cout << "    " << absl::StrReplaceAll(PrintableMessage(row.reason), {{"\n", "\n    "}})
              << "\n";
  }
}

absl::Status List(const RuntimeOptions& options, const ChildLimits& limits, bool explain,
                  bool json) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<PluginRow> rows, ListPlugins(options, limits));
  if (json) {
    nlohmann::json list = nlohmann::json::array();
    for (const PluginRow& row : rows) list.push_back(ToJson(row));
    PrintJson(list);
    return absl::OkStatus();
  }
  if (rows.empty())
    std::cout
        << "no plugin files; give --plugin FILE, --plugin_path FOLDER or UNIVAL_PLUGIN_PATH\n";
  if (!rows.empty())
    std::cout << absl::StrFormat("%-24s %-6s %-18s %-9s %s\n", "plugin", "tier", "built for",
                                 "verdict", "file");
  for (const PluginRow& row : rows) PrintPlugin(row, explain);
  return absl::OkStatus();
}

void AddLimits(Command& command, ChildLimits* limits) {
  command
      .AddOption("--call_seconds", &limits->seconds_per_call,
                 "What one call of a plugin may take before its process is ended")
      .Within(0.01, kDay)
      .ShowDefault();
  command
      .AddOption("--process_mib", &limits->mib,
                 "Memory that the process of a plugin may take before it is ended")
      .Positive()
      .ShowDefault();
}

void AddList(Command& plugin) {
  Command& command =
      plugin.AddCommand("list", "Show every plugin file found, and whether it loads");
  auto options = std::make_shared<RuntimeOptions>();
  auto limits = std::make_shared<ChildLimits>();
  auto explain = std::make_shared<bool>(false), json = std::make_shared<bool>(false);
  AddRuntimeOptions(command, options.get());
  AddLimits(command, limits.get());
  command.AddFlag("--explain", explain.get(), "Also the components, and why a file was refused");
  command.AddFlag("--json", json.get(), "Print JSON");
  command.SetFooter("Example: unival plugin list --plugin_path plugins --explain");
  command.OnRun(
      [options, limits, explain, json] { return List(*options, *limits, *explain, *json); });
}

nlohmann::json ToJson(const PluginCheck& check) {
  nlohmann::json json = {{"file", check.plugin.file},
                         {"id", check.plugin.id},
                         {"version", check.plugin.version},
                         {"tier", check.plugin.tier},
                         {"ok", check.ok()}};
  for (const ConformanceReport& report : check.reports) {
    nlohmann::json component = {{"component", report.component}, {"ok", report.ok()}};
    for (const ConformanceRow& row : report.rows) {
      component["rows"].push_back({{"rule", row.rule}, {"ok", row.ok}, {"detail", row.detail}});
    }
    json["components"].push_back(component);
  }
  return json;
}

absl::StatusOr<ExitCode> Check(const PluginCheckOptions& options, bool json) {
  UNIVAL_ASSIGN_OR_RETURN(const PluginCheck check, CheckPluginInChild(options));
  if (json) {
    PrintJson(ToJson(check));
  } else {
    const std::string name = absl::StrCat(check.plugin.id, " ", check.plugin.version);
    std::cout << absl::StrCat("plugin ", PrintableLine(name), ", tier ", check.plugin.tier, "\n");
    for (const ConformanceReport& report : check.reports) std::cout << Printable(report.Table());
  }
  return check.ok() ? kDone : kDifferent;
}

// Those that a child is given too; plugin_check_child.cc writes them out.
void AddCheckOptions(Command& command, PluginCheckOptions* options) {
  command.AddPositional("file", &options->file, "lib<id>.so or <id>.plugin.textproto");
  command.AddOption("--sample", &options->samples,
                    "Media, records (.jsonl), texts (.txt) or a folder of them; may be given "
                    "several times (default: the "
                    "folder samples beside the plugin, else generated media)");
  command.AddOption("--config", &options->config, "Text file with a ModalityConfig");
  command.AddOption("--option", &options->options,
                    "name=value for the modality; may be given several times");
  command.AddOption("--tokenizer", &options->tokenizer, "Folder with a tokenizer's files");
  command.AddOption("--max_seconds", &options->max_seconds_per_sample, "Per sample")
      .Within(0, kDay)
      .ShowDefault();
  command.AddOption("--max_mib", &options->max_mib_per_sample, "Per sample")
      .Within(0, kTebibyte)
      .ShowDefault();
}

void AddPluginCheck(Command& plugin) {
  Command& command =
      plugin.AddCommand("check", "Hold a plugin's components against the rules that all keep");
  auto options = std::make_shared<PluginCheckOptions>();
  auto json = std::make_shared<bool>(false);
  AddCheckOptions(command, options.get());
  AddLimits(command, &options->limits);
  command.AddFlag("--json", json.get(), "Print JSON");
  command.SetFooter("Example: unival plugin check ./libimu.so --sample recordings");
  command.OnRun([options, json] { return Check(*options, *json); });
}

absl::Status New(const ScaffoldOptions& options) {
  UNIVAL_RETURN_IF_ERROR(WriteScaffold(options));
  const std::string folder = options.folder.empty() ? options.name : options.folder;
  std::cout << folder << ": written; next: make -C " << folder << " check\n";
  return absl::OkStatus();
}

void AddNew(Command& plugin) {
  Command& command =
      plugin.AddCommand("new", "Write a plugin folder that builds and passes its check");
  auto options = std::make_shared<ScaffoldOptions>();
  command.AddPositional("name", &options->name, "Plugin id, lower_snake");
  command
      .AddOption(
          "--tier", &options->tier,
          "1 native (libtorch), 2 C ABI (C++ or C), 3 data only (TorchScript); default: 2, and 1 "
          "for a metric or network, which no other tier can hold")
      .Between(1, 3);
  command.AddOption("--kind", &options->kind, absl::StrJoin(ScaffoldKinds(), ", "))
      .OneOf(ScaffoldKinds())
      .ShowDefault();
  command.AddOption("--output,-o", &options->folder, "Folder to write (default: NAME)");
  command.SetFooter("Example: unival plugin new radar --tier 2 && make -C radar check");
  command.OnRun([options] { return New(*options); });
}

}  // namespace

int RunAsPluginChild(const std::vector<std::string>& words) {
  Command program(absl::StrCat("unival ", kPluginChild), "Runs foreign code for its parent");
  Command& check = program.AddCommand("check", "Checks one plugin");
  PluginCheckOptions check_options;
  AddCheckOptions(check, &check_options);
  check.OnRun([&] { return RunCheckAsChild(check_options), absl::OkStatus(); });
  Command& list = program.AddCommand("list", "Loads plugins");
  RuntimeOptions list_options;
  list.AddOption("--plugin", &list_options.plugins, "A plugin file");
  list.AddOption("--plugin_path", &list_options.plugin_paths, "A folder of plugins");
  list.OnRun([&] { return RunListAsChild(list_options), absl::OkStatus(); });
  return program.Run(words);
}

void AddPluginCommand(Command& program) {
  Command& plugin = AddShippedCommand(program, "plugin");
  AddList(plugin);
  AddPluginCheck(plugin);
  AddNew(plugin);
}

}  // namespace unival
