// The headers of a tar.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/tar_index.h"

namespace unival {
namespace {

constexpr size_t kBlock = 512;
constexpr char kCutRemedy[] = "; download or copy the archive again";
constexpr uint64_t kMaxMemberSize = uint64_t{1} << 48;  // far above any file, far below overflow

// Fields of a ustar header: offset and length.
struct Field {
  size_t offset, length;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kLink{157, 100},
    kPrefix{345, 155};
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

// Some old programs sum bytes with signs.
bool ChecksumMatches(absl::string_view header) {
  int64_t sum = 0, signed_sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
    signed_sum += own ? ' ' : static_cast<signed char>(header[i]);
  }
  const absl::optional<uint64_t> stated = Number(Bytes(header, kChecksum));
  return stated.has_value() &&
         (static_cast<int64_t>(*stated) == sum || static_cast<int64_t>(*stated) == signed_sum);
}

bool IsBlank(absl::string_view block) {
  return block.find_first_not_of('\0') == absl::string_view::npos;
}

std::string HeaderName(absl::string_view header) {
  const absl::string_view prefix =
      absl::StartsWith(header.substr(kMagicOffset), "ustar") && header[kMagicOffset + 5] == '\0'
          ? Text(header, kPrefix)
          : absl::string_view();
  const absl::string_view name = Text(header, kName);
  return prefix.empty() ? std::string(name) : absl::StrCat(prefix, "/", name);
}

// Types of members that are no regular files, at the end all others.
struct OtherType {
  char type;
  const char *what, *remedy;
};
constexpr OtherType kOtherTypes[] = {
    {'2', "a symbolic link", "pack the file that it names with `tar --dereference`"},
    {'3', "a device", "leave it out with `tar --exclude`"},
    {'4', "a device", "leave it out with `tar --exclude`"},
    {'6', "a named pipe", "leave it out with `tar --exclude`"},
    {'M', "the rest of a file of another volume", "pack it without --multi-volume"},
    {'S', "a sparse file", "pack it without --sparse"},
    {'\0', "of an unknown type", "leave it out with `tar --exclude`"}};

// Walks the headers of one archive.
class TarReader {
 public:
  TarReader(absl::string_view archive, const std::string& name) : archive_(archive), name_(name) {}

  absl::StatusOr<std::vector<TarMember>> Read(bool* has_end) {
    UNIVAL_RETURN_IF_ERROR(CheckKind());
    while (position_ < archive_.size() && !has_end_) {
      UNIVAL_ASSIGN_OR_RETURN(const bool more, ReadHeader());
      has_end_ = !more;
    }
    if (!has_end_ && is_announced_) {
      return Error("truncated: expected the member that the last header is about, got no more",
                   kCutRemedy);
    }
    if (has_end != nullptr) *has_end = has_end_;
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
    if (IsBlank(header)) return FindNextArchive();
    if (!ChecksumMatches(header)) return Error("not a tar header (wrong checksum)");
    absl::optional<uint64_t> size = Number(Bytes(header, kSize));
    if (pax_size_.has_value()) size = pax_size_;
    if (!size.has_value() || *size > kMaxMemberSize) return Error("malformed member size");
    const uint64_t left = archive_.size() - position_ - kBlock;
    if (*size > left) {
      return Error("truncated: member \"", HeaderName(header), "\" has ", *size,
                   " bytes, the file ", left, " more");
    }
    // Writers fill up every member, the last one too: what lacks the filling lacks what follows.
    const uint64_t filled = (*size + kBlock - 1) / kBlock * kBlock;
    if (filled > left) {
      return Error("truncated: the padding of member \"", HeaderName(header),
                   "\" is cut: expected ", filled - *size, " bytes, got ", left - *size,
                   kCutRemedy);
    }
    UNIVAL_RETURN_IF_ERROR(Take(header, archive_.substr(position_ + kBlock, *size)));
    position_ += kBlock + filled;
    return true;
  }

  // Where archives were joined by `cat`, the next one begins behind the blank blocks that end this
  // one and fill it up. Anything else behind them does not matter.
  bool FindNextArchive() {
    constexpr size_t kMostBlank = size_t{1} << 20;  // programs fill up to 10 KiB
    const size_t end = std::min(archive_.size(), position_ + kMostBlank);
    for (size_t at = position_; at + kBlock <= end; at += kBlock) {
      const absl::string_view block = archive_.substr(at, kBlock);
      if (IsBlank(block)) continue;
      position_ = at;
      return ChecksumMatches(block);
    }
    return false;
  }

  absl::Status Take(absl::string_view header, absl::string_view bytes) {
    const char type = header[kTypeOffset];
    is_announced_ = type == 'x' || type == 'L' || type == 'K';
    switch (type) {
      case '0':
      case '\0':
      case '7':
        return AddMember(header, bytes);
      case 'x':
        return ReadPax(bytes);
      case 'L':
        long_name_ = std::string(bytes.substr(0, bytes.find('\0')));
        return absl::OkStatus();
      case 'K':
        long_link_ = std::string(bytes.substr(0, bytes.find('\0')));
        return absl::OkStatus();
      case '1':
        return AddLink(header);
      case 'g':
      case '5':
      case 'D':
      case 'V':
        break;  // global comments, folders with or without a list of files, the archive's name
      default:
        return NoFile(header);
    }
    return Reset();
  }

  absl::Status NoFile(absl::string_view header) const {
    const OtherType* other = kOtherTypes;
    while (other->type != header[kTypeOffset] && other->type != '\0') ++other;
    return Error("member \"", NameOf(header), "\" is ", other->what,
                 "; expected a regular file: ", other->remedy);
  }

  std::string NameOf(absl::string_view header) const {
    std::string name = long_name_.empty() ? HeaderName(header) : long_name_;
    if (absl::StartsWith(name, "./")) name.erase(0, 2);
    return name;
  }

  absl::Status AddMember(absl::string_view header, absl::string_view bytes) {
    std::string name = NameOf(header);
    // Before there was a type of their own, folders were files with such a name.
    if (bytes.empty() && absl::EndsWith(name, "/")) return Reset();
    const absl::Status safe = CheckRelativePath(name);
    if (!safe.ok()) return Error("member ", safe.message());
    if (is_sparse_) {
      return Error("member \"", name, "\" is a sparse file: pack it without --sparse");
    }
    if (!seen_.emplace(name, members_.size()).second) {
      return Error("member \"", name, "\" occurs twice");
    }
    members_.push_back({std::move(name), bytes});
    return Reset();
  }

  // A hard link: the bytes of a member before it. Packing a folder in which a file has two names
  // writes one.
  absl::Status AddLink(absl::string_view header) {
    std::string target = long_link_.empty() ? std::string(Text(header, kLink)) : long_link_;
    if (absl::StartsWith(target, "./")) target.erase(0, 2);
    const auto found = seen_.find(target);
    if (found == seen_.end()) {
      return Error("member \"", NameOf(header), "\" is a link to \"", target,
                   "\", which is no member before it");
    }
    return AddMember(header, members_[found->second].bytes);
  }

  absl::Status Reset() {
    long_name_.clear();
    long_link_.clear();
    pax_size_.reset();
    is_sparse_ = false;
    return absl::OkStatus();
  }

  // Records "LENGTH KEY=VALUE\n"; only these matter here.
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
      if (absl::ConsumePrefix(&record, "linkpath=")) long_link_ = std::string(record);
      if (absl::StartsWith(record, "GNU.sparse.")) is_sparse_ = true;
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
  std::string long_name_, long_link_;
  absl::optional<uint64_t> pax_size_;
  bool is_sparse_ = false;
  bool is_announced_ = false;  // the last header was about a member behind it
  bool has_end_ = false;       // a blank block stands behind the last member
  std::vector<TarMember> members_;
  absl::flat_hash_map<std::string, size_t> seen_;  // places in members_
};

}  // namespace

absl::StatusOr<std::vector<TarMember>> ReadTarMembers(absl::string_view archive,
                                                      const std::string& name, bool* has_end) {
  return TarReader(archive, name).Read(has_end);
}

}  // namespace unival
