#include "examples/quickstart/workspace.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "runtime/loader/shipped_files.h"
#include "sdk/base/status_macros.h"

namespace unival::quickstart {
namespace {

namespace fs = std::filesystem;

// Stands in a folder that a quickstart may replace.
constexpr char kMarker[] = ".unival_quickstart";

// As built, or as installed.
std::string PluginBesideProgram() {
  const std::string found = FindShippedFile("plugins/depth/libdepth.so", "lib/unival");
  return found.empty() ? "libdepth.so" : found;
}

std::string IfExists(const std::string& path) { return fs::exists(path) ? path : ""; }

}  // namespace

absl::StatusOr<Workspace> FindInputs(const QuickstartOptions& options) {
  if (!fs::exists(fs::path(options.model) / "manifest.textproto")) {
    return absl::NotFoundError(absl::StrCat(
        "model ", options.model, ": expected a model directory with manifest.textproto; ",
        "run from the project's folder or name one with --model"));
  }
  Workspace workspace;
  workspace.plugin = options.plugin.empty() ? PluginBesideProgram() : options.plugin;
  if (!fs::exists(workspace.plugin)) {
    return absl::NotFoundError(
        absl::StrCat("plugin ", workspace.plugin, ": no such file; build it with ",
                     "`bazel build //plugins/depth:libdepth.so` or name it with --plugin"));
  }
  workspace.recipe = options.recipes + "/depth_adapter.textproto";
  if (!fs::exists(workspace.recipe)) {
    return absl::NotFoundError(absl::StrCat("recipe ", workspace.recipe,
                                            ": no such file; run from the project's folder ",
                                            "or name the folder of recipes with --recipes"));
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
  if (fs::exists(output) && !fs::is_empty(output, error) && !fs::exists(output / kMarker)) {
    return absl::FailedPreconditionError(
        absl::StrCat("output ", options.output, ": expected a new or empty folder, got one ",
                     "with other files; name another with --output"));
  }
  fs::create_directories(output, error);
  std::ofstream(output / kMarker) << "A quickstart may replace this folder.\n";
  for (const std::string& folder : {workspace.data, workspace.plans, workspace.runs}) {
    fs::remove_all(folder, error);
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder)) {
      return absl::InternalError(
          absl::StrCat(folder, ": cannot be created; check rights and space"));
    }
  }
  return absl::OkStatus();
}

}  // namespace unival::quickstart
