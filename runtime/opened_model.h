// unival: opened_model.h
//
// A model directory of which manifest and task templates have been read, and nothing of the
// weights: what there is to look at before it is decided what to load.
//
//   UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened, OpenedModel::Open("models/nano"));
//   ModelLoadOptions load;
//   load.all_modalities = false;
//   load.modalities = {opened.manifest().modality(0).id()};
//   UNIVAL_ASSIGN_OR_RETURN(auto model, Model::Load(opened, runtime, load));
#ifndef UNIVAL_RUNTIME_OPENED_MODEL_H_
#define UNIVAL_RUNTIME_OPENED_MODEL_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sdk/proto/model.pb.h"
#include "tasks/templates/template_set.h"

namespace unival {

class KnownHashes;
class ModelDirectory;

// A template set that belongs to a model, parsed once however many ask for it.
struct StoredTemplateSet {
  std::string text;  // the file, written back as it is
  // What it says, or why it cannot be read: an error for who wants tasks, not for who loads
  // weights.
  absl::StatusOr<SharedTemplateSet> set;
};
using StoredTemplates = std::map<std::string, StoredTemplateSet>;  // by file name

// A value; copies share the directory. Thread-safe.
class OpenedModel {
 public:
  // `types`: what the templates may name. A metric that is not there does not matter here: it must
  // not keep the model's other tasks from being used. Errors as of ModelDirectory::Open; DataLoss
  // and InvalidArgument for the folder of templates.
  static absl::StatusOr<OpenedModel> Open(const std::string& directory,
                                          const TemplateTypes& types = BuiltinTemplateTypes());
  // The same; files whose hashes are known, and that have not changed since, are not hashed again.
  static absl::StatusOr<OpenedModel> Open(const std::string& directory, const TemplateTypes& types,
                                          std::shared_ptr<KnownHashes> known_hashes);

  const Manifest& manifest() const;
  const StoredTemplates& templates() const { return templates_; }
  const std::shared_ptr<const ModelDirectory>& directory() const { return directory_; }

 private:
  OpenedModel() = default;
  std::shared_ptr<const ModelDirectory> directory_;
  StoredTemplates templates_;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_OPENED_MODEL_H_
