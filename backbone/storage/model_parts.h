// unival: model_parts.h
//
// How a model's tensors are cut into components: embedding rows by vocabulary block
// (token_rows.h), adapters with the record of what they were trained against.
//
//   UNIVAL_RETURN_IF_ERROR(CheckAdapter(record, expected, "models/depth"));
#ifndef UNIVAL_BACKBONE_STORAGE_MODEL_PARTS_H_
#define UNIVAL_BACKBONE_STORAGE_MODEL_PARTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/safetensors.h"
#include "sdk/proto/model.pb.h"
#include "sdk/proto/vocabulary.pb.h"

namespace unival {

// The embedding matrix's name in the model's state; the tied decoder tables are the same tensor.
constexpr char kTokenEmbedding[] = "encoder.embed_tokens.weight";
// The one tensor of a tokens.<block> component.
constexpr char kTokenRows[] = "rows";

std::string TokensComponentId(absl::string_view block);       // "tokens.core.bpe"
std::string AdapterComponentId(absl::string_view modality);   // "adapter.depth"
std::string ModalityComponentId(absl::string_view modality);  // "modality.depth"

// Of the host; blocks of plugins come and go.
bool IsCoreBlock(absl::string_view block);

// The tensors that an adapter was trained against and that its record hashes: those of the
// backbone, and of the embedding only the rows of "core." blocks, in the order of their ids. Rows
// of plugins' blocks are left out, so that an adapter can move between models that have other ones.
TensorMap AdapterBase(TensorMap backbone, const VocabularyLayout& layout);

struct AdapterCheckOptions {
  // Accept other encoder or backbone weights than the adapter was trained against; the caller
  // should write that down.
  bool allow_weight_mismatch = false;
};

// Compares what an adapter was trained against with what is here: modality, feature_schema,
// feature_dim, d_model, encoder_sha256, backbone_sha256, schema_version, and, where the record has
// them, vocabulary_sha256 and connection_sha256; `plugin` and the wording of tasks may differ.
// FailedPrecondition starts with `file` and lists every field that differs with both values.
absl::Status CheckAdapter(const AdapterRecord& record, const AdapterRecord& expected,
                          absl::string_view file, const AdapterCheckOptions& options = {});

// Where an adapter's two hashes were found: over these hashes, the core blocks' places in the
// vocabulary, and the file hashes of the backbone, the core token rows, the modality's encoder and
// the connection that it works on among `components`. An adapter file has it in its metadata under
// kFoundIn. While it is the same, the record is known to hold, and no tensor has to be hashed again
// to check it.
constexpr char kFoundIn[] = "unival.found_in";
std::string FoundInSha256(const AdapterRecord& record, const VocabularyLayout& layout,
                          const std::vector<Component>& components);

// What it is called: a connection by its modality, others by their own id.
const std::string& AdapterId(const AdapterRecord& record);

// By its id; null if there is none.
const AdapterRecord* FindAdapter(const Manifest& manifest, absl::string_view id);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_MODEL_PARTS_H_
