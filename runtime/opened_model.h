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
  // The parsed set, or why it cannot be parsed. Only callers that want tasks return this error;
  // those that load weights do not need the set.
  absl::StatusOr<SharedTemplateSet> set;
};
using StoredTemplates = std::map<std::string, StoredTemplateSet>;  // by file name

// A value; copies share the directory. Thread-safe.
class OpenedModel {
 public:
  // Opens a model directory. `types`: the slot types and metrics that templates may name. A metric
  // that is missing is no error here, because the model's other tasks must stay usable. Errors of
  // ModelDirectory::Open; DataLoss and InvalidArgument for the folder of templates.
  static absl::StatusOr<OpenedModel> Open(const std::string& directory,
                                          const TemplateTypes& types = BuiltinTemplateTypes());
  // Does the same, but does not hash files again that have not changed since their hashes were
  // stored.
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
