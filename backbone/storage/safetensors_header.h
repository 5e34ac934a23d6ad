// unival: safetensors_header.h
//
// The header of a safetensors file, checked to the last byte, without libtorch. Layout of a file:
// eight bytes little-endian header size, a JSON object name -> {dtype, shape, data_offsets}, then
// the tensors' bytes back to back.
//
//   UNIVAL_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensorsHeader(bytes));
//   for (const auto& [name, entry] : header.tensors) ...
#ifndef UNIVAL_BACKBONE_STORAGE_SAFETENSORS_HEADER_H_
#define UNIVAL_BACKBONE_STORAGE_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

enum class SafetensorsDtype { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

// "F32"; the name in the file.
absl::string_view DtypeName(SafetensorsDtype dtype);
int64_t DtypeSize(SafetensorsDtype dtype);

struct SafetensorsEntry {
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  std::vector<int64_t> shape;
  int64_t begin = 0;  // bytes from the start of the file
  int64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
};

// `file` is the whole file. Everything is checked before it is used: sizes and their overflow,
// dtypes, duplicate names, offsets outside the file, overlaps, holes, bytes left over.
// InvalidArgument names tensor, expected and actual.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view file);

// Size prefix and JSON for tensors given with `begin` and `end` relative to the data; padded so
// that data starts at a multiple of 64 bytes. Deterministic.
std::string SerializeSafetensorsHeader(const SafetensorsHeader& header);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_SAFETENSORS_HEADER_H_
