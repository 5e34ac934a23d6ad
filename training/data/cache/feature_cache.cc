#include "training/data/cache/feature_cache.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/cache/file_lock.h"

namespace unival {
namespace {

constexpr char kFileMagic[8] = {'U', 'V', 'F', 'E', 'A', 'T', '0', '1'};
constexpr uint32_t kRecordMagic = 0x43455246;
constexpr int64_t kAlignment = 64;
constexpr int64_t kFirstRecord = 64;
constexpr int kTensors = 3;  // values, padding, positions
constexpr int kMaxDims = 4;

struct TensorHeader {
  int32_t scalar_type = -1;  // c10::ScalarType; -1: undefined
  int32_t dims = 0;
  int64_t sizes[kMaxDims] = {};
  int64_t offset = 0;  // from the start of the record
};

struct RecordHeader {
  uint32_t magic = kRecordMagic;
  uint32_t reserved = 0;
  char key[64] = {};
  int64_t bytes = 0;  // header and payload
  uint64_t payload_hash = 0;
  TensorHeader tensors[kTensors];
  uint64_t header_hash = 0;  // of all before
};

constexpr int64_t kHeaderBytes = (sizeof(RecordHeader) + kAlignment - 1) / kAlignment * kAlignment;

int64_t Align(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

uint64_t HeaderHash(const RecordHeader& header) {
  return XXH64(&header, offsetof(RecordHeader, header_hash), 0);
}

// Whether a tensor lies inside its record. The checksum does not make this needless: it detects
// accidents, not a file that was forged.
bool Fits(const TensorHeader& tensor, int64_t record_bytes) {
  if (tensor.scalar_type == -1) return true;
  constexpr int32_t kTypes = static_cast<int32_t>(at::ScalarType::NumOptions);
  if (tensor.scalar_type < 0 || tensor.scalar_type >= kTypes) return false;
  const auto type = static_cast<at::ScalarType>(tensor.scalar_type);
  if (!at::isFloatingType(type) && !at::isIntegralType(type, /*includeBool=*/true)) return false;
  if (tensor.dims < 0 || tensor.dims > kMaxDims) return false;
  if (tensor.offset < kHeaderBytes || tensor.offset > record_bytes ||
      tensor.offset % kAlignment != 0) {
    return false;
  }
  const int64_t* const sizes_end = tensor.sizes + tensor.dims;
  const bool is_empty = std::find(tensor.sizes, sizes_end, 0) != sizes_end;
  int64_t room = (record_bytes - tensor.offset) / static_cast<int64_t>(at::elementSize(type));
  if (is_empty) room = std::max<int64_t>(room, 1);
  for (const int64_t* size = tensor.sizes; size != sizes_end; ++size) {
    if (*size < 0) return false;
    room /= std::max<int64_t>(*size, 1);
  }
  return room >= 1;
}

// Whether the header is intact and its record ends within `room` bytes, all tensors inside it.
bool Fits(const RecordHeader& header, int64_t room) {
  if (header.magic != kRecordMagic || header.header_hash != HeaderHash(header)) return false;
  if (header.bytes < kHeaderBytes || header.bytes > room || header.bytes % kAlignment != 0) {
    return false;
  }
  return header.tensors[0].scalar_type >= 0 &&
         std::all_of(std::begin(header.tensors), std::end(header.tensors),
                     [&](const TensorHeader& tensor) { return Fits(tensor, header.bytes); });
}

std::string KeyOf(const RecordHeader& header) {
  return std::string(header.key, strnlen(header.key, sizeof(header.key)));
}

absl::Status CacheError(const std::string& path, absl::string_view what) {
  return Annotate(SystemError(path, what, errno), "feature cache");
}

absl::Status WriteAll(int file, const std::string& path, const char* data, int64_t size,
                      int64_t offset) {
  while (size > 0) {
    ssize_t written = pwrite(file, data, size, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return CacheError(path, "cannot write");
    data += written, size -= written, offset += written;
  }
  return absl::OkStatus();
}

absl::Status ReadHeader(int file, int64_t offset, RecordHeader* header, const std::string& path) {
  return ReadBytesAt(file, offset, reinterpret_cast<char*>(header), sizeof(*header), path);
}

absl::StatusOr<int64_t> SizeOf(int file, const std::string& path) {
  struct stat info;
  if (fstat(file, &info) != 0) return CacheError(path, "cannot examine");
  return static_cast<int64_t>(info.st_size);
}

// Reads a record's header and payload. False when the record is damaged or no longer there, since
// another process may have changed the file after it was opened. `end`: where the records end.
bool ReadRecord(int file, int64_t offset, int64_t end, RecordHeader* header, at::Tensor* payload) {
  if (!ReadHeader(file, offset, header, "").ok() || !Fits(*header, end - offset)) return false;
  const int64_t size = header->bytes - kHeaderBytes;
  *payload = at::empty({size}, at::kByte);
  char* const bytes = static_cast<char*>(payload->data_ptr());
  return ReadBytesAt(file, offset + kHeaderBytes, bytes, size, "").ok() &&
         XXH64(bytes, size, 0) == header->payload_hash;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FeatureCache>> FeatureCache::Open(
    const std::string& directory, const std::string& modality, const std::string& identity,
    absl::optional<int64_t> most_bytes) {
  UNIVAL_RETURN_IF_ERROR(Annotate(MakeFolders(directory), "feature cache"));
  auto cache = std::unique_ptr<FeatureCache>(new FeatureCache);
  cache->path_ =
      absl::StrCat(directory, "/", modality, "-", identity.substr(0, 16), kFeatureCacheExtension);
  cache->most_bytes_ = most_bytes;
  cache->file_ = open(cache->path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (cache->file_ < 0) return CacheError(cache->path_, "cannot open");
  UNIVAL_ASSIGN_OR_RETURN(const auto lock,
                          Annotate(FileLock::Take(cache->file_, cache->path_), "feature cache"));
  absl::MutexLock own(&cache->mutex_);
  UNIVAL_RETURN_IF_ERROR(cache->ReadIndex());
  return cache;
}

FeatureCache::~FeatureCache() {
  if (file_ >= 0) close(file_);
}

absl::Status FeatureCache::ReadIndex() {
  entries_.clear();
  UNIVAL_ASSIGN_OR_RETURN(const int64_t size, SizeOf(file_, path_));
  if (size < kFirstRecord) {
    char head[kFirstRecord] = {};
    std::memcpy(head, kFileMagic, sizeof(kFileMagic));
    if (ftruncate(file_, 0) != 0) return CacheError(path_, "cannot truncate");
    end_ = kFirstRecord;
    return WriteAll(file_, path_, head, sizeof(head), 0);
  }
  char head[sizeof(kFileMagic)] = {};
  UNIVAL_RETURN_IF_ERROR(ReadBytesAt(file_, 0, head, sizeof(head), path_));
  if (std::memcmp(head, kFileMagic, sizeof(kFileMagic)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("feature cache ", path_, ": not a feature cache of this version; remove it"));
  }
  end_ = kFirstRecord;
  UNIVAL_RETURN_IF_ERROR(ReadNewRecords());
  if (end_ < size && ftruncate(file_, end_) != 0) return CacheError(path_, "cannot truncate");
  return absl::OkStatus();
}

// Stops at a record that is still being written, as it does at one that was never finished.
absl::Status FeatureCache::ReadNewRecords() {
  UNIVAL_ASSIGN_OR_RETURN(const int64_t size, SizeOf(file_, path_));
  while (end_ + kHeaderBytes <= size) {
    RecordHeader header;
    UNIVAL_RETURN_IF_ERROR(ReadHeader(file_, end_, &header, path_));
    if (!Fits(header, size - end_)) break;
    entries_[KeyOf(header)] = end_;
    end_ += header.bytes;
  }
  return absl::OkStatus();
}

absl::optional<ModalityFeatures> FeatureCache::Find(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end() && ReadNewRecords().ok()) found = entries_.find(key);
  if (found == entries_.end()) return absl::nullopt;
  RecordHeader header;
  at::Tensor payload;
  if (!ReadRecord(file_, found->second, end_, &header, &payload)) {
    entries_.erase(found);
    return absl::nullopt;
  }
  at::Tensor tensors[kTensors];
  for (int i = 0; i < kTensors; ++i) {
    const TensorHeader& tensor = header.tensors[i];
    if (tensor.scalar_type < 0) continue;
    tensors[i] = at::from_blob(
        static_cast<char*>(payload.data_ptr()) + (tensor.offset - kHeaderBytes),
        at::IntArrayRef(tensor.sizes, tensor.dims), [payload](void*) {},
        at::TensorOptions().dtype(static_cast<at::ScalarType>(tensor.scalar_type)));
  }
  return ModalityFeatures{tensors[0], tensors[1], tensors[2]};
}

absl::Status FeatureCache::Add(const std::string& key, const ModalityFeatures& features) {
  RecordHeader header;
  if (key.size() > sizeof(header.key)) {
    return absl::InvalidArgumentError(absl::StrCat("feature cache: key of ", key.size(), " bytes"));
  }
  std::memcpy(header.key, key.data(), key.size());
  header.bytes = kHeaderBytes;
  at::Tensor tensors[kTensors] = {features.values, features.padding, features.positions};
  for (int i = 0; i < kTensors; ++i) {
    if (!tensors[i].defined()) continue;
    if (tensors[i].dim() > kMaxDims)
      return absl::InvalidArgumentError("feature cache: rank above 4");
    tensors[i] = tensors[i].contiguous();
    header.tensors[i].scalar_type = static_cast<int32_t>(tensors[i].scalar_type());
    header.tensors[i].dims = static_cast<int32_t>(tensors[i].dim());
    std::copy(tensors[i].sizes().begin(), tensors[i].sizes().end(), header.tensors[i].sizes);
    header.tensors[i].offset = header.bytes;
    header.bytes += Align(static_cast<int64_t>(tensors[i].nbytes()));
  }
  std::vector<char> record(header.bytes, 0);
  for (int i = 0; i < kTensors; ++i) {
    if (!tensors[i].defined()) continue;
    std::memcpy(record.data() + header.tensors[i].offset, tensors[i].data_ptr(),
                tensors[i].nbytes());
  }
  header.payload_hash = XXH64(record.data() + kHeaderBytes, header.bytes - kHeaderBytes, 0);
  header.header_hash = HeaderHash(header);
  std::memcpy(record.data(), &header, sizeof(header));

  absl::MutexLock lock(&mutex_);
  return Append(key, record);
}

absl::Status FeatureCache::Append(const std::string& key, const std::vector<char>& record) {
  UNIVAL_ASSIGN_OR_RETURN(const auto lock, Annotate(FileLock::Take(file_, path_), "feature cache"));
  UNIVAL_ASSIGN_OR_RETURN(const int64_t size, SizeOf(file_, path_));
  const bool was_there = entries_.count(key) > 0;
  // A file that is shorter than before was cut by somebody, so its index is read again.
  UNIVAL_RETURN_IF_ERROR(size < end_ ? ReadIndex() : ReadNewRecords());
  if (!was_there && entries_.count(key) > 0) return absl::OkStatus();
  // This process has the lock, so what stands after the last record is a write that was never
  // finished.
  if (size > end_ && ftruncate(file_, end_) != 0) return CacheError(path_, "cannot truncate");
  const auto bytes = static_cast<int64_t>(record.size());
  if (!HasRoomFor(bytes)) return absl::OkStatus();
  UNIVAL_RETURN_IF_ERROR(WriteAll(file_, path_, record.data(), bytes, end_));
  entries_[key] = end_;
  end_ += bytes;
  return absl::OkStatus();
}

int64_t FeatureCache::size() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(entries_.size());
}

absl::StatusOr<std::string> FeatureIdentity(const Model& model, const std::string& id) {
  UNIVAL_ASSIGN_OR_RETURN(Modality * modality, model.RequireModality(id));
  const ModalityInfo& info = modality->info();
  std::string weights;
  if (modality->module() != nullptr) {
    UNIVAL_ASSIGN_OR_RETURN(weights, model.PartHash("modality." + info.id));
  }
  Sha256 hash;
  for (const std::string& field :
       {info.id, info.type, info.feature_schema, modality->preprocessing_fingerprint(), weights}) {
    hash.UpdateField(field);
  }
  return hash.HexDigest();
}

}  // namespace unival
