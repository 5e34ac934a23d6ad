#include "training/data/check/prompt_add.h"

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "runtime/model.h"
#include "runtime/opened_model.h"
#include "runtime/template_hashes.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_set.h"

namespace unival {
namespace {

absl::Status CheckClashes(const StoredTemplates& stored, const LoadedTemplateSet& added,
                          const std::string& name, const std::string& model) {
  for (const auto& [file, entry] : stored) {
    UNIVAL_RETURN_IF_ERROR(entry.set.status());
    for (const LoadedTemplate& task : added.tasks) {
      const LoadedTemplate* same = (*entry.set)->Find(task.proto.name());
      if (same == nullptr) continue;
      return absl::AlreadyExistsError(absl::StrCat(task.Where("name"), "the model ", model,
                                                   " has a task of this name in its set ", file,
                                                   "; give it another name"));
    }
  }
  if (stored.count(name) == 0) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(added.file, ": the model ", model,
                                               " stores a set in a file of this name; rename it"));
}

}  // namespace

absl::Status AddPromptSet(const std::string& model, const std::string& set,
                          const std::string& output, const TemplateTypes& types) {
  UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet added, LoadTemplateSet(set, types));
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened, OpenedModel::Open(model, types));
  std::string name = set.substr(set.rfind('/') + 1);
  if (!absl::EndsWith(name, ".textproto")) name += ".textproto";
  UNIVAL_RETURN_IF_ERROR(CheckClashes(opened.templates(), added, name, model));
  StoredTemplates all = opened.templates();
  std::string text = TemplateSetText(added);
  all.emplace(name, StoredTemplateSet{std::move(text),
                                      std::make_shared<const LoadedTemplateSet>(std::move(added))});
  std::map<std::string, std::string> files;
  for (const auto& [file, entry] : all) files[file] = entry.text;

  const std::string target = output.empty() ? model : output;
  UNIVAL_ASSIGN_OR_RETURN(auto writer,
                          ModelDirectoryWriter::Create(target, {/*overwrite=*/target == model}));
  const ModelDirectory& from = *opened.directory();
  for (const std::string& id : from.ComponentIds()) {
    if (id != kTemplatesComponent) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(from, id));
  }
  UNIVAL_RETURN_IF_ERROR(writer->AddFolder(kTemplatesComponent, files));
  Manifest manifest = opened.manifest();
  manifest.set_template_set_hash(StoredTemplatesHash(all));
  manifest.add_lineage()->set_command(absl::StrCat("prompts add ", name));
  return writer->Commit(manifest);
}

}  // namespace unival
