#include "examples/quickstart/workspace.h"

#include <filesystem>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/loader/shipped_files.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival::quickstart {
namespace {

namespace fs = std::filesystem;

// Stands in a folder that a quickstart may replace.
constexpr char kMarker[] = ".unival_quickstart";

// Where the plugin is built, or else installed.
std::string PluginBesideProgram(const std::string& name) {
  const std::string file = absl::StrCat("lib", name, ".so");
  const std::string found =
      FindShippedFile(absl::StrCat("plugins/", name, "/", file), "lib/unival");
  return found.empty() ? file : found;
}

absl::Status CheckModel(const std::string& model, const std::string& option) {
  if (IsThere((fs::path(model) / "manifest.textproto").string())) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("model ", model, ": expected a model directory with manifest.textproto; ",
                   "run from the project's folder or name one with ", option));
}

absl::StatusOr<std::string> FindPlugin(const std::string& given, const std::string& name,
                                       const std::string& option) {
  const std::string plugin = given.empty() ? PluginBesideProgram(name) : given;
  if (IsThere(plugin)) return plugin;
  return absl::NotFoundError(absl::StrCat("plugin ", plugin, ": no such file; build it with ",
                                          "`bazel build //plugins/", name, ":lib", name,
                                          ".so` or name it with ", option));
}

absl::StatusOr<std::string> FindRecipe(const QuickstartOptions& options, const std::string& name) {
  std::string recipe = absl::StrCat(options.recipes, "/", name);
  if (IsThere(recipe)) return recipe;
  return absl::NotFoundError(absl::StrCat("recipe ", recipe,
                                          ": no such file; run from the project's folder ",
                                          "or name the folder of recipes with --recipes"));
}

absl::Status CheckSentences(const std::vector<std::string>& say) {
  std::set<std::string> seen;
  for (const std::string& sentence : say) {
    if (sentence.find_first_not_of(" \t\n") == std::string::npos)
      return absl::InvalidArgumentError("--say: expected a sentence, got an empty one");
    if (!seen.insert(sentence).second) {
      return absl::InvalidArgumentError(absl::StrCat("--say: \"", sentence, "\" stands there ",
                                                     "twice; give sentences that differ"));
    }
  }
  if (say.size() != 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--say: expected two sentences or more, got one: a sensor that always says the same needs no "
      "model");
}

std::string IfExists(const std::string& path) { return IsThere(path) ? path : ""; }

}  // namespace

absl::StatusOr<Workspace> FindInputs(const QuickstartOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckSentences(options.say));
  UNIVAL_RETURN_IF_ERROR(CheckModel(options.model, "--model"));
  Workspace workspace;
  UNIVAL_ASSIGN_OR_RETURN(workspace.plugin, FindPlugin(options.plugin, "depth", "--plugin"));
  UNIVAL_ASSIGN_OR_RETURN(workspace.recipe, FindRecipe(options, "depth_adapter.textproto"));
  if (!options.say.empty()) {
    UNIVAL_RETURN_IF_ERROR(CheckModel(options.base, "--base"));
    UNIVAL_ASSIGN_OR_RETURN(workspace.series_plugin,
                            FindPlugin(options.series_plugin, "series", "--series_plugin"));
    UNIVAL_ASSIGN_OR_RETURN(workspace.say_recipe, FindRecipe(options, "own_words.textproto"));
  }
  workspace.full_recipe = IfExists(options.recipes + "/depth_full.textproto");
  const fs::path model = fs::path(options.model).lexically_normal();
  const fs::path named = model.has_filename() ? model : model.parent_path();
  workspace.no_text_model = IfExists(named.string() + "_notext");
  workspace.data = options.output + "/data";
  workspace.plans = options.output + "/plans";
  workspace.runs = options.output + "/runs";
  return workspace;
}

absl::Status PrepareOutput(const QuickstartOptions& options, const Workspace& workspace) {
  const fs::path output(options.output);
  std::error_code error;
  if (IsThere(options.output) && !fs::is_empty(output, error) &&
      !IsThere((output / kMarker).string())) {
    return absl::FailedPreconditionError(
        absl::StrCat("output ", options.output, ": expected a new or empty folder, got one ",
                     "with other files; name another with --output"));
  }
  UNIVAL_RETURN_IF_ERROR(Annotate(MakeFolders(options.output), "--output"));
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically((output / kMarker).string(),
                                             {"A quickstart may replace this folder.\n"}));
  for (const std::string& folder : {workspace.data, workspace.plans, workspace.runs}) {
    fs::remove_all(folder, error);
    UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  }
  return absl::OkStatus();
}

}  // namespace unival::quickstart
