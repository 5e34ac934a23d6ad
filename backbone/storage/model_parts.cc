#include "backbone/storage/model_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/sha256.h"

namespace unival {
namespace {

// Blocks of the host; those of plugins come and go.
constexpr char kCore[] = "core.";

void Compare(absl::string_view field, const std::string& actual, const std::string& expected,
             std::vector<std::string>* lines) {
  if (actual == expected) return;
  lines->push_back(
      absl::StrCat(field, ": the adapter has \"", actual, "\", this model has \"", expected, "\""));
}

}  // namespace

bool IsCoreBlock(absl::string_view block) { return absl::StartsWith(block, kCore); }

std::string TokensComponentId(absl::string_view block) { return absl::StrCat("tokens.", block); }
std::string AdapterComponentId(absl::string_view id) { return absl::StrCat("adapter.", id); }
std::string ModalityComponentId(absl::string_view id) { return absl::StrCat("modality.", id); }

TensorMap AdapterBase(TensorMap backbone, const VocabularyLayout& layout) {
  std::map<int64_t, int64_t> core;  // begin -> size of the extents
  int64_t rows = 0;
  for (const VocabularyBlock& block : layout.blocks()) {
    if (!IsCoreBlock(block.id())) continue;
    for (const VocabularyExtent& extent : block.extents()) {
      core[extent.begin()] = extent.size();
      rows += extent.size();
    }
  }
  at::Tensor& embedding = backbone.at(kTokenEmbedding);
  if (rows == embedding.size(0)) return backbone;
  std::vector<at::Tensor> parts;
  for (const auto& [begin, size] : core) parts.push_back(embedding.narrow(0, begin, size));
  embedding = at::cat(parts);
  return backbone;
}

absl::Status CheckAdapter(const AdapterRecord& record, const AdapterRecord& expected,
                          absl::string_view file, const AdapterCheckOptions& options) {
  if (record.schema_version() > kAdapterSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, ": adapter \"", AdapterId(record), "\": schema_version ", record.schema_version(),
        " is newer than this program's ", kAdapterSchemaVersion, "; use a newer release"));
  }
  std::vector<std::string> lines;
  Compare("modality", record.modality(), expected.modality(), &lines);
  Compare("feature_schema", record.feature_schema(), expected.feature_schema(), &lines);
  Compare("feature_dim", absl::StrCat(record.feature_dim()), absl::StrCat(expected.feature_dim()),
          &lines);
  Compare("d_model", absl::StrCat(record.d_model()), absl::StrCat(expected.d_model()), &lines);
  Compare("schema_version", absl::StrCat(record.schema_version()),
          absl::StrCat(kAdapterSchemaVersion), &lines);
  if (!record.vocabulary_sha256().empty()) {
    Compare("vocabulary_sha256", record.vocabulary_sha256(), expected.vocabulary_sha256(), &lines);
  }
  if (!options.allow_weight_mismatch) {
    Compare("encoder_sha256", record.encoder_sha256(), expected.encoder_sha256(), &lines);
    Compare("backbone_sha256", record.backbone_sha256(), expected.backbone_sha256(), &lines);
    if (!record.connection_sha256().empty()) {
      Compare("connection_sha256", record.connection_sha256(), expected.connection_sha256(),
              &lines);
    }
  }
  if (lines.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(file, ": adapter \"", AdapterId(record),
                   "\" was trained against something else; train it for this model, or use the "
                   "model and plugin that it was made with:\n  ",
                   absl::StrJoin(lines, "\n  ")));
}

std::string FoundInSha256(const AdapterRecord& record, const VocabularyLayout& layout,
                          const std::vector<Component>& components) {
  Sha256 hash;
  hash.UpdateField("unival found in 1");
  hash.UpdateField(record.encoder_sha256());
  hash.UpdateField(record.backbone_sha256());
  for (const VocabularyBlock& block : layout.blocks()) {
    if (!IsCoreBlock(block.id())) continue;
    hash.UpdateField(block.id());
    for (const VocabularyExtent& extent : block.extents()) {
      hash.UpdateInteger(static_cast<uint64_t>(extent.begin()));
      hash.UpdateInteger(static_cast<uint64_t>(extent.size()));
    }
  }
  std::map<std::string, std::string> files;
  for (const Component& component : components) {
    const std::string& id = component.id();
    const std::string& modality = AdapterModality(record);
    const bool is_connection = record.has_config() && id == AdapterComponentId(modality);
    if (id == "backbone" || id == ModalityComponentId(modality) || is_connection ||
        absl::StartsWith(id, TokensComponentId(kCore))) {
      files[id] = component.sha256();
    }
  }
  for (const auto& [id, sha256] : files) {
    hash.UpdateField(id);
    hash.UpdateField(sha256);
  }
  return hash.HexDigest();
}

const std::string& AdapterId(const AdapterRecord& record) {
  return record.has_config() ? record.config().id() : record.modality();
}

const AdapterRecord* FindAdapter(const Manifest& manifest, absl::string_view id) {
  for (const AdapterRecord& record : manifest.adapter()) {
    if (AdapterId(record) == id) return &record;
  }
  return nullptr;
}

}  // namespace unival
