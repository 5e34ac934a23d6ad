// unival: adapter_file.h
//
// An adapter's file says in its metadata what kind it is and what it was trained against, so that
// it can go from hand to hand without its model.
//
//   UNIVAL_ASSIGN_OR_RETURN(const AdapterFile file, ReadAdapterFile("adapter.lora.safetensors"));
//   if (file.record) file.record->backbone_sha256();
#ifndef UNIVAL_BACKBONE_STORAGE_ADAPTER_FILE_H_
#define UNIVAL_BACKBONE_STORAGE_ADAPTER_FILE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/proto/model.pb.h"
#include "sdk/proto/vocabulary.pb.h"

namespace unival {

// Key of the metadata; its value is the AdapterRecord as protobuf text.
constexpr char kAdapterRecordKey[] = "unival.adapter";

// What stands in the metadata of an adapter with this record.
std::map<std::string, std::string> AdapterMetadata(const AdapterRecord& record);

// Nothing where the metadata has no record, as in files of before. InvalidArgument names `file`.
absl::StatusOr<absl::optional<AdapterRecord>> AdapterRecordIn(
    const std::map<std::string, std::string>& metadata, absl::string_view file);

// "connection", or the kind of its configuration.
std::string AdapterKindOf(const AdapterRecord& record);

// The modality whose encoder it was trained against; empty for one that works on the backbone
// alone.
const std::string& AdapterModality(const AdapterRecord& record);

// sha256, hex, over the "core." blocks: ids, sizes and content hashes, in the order of ids. Blocks
// of plugins come and go.
std::string CoreVocabularySha256(const VocabularyLayout& layout);

struct AdapterFile {
  std::string path;
  absl::optional<AdapterRecord> record;  // nothing in files of before
  int64_t bytes = 0;
  int64_t tensors = 0;
  int64_t parameters = 0;  // numbers in all tensors
  std::string sha256;      // of the file
};

// Reads the header, and the bytes once for the hash. Errors as ReadSafetensorsFile.
absl::StatusOr<AdapterFile> ReadAdapterFile(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_ADAPTER_FILE_H_
