#include "runtime/files_read.h"

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "runtime/plugin_files.h"

namespace unival {
namespace {

void Append(const std::vector<std::string>& files, std::vector<std::string>* all) {
  all->insert(all->end(), files.begin(), files.end());
}

}  // namespace

std::vector<std::string> FilesOfModel(const std::string& directory) {
  if (directory.empty()) return {};
  const auto model = ModelDirectory::Open(directory);
  if (!model.ok()) return {directory};
  std::vector<std::string> files = {absl::StrCat(directory, "/", kManifestFile)};
  for (const std::string& id : (*model)->ComponentIds()) files.push_back((*model)->FileOf(id));
  return files;
}

std::vector<std::string> FilesOfRuntime(const RuntimeOptions& options) {
  std::vector<std::string> files;
  for (const std::string& name : options.plugins) files.push_back(ParseNamedPlugin(name).file);
  for (const std::string& folder : options.plugin_paths) {
    const auto found = PluginFilesOf(folder);
    if (found.ok()) Append(*found, &files);
  }
  return files;
}

std::vector<std::string> FilesOfPipeline(const PipelineOptions& options) {
  std::vector<std::string> files = FilesOfModel(options.model);
  Append(options.templates, &files);
  Append(options.load.adapter_files, &files);
  Append(FilesOfRuntime(options.runtime), &files);
  return files;
}

}  // namespace unival
