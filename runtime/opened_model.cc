#include "runtime/opened_model.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "runtime/model.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

StoredTemplateSet Parse(std::string text, const std::string& file, const TemplateTypes& types) {
  absl::StatusOr<LoadedTemplateSet> set =
      ParseTemplateSet(text, file, "", {types.slots, /*metrics=*/nullptr});
  if (!set.ok()) return {std::move(text), set.status()};
  return {std::move(text), std::make_shared<const LoadedTemplateSet>(*std::move(set))};
}

absl::StatusOr<StoredTemplates> ReadTemplates(const ModelDirectory& directory,
                                              const TemplateTypes& types) {
  StoredTemplates templates;
  if (!directory.HasComponent(kTemplatesComponent)) return templates;
  UNIVAL_ASSIGN_OR_RETURN(const std::string folder, directory.ComponentPath(kTemplatesComponent));
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".textproto") continue;
    const std::string name = entry->path().filename().string();
    UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(entry->path().string()));
    templates.emplace(name, Parse(std::move(text), name, types));
  }
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(
        folder, ": expected a folder of task templates, got: ", error.message(),
        "; restore the component \"", kTemplatesComponent, "\" or take it out of the manifest"));
  }
  return templates;
}

}  // namespace

absl::StatusOr<OpenedModel> OpenedModel::Open(const std::string& directory,
                                              const TemplateTypes& types) {
  return Open(directory, types, nullptr);
}

absl::StatusOr<OpenedModel> OpenedModel::Open(const std::string& directory,
                                              const TemplateTypes& types,
                                              std::shared_ptr<KnownHashes> known_hashes) {
  OpenedModel opened;
  ModelDirectoryOptions options;
  options.known_hashes = std::move(known_hashes);
  UNIVAL_ASSIGN_OR_RETURN(opened.directory_, ModelDirectory::Open(directory, options));
  UNIVAL_ASSIGN_OR_RETURN(opened.templates_, ReadTemplates(*opened.directory_, types));
  return opened;
}

const Manifest& OpenedModel::manifest() const { return directory_->manifest(); }

}  // namespace unival
