#include "runtime/torch_file/zip_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Records of the format, by signature and fixed size (PKWARE APPNOTE 4.3).
constexpr char kLocalHeader[] = "PK\x03\x04";
constexpr size_t kLocalHeaderSize = 30;
constexpr char kCentralHeader[] = "PK\x01\x02";
constexpr size_t kCentralHeaderSize = 46;
constexpr char kEnd[] = "PK\x05\x06";
constexpr size_t kEndSize = 22;
constexpr char kEnd64[] = "PK\x06\x06";
constexpr size_t kEnd64Size = 56;
constexpr char kLocator64[] = "PK\x06\x07";
constexpr size_t kLocator64Size = 20;
constexpr size_t kMaxComment = 65535;
constexpr uint64_t kDeflated = 8;       // method
constexpr uint64_t kIn64 = 0xFFFFFFFF;  // the value stands in the zip64 record

absl::Status Bad(absl::string_view message) { return InvalidArgument("zip archive: ", message); }

absl::Status BadEntry(absl::string_view name, absl::string_view message) {
  return Bad(absl::StrCat("entry \"", ShownName(name), "\": ", message));
}

// The record of `size` bytes at `offset`, which must begin with `signature`.
absl::StatusOr<absl::string_view> Record(absl::string_view file, uint64_t offset, size_t size,
                                         absl::string_view signature) {
  if (offset > file.size() || file.size() - offset < size || file.substr(offset, 4) != signature) {
    return Bad(absl::StrCat("no ", absl::CHexEscape(signature), " record of ", size,
                            " bytes at byte ", offset, " of ", file.size(),
                            "; truncated or damaged"));
  }
  return file.substr(offset, size);
}

struct DirectoryPlace {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t count = 0;
  uint64_t end = 0;  // where the record that follows the directory begins
};

absl::StatusOr<uint64_t> FindEnd(absl::string_view file) {
  if (file.size() >= kEndSize) {
    const size_t last = file.size() - kEndSize;
    const size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (size_t at = last + 1; at-- > first;) {
      if (file.substr(at, 4) != kEnd) continue;
      const uint64_t comment = LittleEndian(file.substr(at + 20), 2);
      if (at + kEndSize + comment == file.size()) return at;
    }
  }
  return Bad("no end of its directory; the file is truncated, or not a zip archive");
}

absl::StatusOr<DirectoryPlace> ReadEnd64(absl::string_view file, uint64_t end) {
  if (end < kLocator64Size) return Bad("no room for its zip64 locator");
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view locator,
                          Record(file, end - kLocator64Size, kLocator64Size, kLocator64));
  const uint64_t at = LittleEndian(locator.substr(8), 8);
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view record, Record(file, at, kEnd64Size, kEnd64));
  return DirectoryPlace{LittleEndian(record.substr(48), 8), LittleEndian(record.substr(40), 8),
                        LittleEndian(record.substr(32), 8), at};
}

absl::StatusOr<DirectoryPlace> FindDirectory(absl::string_view file) {
  UNIVAL_ASSIGN_OR_RETURN(const uint64_t end, FindEnd(file));
  const absl::string_view record = file.substr(end, kEndSize);
  DirectoryPlace place = {LittleEndian(record.substr(16), 4), LittleEndian(record.substr(12), 4),
                          LittleEndian(record.substr(10), 2), end};
  const bool has_locator =
      end >= kLocator64Size && file.substr(end - kLocator64Size, 4) == kLocator64;
  if (has_locator || place.offset == kIn64 || place.size == kIn64 || place.count == 0xFFFF) {
    const DirectoryPlace in_32 = place;
    UNIVAL_ASSIGN_OR_RETURN(place, ReadEnd64(file, end));
    // A reader may believe either, unless the first says that it does not know.
    const auto agree = [](uint64_t in_first, uint64_t value, uint64_t unknown) {
      return in_first == unknown || in_first == value;
    };
    if (!agree(in_32.offset, place.offset, kIn64) || !agree(in_32.size, place.size, kIn64) ||
        !agree(in_32.count, place.count, 0xFFFF)) {
      return Bad("its two end records differ");
    }
  }
  if (place.offset > place.end || place.end - place.offset != place.size) {
    return Bad(absl::StrCat("its directory is said to be ", place.size, " bytes at byte ",
                            place.offset, ", its end record stands at byte ", place.end));
  }
  return place;
}

struct Listed {
  std::string name;
  uint64_t stored = 0, size = 0;  // bytes in the archive, and unpacked
  uint64_t header = 0;            // where the local header begins
  bool is_deflated = false;
};

// Values that did not fit into 32 bits, in this order (APPNOTE 4.5.3).
absl::Status ReadExtra64(absl::string_view extra, Listed* entry) {
  for (; extra.size() >= 4;) {
    const uint64_t id = LittleEndian(extra, 2), size = LittleEndian(extra.substr(2), 2);
    if (size > extra.size() - 4) return BadEntry(entry->name, "its extra field is cut off");
    absl::string_view body = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (uint64_t* value : {&entry->size, &entry->stored, &entry->header}) {
      if (*value != kIn64) continue;
      if (body.size() < 8) return BadEntry(entry->name, "its zip64 field is too short");
      *value = LittleEndian(body, 8);
      body.remove_prefix(8);
    }
  }
  return absl::OkStatus();
}

// Takes one header off `unread`.
absl::StatusOr<Listed> ReadListed(ZipEntries entries, absl::string_view* unread) {
  absl::string_view& directory = *unread;
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view header,
                          Record(directory, 0, kCentralHeaderSize, kCentralHeader));
  const uint64_t flags = LittleEndian(header.substr(8), 2);
  const uint64_t method = LittleEndian(header.substr(10), 2);
  const size_t name = LittleEndian(header.substr(28), 2);
  const size_t extra = LittleEndian(header.substr(30), 2);
  const size_t comment = LittleEndian(header.substr(32), 2);
  directory.remove_prefix(kCentralHeaderSize);
  if (directory.size() < name + extra + comment) return Bad("its directory is cut off");
  Listed entry{std::string(directory.substr(0, name)), LittleEndian(header.substr(20), 4),
               LittleEndian(header.substr(24), 4), LittleEndian(header.substr(42), 4),
               method == kDeflated};
  UNIVAL_RETURN_IF_ERROR(ReadExtra64(directory.substr(name, extra), &entry));
  directory.remove_prefix(name + extra + comment);
  const bool is_encrypted = (flags & 1) != 0;
  if (method == 0 && !is_encrypted && entry.stored == entry.size) return entry;
  if (entry.is_deflated && !is_encrypted && entries == ZipEntries::kStoredAndDeflated) return entry;
  return absl::UnimplementedError(
      absl::StrCat("zip archive: entry \"", ShownName(entry.name),
                   "\" is compressed or encrypted (method ", method, ", ", entry.stored, " of ",
                   entry.size, " bytes); expected stored entries, as torch.save writes them"));
}

absl::StatusOr<ZipEntry> Locate(absl::string_view file, const Listed& entry,
                                uint64_t directory_begin) {
  const absl::string_view before = file.substr(0, directory_begin);
  auto header = Record(before, entry.header, kLocalHeaderSize, kLocalHeader);
  if (!header.ok()) return BadEntry(entry.name, header.status().message());
  const uint64_t name_size = LittleEndian(header->substr(26), 2);
  const uint64_t extra_size = LittleEndian(header->substr(28), 2);
  const uint64_t names = entry.header + kLocalHeaderSize;
  if (before.substr(names, name_size) != entry.name) {
    return BadEntry(entry.name, "its local header has another name");
  }
  const uint64_t data = names + name_size + extra_size;
  if (data > directory_begin || directory_begin - data < entry.stored) {
    return BadEntry(entry.name, absl::StrCat(entry.stored, " bytes at byte ", data,
                                             " do not lie before the directory at byte ",
                                             directory_begin, "; truncated or damaged"));
  }
  return ZipEntry{data, entry.stored, entry.size, entry.is_deflated};
}

// No byte may belong to two entries.
absl::Status CheckOverlap(std::vector<std::pair<uint64_t, const Listed*>> begins,
                          const ZipDirectory& entries) {
  std::sort(begins.begin(), begins.end());
  uint64_t end = 0;
  for (const auto& [begin, listed] : begins) {
    if (begin < end) return BadEntry(listed->name, "overlaps the entry before it");
    const ZipEntry& entry = entries.at(listed->name);
    end = entry.offset + entry.size;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ZipDirectory> ParseZipDirectory(absl::string_view file, ZipEntries which) {
  UNIVAL_ASSIGN_OR_RETURN(const DirectoryPlace place, FindDirectory(file));
  absl::string_view directory = file.substr(place.offset, place.size);
  if (place.count > directory.size() / kCentralHeaderSize) {
    return Bad(absl::StrCat(place.count, " entries do not fit into a directory of ",
                            directory.size(), " bytes"));
  }
  std::vector<Listed> listed;
  for (uint64_t i = 0; i < place.count; ++i) {
    UNIVAL_ASSIGN_OR_RETURN(Listed entry, ReadListed(which, &directory));
    listed.push_back(std::move(entry));
  }
  if (!directory.empty()) return Bad("bytes are left over in its directory");
  ZipDirectory entries;
  std::vector<std::pair<uint64_t, const Listed*>> begins;
  for (const Listed& entry : listed) {
    UNIVAL_ASSIGN_OR_RETURN(const ZipEntry found, Locate(file, entry, place.offset));
    if (!entries.emplace(entry.name, found).second) {
      return BadEntry(entry.name, "is listed twice");
    }
    begins.emplace_back(entry.header, &entry);
  }
  UNIVAL_RETURN_IF_ERROR(CheckOverlap(std::move(begins), entries));
  return entries;
}

}  // namespace unival
