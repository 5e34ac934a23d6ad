// unival: model.h
//
// A whole model in memory: backbone, vocabulary, tokenizer, modalities and their connections, as a
// model directory holds them. Everything above (pipeline, training, serving) works on this object.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto model, Model::Load("models/nano", runtime));
//   Modality* image = model->modality("image");
//
// Thread-compatible: const methods may be called concurrently; encoding, training and saving are
// for one thread at a time.
#ifndef UNIVAL_RUNTIME_MODEL_H_
#define UNIVAL_RUNTIME_MODEL_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/input_size.h"
#include "runtime/named_tensor.h"
#include "runtime/opened_model.h"
#include "runtime/runtime.h"
#include "sdk/native/modality.h"
#include "sdk/native/tokenizer.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/model.pb.h"

namespace unival {

class ModelDirectory;
class Backbone;

// The component of a model directory that holds its template sets.
constexpr char kTemplatesComponent[] = "templates";

struct ModelLoadOptions {
  std::string device = "cpu";
  // Only these modalities are loaded (with connection and encoder weights); `all_modalities`
  // overrides the list.
  bool all_modalities = true;
  std::vector<std::string> modalities;
  bool allow_adapter_mismatch = false;
  // Adapter files (".safetensors") that are attached beside those of the directory.
  std::vector<std::string> adapter_files;
  // Ids of adapters of the directory that are left out, or "all"; connections belong to their
  // modalities and always come.
  std::vector<std::string> without_adapters;
  // Modality id -> size of what its encoder sees in place of the stored one, "480x480"
  // (SetInputSize). The position table is spread over a larger grid. A modality that is not loaded
  // keeps its size.
  std::map<std::string, std::string> input_sizes;
  // Modality id -> options in place of the stored ones, by key ("augment": "rand_augment"). The
  // model then states them.
  std::map<std::string, std::map<std::string, std::string>> modality_options;
};

class Model {
 public:
  // Errors name the file, the field, what was expected and what was found. The number of threads is
  // left as the caller set it.
  static absl::StatusOr<std::unique_ptr<Model>> Load(const std::string& directory,
                                                     const Runtime& runtime,
                                                     const ModelLoadOptions& options = {});
  // The same for a directory whose manifest and templates the caller has looked at.
  static absl::StatusOr<std::unique_ptr<Model>> Load(const OpenedModel& opened,
                                                     const Runtime& runtime,
                                                     const ModelLoadOptions& options = {});
  // Fresh random weights from `seed`, for pretraining and controls. `tokenizer_directory` holds the
  // tokenizer's files.
  static absl::StatusOr<std::unique_ptr<Model>> CreateFresh(const Manifest& manifest,
                                                            const std::string& tokenizer_directory,
                                                            uint64_t seed, const Runtime& runtime);
  ~Model();

  // Where parts of a modality that is added begin: each a loaded modality's id, or a
  // ".safetensors" file; empty: fresh, from `seed`.
  struct ModalityStart {
    // The encoder's weights: same names and shapes, otherwise an error listing the tensors.
    std::string encoder_from;
    // The connection's positions, bias and type row, where both have one; its map is fresh. Places
    // that the backbone has learned to read serve any modality.
    std::string positions_from;
    uint64_t seed = 0;
  };

  // Adds a modality with a connection of its own.
  absl::Status AddModality(const ModalityConfig& modality, const ConnectionConfig& connection,
                           const ModalityStart& start);

  // Adds a fresh adapter beside the weights, which stay. Errors name the field.
  absl::Status AddAdapter(const AdapterConfig& config, uint64_t seed);
  // Attaches one from a file of a model directory (docs/formats/adapter.md). FailedPrecondition
  // lists how this model differs from what it was trained against; InvalidArgument for a file that
  // does not say what it is.
  absl::Status LoadAdapter(const std::string& file, bool allow_mismatch = false);
  // Takes one away: what is left answers, to the bit, as it did before. NotFound lists those there
  // are.
  absl::Status RemoveAdapter(const std::string& id);
  // Without connections, in the order in which they are attached.
  std::vector<std::string> adapter_ids() const;

  // Writes a model directory (temporary name, sync, rename). `half` stores floating tensors as
  // float16.
  absl::Status Save(const std::string& directory, const Lineage& lineage, bool half) const;

  Backbone& backbone() const { return *backbone_; }
  const VocabularyView& vocabulary() const { return *vocabulary_; }
  const Manifest& manifest() const { return manifest_; }
  const Runtime& runtime() const { return *runtime_; }
  // Returns null when the model does not hold it, or when it was not loaded.
  Modality* modality(const std::string& id) const;
  std::vector<std::string> modality_ids() const;
  // Includes those that were not loaded.
  std::vector<std::string> known_modalities() const;
  // NotFound names the modality, what is loaded, and the remedy.
  absl::StatusOr<Modality*> RequireModality(const std::string& id) const;

  // All parameters and buffers, sorted by name; the tensors are the live ones. Those of adapters
  // are "adapter.ID.NAME".
  std::vector<NamedTensor> State() const;
  // Content hash (sha256, hex) of one part: "backbone", "modality.image", "connection.depth".
  absl::StatusOr<std::string> PartHash(const std::string& part) const;
  // The hash by which adapters and lineages name these weights.
  // It takes a pass over all of them.
  absl::StatusOr<std::string> BackboneHash() const;

  // Template sets stored with the model, labels inlined.
  const StoredTemplates& templates() const { return templates_; }
  // Replaces what is stored under that name.
  void AddTemplates(const std::string& file_name, SharedTemplateSet set);

  void SetTraining(bool training);  // the whole model
  // Rounds every floating tensor to float16 precision in place, so that a model that will be saved
  // as float16 is measured as it will be saved.
  void RoundToHalf();
  absl::Status To(const std::string& device);
  at::Device device() const { return device_; }

 private:
  Model() = default;
  absl::Status CreateVocabulary();
  absl::Status CreateBackbone();
  absl::Status CreateModality(const ModalityConfig& config);
  absl::Status CreateConnection(ConnectionConfig* config);
  // `config` may leave things out; what was attached is returned.
  absl::StatusOr<AdapterConfig> CreateAdapter(const AdapterConfig& config);
  std::map<std::string, at::Tensor> PartTensors(const std::string& part) const;
  // Of the part "`part`.`from`", or of the file `from`, as ModalityStart says.
  absl::StatusOr<std::map<std::string, at::Tensor>> TensorsFrom(const std::string& part,
                                                                const std::string& from) const;
  // Steps of Load and Save.
  std::string ManifestPath() const;
  absl::Status LoadParts(const std::vector<std::string>& wanted, const ModelLoadOptions& options);
  absl::StatusOr<std::vector<std::string>> Wanted(const ModelLoadOptions& options) const;
  absl::Status LoadPart(const std::string& part, const std::string& component);
  absl::Status CheckNamedModalities(const ModelLoadOptions& options) const;
  absl::Status LoadModality(const ModelLoadOptions& options, ModalityConfig* config);
  absl::Status SpreadPositionsOf(const ConnectionConfig& connection);
  absl::Status CheckAdapters(bool allow_mismatch) const;
  // These take BackboneHash once for callers that hand on the same `base_hash`.
  absl::StatusOr<AdapterRecord> DescribeConnection(const std::string& modality,
                                                   std::string* base_hash) const;
  absl::StatusOr<AdapterRecord> DescribeAdapter(const AdapterConfig& config,
                                                std::string* base_hash) const;
  // What everything bound to this model has in its record.
  absl::Status DescribeBase(AdapterRecord* record, std::string* base_hash) const;
  absl::Status LoadAdapters(const ModelLoadOptions& options,
                            const std::vector<std::string>& wanted);
  absl::StatusOr<Manifest> ManifestToSave(const Lineage& lineage) const;

  const Runtime* runtime_ = nullptr;
  at::Device device_ = at::kCPU;
  Manifest manifest_;
  std::string tokenizer_directory_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const VocabularyView> vocabulary_;
  StoredTemplates templates_;
  std::shared_ptr<Backbone> backbone_;
  std::map<std::string, std::unique_ptr<Modality>> modalities_;
  std::map<std::string, ResizedInput> resized_;  // modalities with another size than stored
  // Where the model came from, and the components there that were not loaded: carried through load
  // and save byte for byte.
  std::shared_ptr<const ModelDirectory> origin_;
  std::vector<std::string> carried_;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_MODEL_H_
