#include "backbone/storage/adapter_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/safetensors_header.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"

namespace unival {

std::map<std::string, std::string> AdapterMetadata(const AdapterRecord& record) {
  return {{kAdapterRecordKey, PrintTextProto(record)}};
}

absl::StatusOr<absl::optional<AdapterRecord>> AdapterRecordIn(
    const std::map<std::string, std::string>& metadata, absl::string_view file) {
  const auto found = metadata.find(kAdapterRecordKey);
  if (found == metadata.end()) return absl::optional<AdapterRecord>();
  AdapterRecord record;
  UNIVAL_RETURN_IF_ERROR(
      ParseTextProto(found->second, absl::StrCat(file, ": ", kAdapterRecordKey), &record));
  return absl::make_optional(std::move(record));
}

std::string AdapterKindOf(const AdapterRecord& record) {
  return record.has_config() ? record.config().kind() : "connection";
}

const std::string& AdapterModality(const AdapterRecord& record) {
  return record.has_config() ? record.config().modality() : record.modality();
}

std::string CoreVocabularySha256(const VocabularyLayout& layout) {
  std::map<std::string, const VocabularyBlock*> core;
  for (const VocabularyBlock& block : layout.blocks()) {
    if (IsCoreBlock(block.id())) core[block.id()] = &block;
  }
  Sha256 hash;
  hash.UpdateField("unival core vocabulary 1");
  for (const auto& [id, block] : core) {
    hash.UpdateField(id);
    hash.UpdateInteger(static_cast<uint64_t>(BlockSize(*block)));
    hash.UpdateField(block->content_hash());
  }
  return hash.HexDigest();
}

absl::StatusOr<AdapterFile> ReadAdapterFile(const std::string& path) {
  AdapterFile adapter;
  adapter.path = path;
  UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(path));
  UNIVAL_ASSIGN_OR_RETURN(adapter.record, AdapterRecordIn(file->metadata(), path));
  for (const auto& [name, entry] : file->tensors()) {
    ++adapter.tensors;
    adapter.parameters += static_cast<int64_t>(entry.end - entry.begin) /
                          static_cast<int64_t>(DtypeSize(entry.dtype));
  }
  std::error_code error;
  adapter.bytes = static_cast<int64_t>(std::filesystem::file_size(path, error));
  UNIVAL_ASSIGN_OR_RETURN(adapter.sha256, Sha256HexOfFile(path));
  return adapter;
}

}  // namespace unival
