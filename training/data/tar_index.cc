#include "training/data/tar_index.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/unpacked_file.h"

namespace unival {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kMaxMemberSize = uint64_t{1} << 48;  // far above any file, far below overflow

// Fields of a ustar header: offset and length.
struct Field {
  size_t offset, length;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kPrefix{345, 155};
constexpr size_t kTypeOffset = 156, kMagicOffset = 257;

absl::string_view Bytes(absl::string_view header, Field field) {
  return header.substr(field.offset, field.length);
}

absl::string_view Text(absl::string_view header, Field field) {
  const absl::string_view bytes = Bytes(header, field);
  return bytes.substr(0, bytes.find('\0'));
}

// Octal digits with blanks around, or GNU's base 256 (first byte 0x80).
absl::optional<uint64_t> Number(absl::string_view bytes) {
  uint64_t value = 0;
  if (!bytes.empty() && static_cast<unsigned char>(bytes[0]) == 0x80) {
    for (const char c : bytes.substr(1)) {
      if (value >> 56 != 0) return absl::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  bytes = absl::StripAsciiWhitespace(bytes.substr(0, bytes.find('\0')));
  for (const char c : bytes) {
    if (c < '0' || c > '7' || value >> 60 != 0) return absl::nullopt;
    value = value << 3 | static_cast<uint64_t>(c - '0');
  }
  return value;
}

bool ChecksumMatches(absl::string_view header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return Number(Bytes(header, kChecksum)) == sum;
}

std::string HeaderName(absl::string_view header) {
  const absl::string_view prefix =
      absl::StartsWith(header.substr(kMagicOffset), "ustar") && header[kMagicOffset + 5] == '\0'
          ? Text(header, kPrefix)
          : absl::string_view();
  const absl::string_view name = Text(header, kName);
  return prefix.empty() ? std::string(name) : absl::StrCat(prefix, "/", name);
}

// Walks the headers of one archive.
class TarReader {
 public:
  TarReader(absl::string_view archive, const std::string& name) : archive_(archive), name_(name) {}

  absl::StatusOr<std::vector<TarMember>> Read() {
    UNIVAL_RETURN_IF_ERROR(CheckKind());
    while (position_ < archive_.size()) {
      UNIVAL_ASSIGN_OR_RETURN(const bool more, ReadHeader());
      if (!more) break;
    }
    return std::move(members_);
  }

 private:
  template <typename... Parts>
  absl::Status Error(const Parts&... parts) const {
    return InvalidArgument(name_, ": byte ", position_, ": ", parts...);
  }

  absl::Status CheckKind() const {
    if (absl::StartsWith(archive_, "\x1f\x8b") || absl::StartsWith(archive_, "\x28\xb5\x2f\xfd") ||
        absl::StartsWith(archive_, "BZh") ||
        absl::StartsWith(archive_,
                         "\xfd"
                         "7zXZ")) {
      return Error("a compressed archive; decompress it: shards are read in any order");
    }
    return absl::OkStatus();
  }

  // False at the end of the archive.
  absl::StatusOr<bool> ReadHeader() {
    if (archive_.size() - position_ < kBlock) {
      return Error("truncated: expected a header of 512 bytes, got ", archive_.size() - position_);
    }
    const absl::string_view header = archive_.substr(position_, kBlock);
    if (header.find_first_not_of('\0') == absl::string_view::npos) return false;
    if (!ChecksumMatches(header)) return Error("not a tar header (wrong checksum)");
    absl::optional<uint64_t> size = Number(Bytes(header, kSize));
    if (pax_size_.has_value()) size = pax_size_;
    if (!size.has_value() || *size > kMaxMemberSize) return Error("malformed member size");
    const uint64_t left = archive_.size() - position_ - kBlock;
    if (*size > left) {
      return Error("truncated: member \"", HeaderName(header), "\" has ", *size,
                   " bytes, the file ", left, " more");
    }
    UNIVAL_RETURN_IF_ERROR(Take(header, archive_.substr(position_ + kBlock, *size)));
    position_ += std::min<uint64_t>(kBlock + (*size + kBlock - 1) / kBlock * kBlock,
                                    archive_.size() - position_);
    return true;
  }

  absl::Status Take(absl::string_view header, absl::string_view bytes) {
    switch (header[kTypeOffset]) {
      case '0':
      case '\0':
      case '7':
        return AddMember(header, bytes);
      case 'x':
        return ReadPax(bytes);
      case 'L':
        long_name_ = std::string(bytes.substr(0, bytes.find('\0')));
        return absl::OkStatus();
      case 'g':
      case '5':
        break;  // global comments and folders
      default:
        return Error("member \"", HeaderName(header), "\" is of type \"",
                     absl::string_view(&header[kTypeOffset], 1),
                     "\"; only regular files are understood (links and sparse files are not)");
    }
    return Reset();
  }

  absl::Status AddMember(absl::string_view header, absl::string_view bytes) {
    std::string name = long_name_.empty() ? HeaderName(header) : long_name_;
    if (absl::StartsWith(name, "./")) name.erase(0, 2);
    const absl::Status safe = CheckRelativePath(name);
    if (!safe.ok()) return Error("member ", safe.message());
    if (!seen_.insert(name).second) return Error("member \"", name, "\" occurs twice");
    members_.push_back({std::move(name), bytes});
    return Reset();
  }

  absl::Status Reset() {
    long_name_.clear();
    pax_size_.reset();
    return absl::OkStatus();
  }

  // Records "LENGTH KEY=VALUE\n"; only path and size matter here.
  absl::Status ReadPax(absl::string_view records) {
    while (!records.empty()) {
      const size_t blank = records.find(' ');
      uint64_t length = 0;
      if (blank == absl::string_view::npos ||
          !absl::SimpleAtoi(records.substr(0, blank), &length) || length <= blank + 1 ||
          length > records.size()) {
        return Error("malformed pax record");
      }
      absl::string_view record = records.substr(blank + 1, length - blank - 1);
      records.remove_prefix(length);
      absl::ConsumeSuffix(&record, "\n");
      if (absl::ConsumePrefix(&record, "path=")) long_name_ = std::string(record);
      uint64_t size = 0;
      if (absl::ConsumePrefix(&record, "size=")) {
        if (!absl::SimpleAtoi(record, &size)) return Error("malformed pax size");
        pax_size_ = size;
      }
    }
    return absl::OkStatus();
  }

  const absl::string_view archive_;
  const std::string& name_;
  uint64_t position_ = 0;
  std::string long_name_;
  absl::optional<uint64_t> pax_size_;
  std::vector<TarMember> members_;
  absl::flat_hash_set<std::string> seen_;
};

}  // namespace

absl::StatusOr<std::vector<TarMember>> ReadTarMembers(absl::string_view archive,
                                                      const std::string& name) {
  return TarReader(archive, name).Read();
}

absl::StatusOr<std::shared_ptr<const TarIndex>> TarIndex::Open(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, OpenUnpacked(path));
  return Open(path, std::move(file));
}

absl::StatusOr<std::shared_ptr<const TarIndex>> TarIndex::Open(
    const std::string& path, std::shared_ptr<const MappedFile> file) {
  std::shared_ptr<TarIndex> index(new TarIndex());
  index->file_ = std::move(file);
  auto members = ReadTarMembers(index->file_->bytes(), path);
  UNIVAL_RETURN_IF_ERROR(index->Check());
  UNIVAL_ASSIGN_OR_RETURN(index->members_, std::move(members));
  index->by_name_.reserve(index->members_.size());
  for (const TarMember& member : index->members_) index->by_name_[member.name] = member.bytes;
  return std::shared_ptr<const TarIndex>(std::move(index));
}

absl::optional<absl::string_view> TarIndex::Find(absl::string_view member) const {
  const auto found = by_name_.find(member);
  if (found == by_name_.end()) return absl::nullopt;
  return found->second;
}

}  // namespace unival
