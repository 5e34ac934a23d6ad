#include "app/plugin/plugin_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/plugin_files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

std::string Verdict(const PluginReport& plugin) {
  if (plugin.status.ok()) return "loaded";
  return absl::IsAlreadyExists(plugin.status) ? "left out" : "refused";
}

nlohmann::json Describe(const Runtime& runtime, const PluginReport& plugin) {
  nlohmann::json row = {{"file", plugin.file},
                        {"id", plugin.id},
                        {"version", plugin.version},
                        {"tier", plugin.tier},
                        {"abi", plugin.abi},
                        {"verdict", Verdict(plugin)},
                        {"reason", std::string(plugin.status.message())}};
  row["components"] = nlohmann::json::array();
  for (const Registry::Entry& entry : runtime.registry().List()) {
    if (absl::StrContains(entry.origin, absl::StrCat("(", plugin.file, ")"))) {
      row["components"].push_back(
          {{"kind", entry.kind}, {"type", entry.type}, {"summary", entry.summary}});
    }
  }
  return row;
}

PluginRow ToRow(const nlohmann::json& json) {
  PluginRow row = {json.at("file"), json.at("id"),      json.at("version"), json.at("tier"),
                   json.at("abi"),  json.at("verdict"), json.at("reason"),  {}};
  for (const auto& component : json.at("components")) {
    row.components.push_back({component.at("kind"), component.at("type"), component.at("summary")});
  }
  return row;
}

std::vector<std::string> Words(const RuntimeOptions& options) {
  std::vector<std::string> words = {"list"};
  for (const std::string& file : options.plugins) words.push_back("--plugin=" + file);
  for (const std::string& folder : options.plugin_paths) words.push_back("--plugin_path=" + folder);
  return words;
}

// The rows of a child that finished; `problem` of one that did not.
struct Attempt {
  std::vector<PluginRow> rows;
  std::string problem;
};

absl::StatusOr<Attempt> Try(const RuntimeOptions& options, const ChildLimits& limits) {
  UNIVAL_ASSIGN_OR_RETURN(const ChildRun run, RunPluginChild(Words(options), limits));
  Attempt attempt;
  attempt.problem = run.problem;
  for (const std::string& text : run.said) {
    const absl::StatusOr<nlohmann::json> json = ParseJson(text);
    if (!json.ok() || !json->is_object()) continue;
    const auto take = [&]() -> absl::Status {
      if (json->contains("error")) return absl::NotFoundError(json->at("error").get<std::string>());
      attempt.rows.push_back(ToRow(*json));
      return absl::OkStatus();
    };
    UNIVAL_RETURN_IF_ERROR(CatchJson(take, [&attempt](absl::string_view) {
      attempt.problem = "writes into files of the process that loads it";
      return absl::OkStatus();
    }));
  }
  return attempt;
}

// A file that does not let its process live.
PluginRow Refused(const std::string& file, const std::string& problem) {
  PluginRow row;
  row.file = file;
  if (const auto identity = IdentifyPlugin(file); identity.ok()) {
    row.id = identity->id, row.version = identity->version;
    row.tier = identity->tier, row.abi = identity->abi;
  }
  row.verdict = "refused";
  row.reason = absl::StrCat("plugin ", file, ": ", problem);
  return row;
}

absl::StatusOr<std::vector<PluginRow>> TryEachAlone(const RuntimeOptions& options,
                                                    const ChildLimits& limits) {
  std::vector<std::string> names = options.plugins;
  for (const std::string& folder : options.plugin_paths) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> files, PluginFilesOf(folder));
    names.insert(names.end(), files.begin(), files.end());
  }
  std::vector<PluginRow> rows, alone;
  RuntimeOptions harmless;
  for (const std::string& name : names) {
    RuntimeOptions one;
    one.plugins = {name};
    UNIVAL_ASSIGN_OR_RETURN(Attempt attempt, Try(one, limits));
    if (!attempt.problem.empty()) {
      rows.push_back(Refused(ParseNamedPlugin(name).file, attempt.problem));
      continue;
    }
    harmless.plugins.push_back(name);
    std::move(attempt.rows.begin(), attempt.rows.end(), std::back_inserter(alone));
  }
  UNIVAL_ASSIGN_OR_RETURN(const Attempt together, Try(harmless, limits));
  const std::vector<PluginRow>& others = together.problem.empty() ? together.rows : alone;
  rows.insert(rows.end(), others.begin(), others.end());
  std::stable_sort(rows.begin(), rows.end(), [](const PluginRow& a, const PluginRow& b) {
    return std::tie(a.id, a.file) < std::tie(b.id, b.file);
  });
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<PluginRow>> ListPlugins(const RuntimeOptions& options,
                                                   const ChildLimits& limits) {
  UNIVAL_ASSIGN_OR_RETURN(Attempt attempt, Try(options, limits));
  if (attempt.problem.empty()) return std::move(attempt.rows);
  return TryEachAlone(options, limits);
}

void RunListAsChild(const RuntimeOptions& given) {
  ChildReport report;
  RuntimeOptions options = given;
  options.tolerate_refusals = true;
  const bool is_one = options.plugins.size() == 1 && options.plugin_paths.empty();
  const NamedPlugin named = is_one ? ParseNamedPlugin(options.plugins[0]) : NamedPlugin();
  if (is_one) {
    report.Calls("its constructors, while it was opened");
    OpenPlugin(named.file, named.sha256).IgnoreError();  // the runtime says why
  }
  report.Calls(is_one ? "its entry function" : "the loading of all plugins");
  {
    const auto runtime = Runtime::Create(options);
    if (!runtime.ok()) {
      report.Say(JsonText(nlohmann::json{{"error", std::string(runtime.status().message())}}));
    } else {
      for (const PluginReport& plugin : (*runtime)->plugins())
        report.Say(JsonText(Describe(**runtime, plugin)));
    }
  }
  report.Finish();
}

}  // namespace unival
