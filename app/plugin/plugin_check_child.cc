// The check of a plugin in a child process: what the child says, and what its parent makes of it.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "app/plugin/plugin_check.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/plugin_files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// What a child says, one object a line, by its key: "component": NAME, a "rule" that was finished,
// "plugin" when all were, "error" when there could be none.
using Line = nlohmann::json;

class ChildObserver : public CheckObserver {
 public:
  explicit ChildObserver(ChildReport& report) : report_(report) {}
  void Component(const std::string& name) override { Say({{"component", name}}); }
  void Begins(const std::string& rule) override {
    Say({{"begins", rule}});
    Calls("nothing of the plugin");
  }
  void Ends(const ConformanceRow& row) override {
    Say({{"rule", row.rule}, {"ok", row.ok}, {"detail", row.detail}});
  }
  void Calls(const std::string& call) override { report_.Calls(call); }

 private:
  void Say(const Line& line) { report_.Say(JsonText(line)); }

  ChildReport& report_;
};

std::vector<std::string> Words(const PluginCheckOptions& options) {
  std::vector<std::string> words = {"check"};
  for (const std::string& sample : options.samples) words.push_back("--sample=" + sample);
  for (const std::string& option : options.options) words.push_back("--option=" + option);
  if (!options.config.empty()) words.push_back("--config=" + options.config);
  if (!options.tokenizer.empty()) words.push_back("--tokenizer=" + options.tokenizer);
  words.push_back(absl::StrCat("--max_seconds=", options.max_seconds_per_sample));
  words.push_back(absl::StrCat("--max_mib=", options.max_mib_per_sample));
  words.insert(words.end(), {"--", options.file});
  return words;
}

// A check as far as the child came.
struct Told {
  PluginCheck check;
  std::string rule = "load";  // begun and not ended
  absl::Status error;
};

// Throws where the line has other types: the plugin has the rights of the child, and may have
// written in its name.
void Take(const Line& line, Told& told) {
  std::vector<ConformanceReport>& reports = told.check.reports;
  if (line.contains("component")) reports.push_back({line["component"], {}});
  if (line.contains("begins")) told.rule = line["begins"];
  if (line.contains("rule") && !reports.empty()) {
    reports.back().rows.push_back({line.at("rule"), line.at("ok"), line.at("detail")});
    told.rule.clear();
  }
  if (line.contains("error")) {
    told.error = absl::Status(static_cast<absl::StatusCode>(line["error"].get<int>()),
                              line.at("message").get<std::string>());
  }
}

}  // namespace

void RunCheckAsChild(const PluginCheckOptions& options) {
  ChildReport report;
  {
    ChildObserver observer(report);
    const auto check = CheckPlugin(options, &observer);
    if (!check.ok()) {
      report.Say(JsonText(Line{{"error", static_cast<int>(check.status().code())},
                               {"message", std::string(check.status().message())}}));
    }
  }
  report.Finish();
}

absl::StatusOr<PluginCheck> CheckPluginInChild(const PluginCheckOptions& options) {
  // What the file says about itself is read here: nothing of it runs.
  const std::string file = ParseNamedPlugin(options.file).file;
  UNIVAL_ASSIGN_OR_RETURN(const PluginIdentity identity, IdentifyPlugin(file));
  UNIVAL_ASSIGN_OR_RETURN(const ChildRun run, RunPluginChild(Words(options), options.limits));
  Told told;
  for (const std::string& text : run.said) {
    const absl::StatusOr<Line> line = ParseJson<Line>(text);
    if (!line.ok() || !line->is_object()) continue;
    const auto take = [&]() -> absl::Status {
      Take(*line, told);
      return absl::OkStatus();
    };
    UNIVAL_RETURN_IF_ERROR(CatchJson(take, [&file](absl::string_view) {
      return absl::FailedPreconditionError(
          absl::StrCat("plugin ", file,
                       ": what its check says is none of the check's words: the plugin writes "
                       "into files of the process; do not load it"));
    }));
  }
  if (run.problem.empty() && !told.error.ok()) return told.error;
  told.check.plugin = {file,          identity.id,  identity.version,
                       identity.tier, identity.abi, absl::OkStatus()};
  if (run.problem.empty()) return std::move(told.check);
  const bool is_between = told.check.reports.empty() || run.finished;
  if (is_between) told.check.reports.push_back({absl::StrCat("plugin ", identity.id), {}});
  const std::string rule = run.finished ? "exit" : told.rule.empty() ? "destroy" : told.rule;
  told.check.reports.back().rows.push_back({rule, false, absl::StrCat("the plugin ", run.problem)});
  return std::move(told.check);
}

}  // namespace unival
