#include "backbone/storage/safetensors_header.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/printable.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kPrefix = 8;
constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own bound
constexpr size_t kMaxRank = 32;
constexpr size_t kAlignment = 64;
constexpr char kMetadata[] = "__metadata__";

struct DtypeInfo {
  SafetensorsDtype dtype;
  absl::string_view name;
  int64_t size;
};
constexpr std::array<DtypeInfo, 10> kDtypes = {{
    {SafetensorsDtype::kF64, "F64", 8},
    {SafetensorsDtype::kF32, "F32", 4},
    {SafetensorsDtype::kF16, "F16", 2},
    {SafetensorsDtype::kBF16, "BF16", 2},
    {SafetensorsDtype::kI64, "I64", 8},
    {SafetensorsDtype::kI32, "I32", 4},
    {SafetensorsDtype::kI16, "I16", 2},
    {SafetensorsDtype::kI8, "I8", 1},
    {SafetensorsDtype::kU8, "U8", 1},
    {SafetensorsDtype::kBool, "BOOL", 1},
}};

const DtypeInfo& InfoOf(SafetensorsDtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [&](const DtypeInfo& info) { return info.dtype == dtype; });
}

absl::Status BadTensor(absl::string_view name, absl::string_view message) {
  return InvalidArgument("tensor \"", ShownName(name), "\": ", message);
}

absl::StatusOr<absl::string_view> HeaderText(absl::string_view file) {
  if (file.size() < kPrefix) {
    return InvalidArgument("the file has ", file.size(), " bytes, too few for safetensors");
  }
  const uint64_t size = LittleEndian(file, kPrefix);
  if (size > kMaxHeader || size > file.size() - kPrefix) {
    return InvalidArgument("the header is said to have ", size, " bytes, the file has ",
                           file.size() - kPrefix, " after the size (header bound ", kMaxHeader,
                           "); truncated, or not safetensors");
  }
  return file.substr(kPrefix, size);
}

// Refuses what nlohmann::json accepts without a word: the same key twice, and nesting deeper than
// the format has.
class StrictKeys {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    constexpr int kMaxDepth = 4;
    if (depth > kMaxDepth) problem_ = "nested too deeply";
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Json::parse_event_t::key && !keys_.empty()) AddKey(value);
    return problem_.empty();
  }
  const std::string& problem() const { return problem_; }

 private:
  void AddKey(const Json& value) {
    const std::string key = value.get<std::string>();
    if (!keys_.back().insert(key).second) {
      problem_ = absl::StrCat("\"", ShownName(key), "\" is there twice");
    }
  }

  std::vector<std::set<std::string>> keys_;
  std::string problem_;
};

absl::StatusOr<Json> ParseObject(absl::string_view text) {
  StrictKeys keys;
  const auto see = [&](int depth, Json::parse_event_t event, Json& value) {
    return keys(depth, event, value);
  };
  absl::StatusOr<Json> json = ParseJson<Json>(text, see);
  if (!json.ok()) {
    return InvalidArgument("the header is not JSON: ", absl::CHexEscape(json.status().message()));
  }
  if (!keys.problem().empty()) return InvalidArgument("header: ", keys.problem());
  if (!json->is_object()) return InvalidArgument("the header is not a JSON object");
  return json;
}

absl::StatusOr<SafetensorsDtype> ParseDtype(const std::string& name, const Json& value) {
  for (const DtypeInfo& info : kDtypes) {
    if (value.is_string() && value.get_ref<const std::string&>() == info.name) return info.dtype;
  }
  return BadTensor(
      name, absl::StrCat("dtype ", absl::CHexEscape(value.dump(-1, ' ', true)), " is not one of ",
                         absl::StrJoin(kDtypes, " ", [](std::string* out, auto& info) {
                           absl::StrAppend(out, info.name);
                         })));
}

// Unsigned integers that fit into int64.
absl::StatusOr<std::vector<int64_t>> ParseIntegers(const std::string& name, absl::string_view field,
                                                   const Json& value) {
  std::vector<int64_t> integers;
  bool valid = value.is_array() && value.size() <= kMaxRank;
  for (size_t i = 0; valid && i < value.size(); ++i) {
    valid = value[i].is_number_unsigned() && value[i].get<uint64_t>() <= INT64_MAX;
    if (valid) integers.push_back(value[i].get<int64_t>());
  }
  if (valid) return integers;
  return BadTensor(
      name, absl::StrCat(field, " is not a list of at most ", kMaxRank, " integers in [0, 2^63)"));
}

// Bytes of a tensor; also the product without zeros must fit, since strides are computed from it.
absl::StatusOr<int64_t> ByteCount(const std::string& name, const SafetensorsEntry& entry) {
  int64_t bytes = DtypeSize(entry.dtype);
  bool empty = false;
  for (int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (size != 0 && __builtin_mul_overflow(bytes, size, &bytes)) {
      return BadTensor(name,
                       absl::StrCat("shape ", ShapeText(entry.shape), " has too many elements"));
    }
  }
  return empty ? 0 : bytes;
}

absl::StatusOr<SafetensorsEntry> ParseEntry(const std::string& name, const Json& json,
                                            int64_t data_begin, int64_t data_size) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return BadTensor(name, "expected exactly the fields dtype, shape, data_offsets");
  }
  SafetensorsEntry entry;
  UNIVAL_ASSIGN_OR_RETURN(entry.dtype, ParseDtype(name, json["dtype"]));
  UNIVAL_ASSIGN_OR_RETURN(entry.shape, ParseIntegers(name, "shape", json["shape"]));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets,
                          ParseIntegers(name, "data_offsets", json["data_offsets"]));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_size) {
    return BadTensor(name,
                     absl::StrCat("data_offsets ", ShapeText(offsets), " do not lie within the ",
                                  data_size, " bytes of data; truncated or damaged"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const int64_t bytes, ByteCount(name, entry));
  if (offsets[1] - offsets[0] != bytes) {
    return BadTensor(
        name, absl::StrCat(DtypeName(entry.dtype), " ", ShapeText(entry.shape), " needs ", bytes,
                           " bytes, data_offsets hold ", offsets[1] - offsets[0]));
  }
  entry.begin = data_begin + offsets[0];
  entry.end = data_begin + offsets[1];
  return entry;
}

absl::Status ParseMetadata(const Json& json, std::map<std::string, std::string>* metadata) {
  if (!json.is_object()) return InvalidArgument("__metadata__ is not a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      return InvalidArgument("__metadata__: \"", ShownName(key), "\" is not a string");
    }
    metadata->emplace(key, value.get<std::string>());
  }
  return absl::OkStatus();
}

// Tensors must fill the data exactly: no overlap, no hole, nothing left over.
absl::Status CheckCoverage(const SafetensorsHeader& header, int64_t data_begin, int64_t data_end) {
  std::vector<std::pair<const std::string*, const SafetensorsEntry*>> ordered;
  for (const auto& [name, entry] : header.tensors) ordered.emplace_back(&name, &entry);
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.second->begin, a.second->end) <
           std::make_pair(b.second->begin, b.second->end);
  });
  int64_t end = data_begin;
  for (const auto& [name, entry] : ordered) {
    if (entry->begin != end) {
      return BadTensor(*name, absl::StrCat("its data starts at byte ", entry->begin, ", expected ",
                                           end, ": tensors may neither overlap nor leave holes"));
    }
    end = entry->end;
  }
  if (end == data_end) return absl::OkStatus();
  return InvalidArgument("the tensors end at byte ", end, ", the file at ", data_end);
}

}  // namespace

absl::string_view DtypeName(SafetensorsDtype dtype) { return InfoOf(dtype).name; }
int64_t DtypeSize(SafetensorsDtype dtype) { return InfoOf(dtype).size; }

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view file) {
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view text, HeaderText(file));
  UNIVAL_ASSIGN_OR_RETURN(const Json json, ParseObject(text));
  const int64_t data_begin = static_cast<int64_t>(kPrefix + text.size());
  const int64_t data_end = static_cast<int64_t>(file.size());
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadata) {
      UNIVAL_RETURN_IF_ERROR(ParseMetadata(value, &header.metadata));
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(SafetensorsEntry entry,
                            ParseEntry(name, value, data_begin, data_end - data_begin));
    header.tensors.emplace(name, std::move(entry));
  }
  UNIVAL_RETURN_IF_ERROR(CheckCoverage(header, data_begin, data_end));
  return header;
}

std::string SerializeSafetensorsHeader(const SafetensorsHeader& header) {
  Json json = Json::object();
  if (!header.metadata.empty()) json[kMetadata] = header.metadata;
  for (const auto& [name, entry] : header.tensors) {
    json[name] = {{"dtype", std::string(DtypeName(entry.dtype))},
                  {"shape", entry.shape},
                  {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = json.dump();
  text.append((kAlignment - (kPrefix + text.size()) % kAlignment) % kAlignment, ' ');
  std::string prefix;
  for (uint64_t size = text.size(), i = 0; i < kPrefix; ++i, size >>= 8) {
    prefix.push_back(static_cast<char>(size & 0xff));
  }
  return prefix + text;
}

}  // namespace unival
