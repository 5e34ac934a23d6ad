#include "runtime/loader/plugin_loader.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "runtime/c_abi/descriptor.h"
#include "runtime/c_abi/host_table.h"
#include "runtime/loader/shipped_files.h"
#include "runtime/torchscript/torchscript_plugin.h"
#include "sdk/abi/unival_plugin.h"
#include "sdk/base/file_state.h"
#include "sdk/base/files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kSection[] = ".unival_plugin";
constexpr char kNativeEntry[] = "unival_native_plugin_v0";
constexpr uint32_t kNativeTier = 1, kCTier = 2;
static_assert(sizeof(UnivalBuildInfo) == sizeof(BuildInfo), "both tiers write the same record");

absl::Status NotAPlugin(const std::string& file, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("plugin ", file, ": not a UnIVAL plugin: ", why,
                                                 "; build it with UNIVAL_PLUGIN or "
                                                 "UNIVAL_NATIVE_PLUGIN"));
}

// The bytes [offset, offset + size) of `content`, or null when they are not all there.
const char* Slice(const std::string& content, uint64_t offset, uint64_t size) {
  if (offset > content.size() || size > content.size() - offset) return nullptr;
  return content.data() + offset;
}

// Copies the section header table; empty when any part of it lies outside the file.
std::vector<Elf64_Shdr> SectionHeaders(const std::string& content, const Elf64_Ehdr& header) {
  std::vector<Elf64_Shdr> sections;
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return sections;
  const char* table = Slice(content, header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  if (table == nullptr) return sections;
  sections.resize(header.e_shnum);
  if (!sections.empty()) std::memcpy(sections.data(), table, sections.size() * sizeof(Elf64_Shdr));
  return sections;
}

absl::StatusOr<std::string> SectionContent(const std::string& file, const std::string& content,
                                           const Elf64_Ehdr& header) {
  const std::vector<Elf64_Shdr> sections = SectionHeaders(content, header);
  if (header.e_shstrndx >= sections.size()) return NotAPlugin(file, "its section table is damaged");
  const Elf64_Shdr& names = sections[header.e_shstrndx];
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_name >= names.sh_size) continue;
    const uint64_t room = names.sh_size - section.sh_name;
    if (room < sizeof(kSection)) continue;
    const char* name = Slice(content, names.sh_offset + section.sh_name, sizeof(kSection));
    if (name == nullptr || std::memcmp(name, kSection, sizeof(kSection)) != 0) continue;
    const char* bytes = section.sh_type == SHT_NOBITS
                            ? nullptr
                            : Slice(content, section.sh_offset, section.sh_size);
    if (bytes == nullptr) return NotAPlugin(file, "its section .unival_plugin is cut short");
    return std::string(bytes, section.sh_size);
  }
  return NotAPlugin(file, "it has no section .unival_plugin");
}

template <size_t N>
bool Terminated(const char (&text)[N]) {
  return std::memchr(text, '\0', N) != nullptr;
}

std::map<std::string, std::string> Fields(const BuildInfo& info) {
  std::map<std::string, std::string> fields;
  for (absl::string_view line : absl::StrSplit(info.fingerprint, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    fields.emplace(pair.first, pair.second);
  }
  fields["arch"] = info.arch;
  fields["abi_major"] = absl::StrCat(info.abi_major);
  fields["tier"] = absl::StrCat(info.tier);
  return fields;
}

// The fields of this host that a plugin of this tier must equal. For a tier that this host does not
// know, none can.
std::map<std::string, std::string> HostFields(uint32_t tier) {
  BuildInfo host = MakeBuildInfo("host", "");
  std::map<std::string, std::string> fields = Fields(host);
  if (tier != kCTier) return fields;
  return {{"abi_major", absl::StrCat(UNIVAL_ABI_MAJOR)}, {"arch", fields["arch"]}};
}

bool IsManifest(const std::string& file) { return absl::EndsWith(file, ".textproto"); }

// Opens the file for good. A plugin that carries its own copies of the host's libraries says so in
// its record and is opened with deep binding, which makes it prefer them. No other plugin is: deep
// binding would separate what plugin and host must share.
absl::StatusOr<void*> Open(const std::string& file, bool isolated) {
  // An argument without a slash would be searched for in system folders.
  const std::string path = absl::StrContains(file, '/') ? file : absl::StrCat("./", file);
  void* handle =
      dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | (isolated ? RTLD_DEEPBIND : 0));
  if (handle == nullptr)
    return absl::FailedPreconditionError(absl::StrCat("plugin ", file, ": ", dlerror()));
  return handle;
}

struct OpenedObject {
  BuildInfo info;
  void* handle = nullptr;
};

absl::StatusOr<OpenedObject> OpenSharedObject(const std::string& file) {
  OpenedObject opened;
  UNIVAL_ASSIGN_OR_RETURN(opened.info, ReadBuildInfo(file));
  UNIVAL_RETURN_IF_ERROR(CheckCompatible(opened.info, file));
  const bool is_c_abi = opened.info.tier == kCTier;
  if (!is_c_abi) ShareOwnSymbols();  // the plugin calls the SDK's functions in this object
  UNIVAL_ASSIGN_OR_RETURN(
      opened.handle,
      Open(file, is_c_abi && absl::StrContains(opened.info.fingerprint, UNIVAL_ISOLATED)));
  return opened;
}

absl::Status RegisterSharedObject(const std::string& file, Registrar& registrar) {
  UNIVAL_ASSIGN_OR_RETURN(const OpenedObject opened, OpenSharedObject(file));
  const BuildInfo& info = opened.info;
  const bool is_c_abi = info.tier == kCTier;
  void* const handle = opened.handle;
  const char* name = is_c_abi ? UNIVAL_PLUGIN_SYMBOL : kNativeEntry;
  void* entry = dlsym(handle, name);
  if (entry == nullptr) return NotAPlugin(file, absl::StrCat("it exports no ", name));
  if (is_c_abi) return RegisterCPlugin(reinterpret_cast<CEntry>(entry), CHost(), info, registrar);
  using NativeEntry = void (*)(Registrar*, absl::Status*);
  absl::Status status;
  reinterpret_cast<NativeEntry>(entry)(&registrar, &status);
  return status;
}

absl::Status RegisterManifest(const std::string& file, Registrar& registrar) {
  UNIVAL_ASSIGN_OR_RETURN(const PluginManifest manifest, ReadPluginManifest(file));
  return RegisterTorchScriptPlugin(manifest, file, registrar);
}

// Calls `open` for a file that is what its pin says. The linker opens a file by its name, and must:
// it seeks the libraries beside it, and plugins their data. So the file that was hashed and the one
// that was opened are compared by what the file system says of them, directly before and after.
// Who replaces a plugin at that very moment is found out, though its constructors have run.
template <typename Open>
absl::Status AsPinned(const std::string& file, const PluginPin& pin, const Open& open) {
  if (!pin.has_value()) return open();
  const std::string hashed = FileState(file);
  UNIVAL_RETURN_IF_ERROR(CheckPin(file, pin));
  UNIVAL_RETURN_IF_ERROR(open());
  if (FileState(file) == hashed) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "plugin ", file, ": was replaced while it was loaded; restore the file or change the pin"));
}

}  // namespace

absl::StatusOr<BuildInfo> ReadBuildInfo(const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string content, ReadWholeFile(file));
  return ParseBuildInfo(content, file);
}

absl::StatusOr<BuildInfo> ParseBuildInfo(const std::string& content, const std::string& file) {
  Elf64_Ehdr header;
  if (content.size() < sizeof(header))
    return NotAPlugin(file, "it is too short for a shared object");
  std::memcpy(&header, content.data(), sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_type != ET_DYN) {
    return NotAPlugin(file, "it is not a 64-bit ELF shared object");
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::string section, SectionContent(file, content, header));
  BuildInfo info;
  if (section.size() < sizeof(info)) return NotAPlugin(file, "its record is cut short");
  std::memcpy(&info, section.data(), sizeof(info));
  if (std::memcmp(info.magic, kPluginMagic, sizeof(info.magic)) != 0) {
    return NotAPlugin(file, "its record has another magic number");
  }
  if (info.layout_version != kPluginLayoutVersion) {
    return absl::UnimplementedError(absl::StrCat("plugin ", file, ": record layout version ",
                                                 info.layout_version, ", this host reads ",
                                                 kPluginLayoutVersion, "; use a newer host"));
  }
  if (!Terminated(info.id) || !Terminated(info.version) || !Terminated(info.arch) ||
      !Terminated(info.fingerprint)) {
    return NotAPlugin(file, "its record has a text without end");
  }
  return info;
}

absl::Status CheckCompatible(const BuildInfo& info, const std::string& file) {
  const std::map<std::string, std::string> plugin_fields = Fields(info);
  std::map<std::string, std::string> host_fields = HostFields(info.tier);
  if (info.tier == kNativeTier) {
    for (const auto& field : plugin_fields) host_fields.try_emplace(field.first, "(none)");
  }
  std::string table;
  for (const auto& [name, expected] : host_fields) {
    auto found = plugin_fields.find(name);
    const std::string actual = found == plugin_fields.end() ? "(none)" : found->second;
    if (actual != expected)
      absl::StrAppendFormat(&table, "  %-18s %-24s %s\n", name, actual, expected);
  }
  if (table.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("plugin %s %s (%s) was built for a different runtime and was not loaded.\n"
                      "  %-18s %-24s %s\n%sRebuild it with this SDK%s.",
                      info.id, info.version, file, "field", "plugin", "host", table,
                      info.tier == kNativeTier ? ", or port it to tier 2" : ""));
}

absl::StatusOr<PluginIdentity> IdentifyPlugin(const std::string& file) {
  // Reading a pipe or a device may never end.
  std::error_code error;
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    return NotAPlugin(file, "it is no regular file");
  }
  if (IsManifest(file)) {
    UNIVAL_ASSIGN_OR_RETURN(const PluginManifest manifest, ReadPluginManifest(file));
    return PluginIdentity{
        manifest.plugin().id(), manifest.plugin().version(), 3,
        absl::StrCat("libtorch ", manifest.modality().program().producer_torch())};
  }
  UNIVAL_ASSIGN_OR_RETURN(const BuildInfo info, ReadBuildInfo(file));
  return PluginIdentity{info.id, info.version, static_cast<int>(info.tier),
                        absl::StrCat(info.abi_major, ".", info.abi_minor)};
}

absl::Status CheckPin(const std::string& file, const PluginPin& pin) {
  if (!pin.has_value()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::string actual, Sha256HexOfFile(file));
  if (actual == *pin) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("plugin ", file, ": sha256 is ", actual, ", pinned is ",
                                          *pin, "; restore the file or change the pin"));
}

absl::Status OpenPlugin(const std::string& file, const PluginPin& pin) {
  return AsPinned(file, pin, [&file] {
    UNIVAL_RETURN_IF_ERROR(IdentifyPlugin(file).status());
    return IsManifest(file) ? absl::OkStatus() : OpenSharedObject(file).status();
  });
}

absl::Status LoadPlugin(const std::string& file, Registry& registry, const PluginPin& pin) {
  UNIVAL_ASSIGN_OR_RETURN(const PluginIdentity identity, IdentifyPlugin(file));
  // Registered on a copy first, so that a plugin that fails halfway leaves nothing behind.
  Registry staged = registry;
  staged.set_origin(absl::StrCat("plugin ", identity.id, " ", identity.version, " (", file, ")"));
  const absl::Status status = AsPinned(file, pin, [&] {
    return IsManifest(file) ? RegisterManifest(file, staged) : RegisterSharedObject(file, staged);
  });
  if (!status.ok()) {
    // Some messages have the file in their text already.
    if (absl::StrContains(status.message(), file)) return status;
    return Annotate(status, "plugin ", file);
  }
  staged.set_origin("built-in");
  registry = std::move(staged);
  return absl::OkStatus();
}

}  // namespace unival
