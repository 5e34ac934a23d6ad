#include "runtime/torchscript/archive_check.h"

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/torch_file/pickle.h"
#include "runtime/torch_file/pickle_nesting.h"
#include "runtime/torch_file/zip_directory.h"
#include "runtime/torchscript/source_check.h"
#include "runtime/torchscript/type_tag_check.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kNotScript[] = "; expected a file of torch.jit.save";
constexpr size_t kEndSize = 22;  // of the zip archive's last record, without a comment

// The only form of end that every reader finds at the same place.
absl::Status CheckEnd(absl::string_view file) {
  const bool is_plain = file.size() >= kEndSize && absl::StartsWith(file, "PK\x03\x04") &&
                        absl::StartsWith(file.substr(file.size() - kEndSize), "PK\x05\x06") &&
                        absl::EndsWith(file, absl::string_view("\0\0", 2));
  return is_plain ? absl::OkStatus()
                  : InvalidArgument("does not begin and end as a zip archive without a comment",
                                    kNotScript);
}

bool IsPlainName(absl::string_view name) {
  if (name.empty() || name.front() == '/' || name.back() == '/' || name.size() > 512) return false;
  for (char c : name) {
    if (absl::ascii_iscntrl(c) || c == '\\' || c == ':' || !absl::ascii_isascii(c)) return false;
  }
  return !absl::StrContains(absl::StrCat("/", name, "/"), "/../") &&
         !absl::StrContains(absl::StrCat("/", name, "/"), "/./") && !absl::StrContains(name, "//");
}

// The folder of all records, with its slash.
absl::StatusOr<std::string> FolderOf(const ZipDirectory& entries) {
  if (entries.empty() || entries.size() > kMaxScriptRecords)
    return InvalidArgument(entries.size(), " records", kNotScript);
  std::string folder;
  std::set<std::string> names;
  for (const auto& [name, entry] : entries) {
    if (!IsPlainName(name)) {
      return InvalidArgument("record \"", ShownName(name), "\" has a name that is no plain path");
    }
    const std::string own = name.substr(0, name.find('/') + 1);
    if (folder.empty()) folder = own;
    if (own.empty() || own != folder)
      return InvalidArgument("record \"", name, "\" is not in the folder of the others");
    // Readers look for records without regard to case.
    if (!names.insert(absl::AsciiStrToLower(name)).second)
      return InvalidArgument("record \"", name, "\" is there in two spellings");
  }
  return folder;
}

// Objects are of classes whose source is in the file.
bool IsScriptClass(absl::string_view name) {
  return name == "torch.device" ||
         (absl::StartsWith(name, "__torch__.") && !absl::StrContains(name, "torch.classes"));
}

bool IsScriptGlobal(absl::string_view name) {
  return IsScriptClass(name) || absl::StartsWith(name, "torch.jit._pickle.") ||
         name == "torch._utils._rebuild_tensor_v2" || name == "collections.OrderedDict" ||
         (absl::StartsWith(name, "torch.") && absl::EndsWith(name, "Storage"));
}

class ArchiveCheck {
 public:
  ArchiveCheck(absl::string_view file, const ZipDirectory& entries, std::string folder)
      : file_(file), entries_(entries), folder_(std::move(folder)) {}

  absl::Status Run() {
    for (const char* needed : {"version", "data.pkl", "constants.pkl"}) {
      if (entries_.count(folder_ + needed) == 0)
        return InvalidArgument("has no record \"", needed, "\"", kNotScript);
    }
    for (const auto& [name, entry] : entries_) {
      UNIVAL_RETURN_IF_ERROR(
          Annotate(Check(absl::StripPrefix(name, folder_), entry), "record \"", name, "\""));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Check(absl::string_view name, const ZipEntry& entry) {
    // Files of versions before torch 1.4, which other code of libtorch reads.
    if (name == "model.json" || name == "tensors.json" || name == "attributes.pkl")
      return InvalidArgument("is of an old format; export it again with torch 1.4 or later");
    if (name == "data.pkl") return CheckPickle(entry, "data/");
    if (name == "constants.pkl") return CheckPickle(entry, "constants/");
    if (absl::EndsWith(name, ".debug_pkl")) return CheckPickle(entry, "");
    if (absl::StartsWith(name, "code/") && absl::EndsWith(name, ".py")) return CheckSource(entry);
    if (name == "version") return CheckVersion(entry);
    // Tensors, and what nobody reads.
    if (!entry.is_deflated) return absl::OkStatus();
    return Text(entry).status();
  }

  absl::StatusOr<std::string> Text(const ZipEntry& entry) {
    if (entry.unpacked > kMaxScriptText - text_) {
      return InvalidArgument("unpacks to ", entry.unpacked,
                             " bytes, expected texts and pickles of at most ", kMaxScriptText,
                             " together");
    }
    text_ += entry.unpacked;
    return Unpack(file_, entry, kMaxScriptText);
  }

  absl::Status CheckVersion(const ZipEntry& entry) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, Text(entry));
    const absl::string_view number = absl::StripAsciiWhitespace(text);
    int version = 0;
    if (number.size() > 9 || !absl::SimpleAtoi(number, &version))
      return InvalidArgument("is no number", kNotScript);
    // Before it, types did not stand beside values, and libtorch guesses them.
    constexpr int kFirstWithTypes = 3;
    if (version >= kFirstWithTypes) return absl::OkStatus();
    return InvalidArgument("is ", version, "; export it again with torch 1.5 or later");
  }

  absl::Status CheckSource(const ZipEntry& entry) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, Text(entry));
    return CheckScriptSource(text);
  }

  // `tensors`: the folder of the records that the pickle's storages name; empty: it has none.
  absl::Status CheckPickle(const ZipEntry& entry, absl::string_view tensors) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, Text(entry));
    PickleLimits limits;
    limits.is_record = &IsScriptClass;
    limits.numbers_in_turn = true;
    size_t consumed = 0;
    UNIVAL_ASSIGN_OR_RETURN(const Pickle pickle, ReadPickle(bytes, &consumed, limits));
    if (consumed != bytes.size()) return InvalidArgument("bytes are left over behind the pickle");
    UNIVAL_RETURN_IF_ERROR(CheckNesting(pickle, kMaxValueDepth, kMaxValues));
    UNIVAL_RETURN_IF_ERROR(CheckNames(pickle));
    UNIVAL_RETURN_IF_ERROR(CheckTypeTags(pickle));
    for (const PickleStorage& storage : pickle.storages())
      UNIVAL_RETURN_IF_ERROR(CheckStorage(storage, tensors));
    return absl::OkStatus();
  }

  absl::Status CheckNames(const Pickle& pickle) const {
    for (PickleId id = 0; id < pickle.node_count(); ++id) {
      const PickleNode& node = pickle.node(id);
      if (node.kind == PickleKind::kGlobal && !IsScriptGlobal(node.text)) {
        return absl::PermissionDeniedError(
            absl::StrCat("names \"", ShownName(node.text),
                         "\"; expected values, tensors and objects of the file's own classes"));
      }
      // Texts of types are read by recursion, and any text may come to stand for one.
      if (node.kind == PickleKind::kText && BracketDepth(node.text) > kMaxTypeDepth)
        return InvalidArgument("a text with more than ", kMaxTypeDepth, " brackets in each other");
      if (node.kind == PickleKind::kRecord && node.text == "torch.device" &&
          !IsOneText(pickle, pickle.node(node.items[0]))) {
        return InvalidArgument("a device is not made of one text");
      }
    }
    return absl::OkStatus();
  }

  static bool IsOneText(const Pickle& pickle, const PickleNode& arguments) {
    return arguments.items.size() == 1 && pickle.node(arguments.items[0]).kind == PickleKind::kText;
  }

  absl::Status CheckStorage(const PickleStorage& storage, absl::string_view tensors) const {
    const std::string name = absl::StrCat(folder_, tensors, storage.key);
    const auto found = entries_.find(name);
    if (tensors.empty() || found == entries_.end())
      return InvalidArgument("a tensor's record \"", ShownName(name), "\" is not there");
    if (found->second.is_deflated)
      return InvalidArgument("a tensor's record \"", name, "\" is compressed");
    const auto expected = static_cast<uint64_t>(storage.root_elements * DtypeSize(storage.dtype));
    if (found->second.size == expected) return absl::OkStatus();
    return InvalidArgument("a tensor's record \"", name, "\" has ", found->second.size, " bytes, ",
                           storage.root_elements, " elements of ", DtypeName(storage.dtype),
                           " need ", expected);
  }

  const absl::string_view file_;
  const ZipDirectory& entries_;
  const std::string folder_;
  uint64_t text_ = 0;
};

}  // namespace

absl::Status CheckScriptArchive(absl::string_view file) {
  UNIVAL_RETURN_IF_ERROR(CheckEnd(file));
  UNIVAL_ASSIGN_OR_RETURN(const ZipDirectory entries,
                          ParseZipDirectory(file, ZipEntries::kStoredAndDeflated));
  UNIVAL_ASSIGN_OR_RETURN(std::string folder, FolderOf(entries));
  return ArchiveCheck(file, entries, std::move(folder)).Run();
}

}  // namespace unival
