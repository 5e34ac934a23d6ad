#include "runtime/c_abi/descriptor.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// What the first minor had; a struct may be larger, never smaller.
constexpr uint64_t kMinPlugin = sizeof(UnivalPlugin);
constexpr uint64_t kMinModality = sizeof(UnivalModality);
constexpr uint64_t kMinTokenizer = offsetof(UnivalTokenizer, train);
constexpr uint64_t kMinTask = sizeof(UnivalTask);
constexpr uint64_t kMinBlock = sizeof(UnivalTokenBlock);
// No struct of any minor comes near this: a larger size is a stray number.
constexpr uint64_t kMaxStruct = 1 << 16;
constexpr uint64_t kMaxComponents = 1 << 12;

absl::Status CheckSize(absl::string_view what, uint64_t size, uint64_t least) {
  if (size >= least && size <= kMaxStruct) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": struct_size ", size, ", expected ", least, "..", kMaxStruct));
}

absl::Status CheckCallback(absl::string_view what, absl::string_view name, bool there) {
  if (there) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": the mandatory function ", name, " is null"));
}

absl::Status CheckStr(absl::string_view what, absl::string_view name, UnivalStr text) {
  if (text.size <= kMaxStruct && (text.data != nullptr || text.size == 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", name, " has ", text.size, " bytes",
                                                 text.data == nullptr ? " and no pointer" : ""));
}

// Every entry of an array of pointers, widened to this host's struct.
template <typename T, typename Use>
absl::Status ForEach(absl::string_view what, const T* const* items, uint64_t count, uint64_t least,
                     Use&& use) {
  if (count > 0 && items == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", count, " announced, but no pointer"));
  }
  if (count > kMaxComponents) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", count, " announced, expected at most ", kMaxComponents));
  }
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = absl::StrCat(what, " ", i);
    if (items[i] == nullptr) return absl::InvalidArgumentError(absl::StrCat(name, ": null"));
    UNIVAL_RETURN_IF_ERROR(CheckSize(name, items[i]->struct_size, least));
    UNIVAL_RETURN_IF_ERROR(use(name, Widened(*items[i])));
  }
  return absl::OkStatus();
}

#define UNIVAL_NEEDS(function) \
  UNIVAL_RETURN_IF_ERROR(CheckCallback(what, #function, table.function != nullptr))

absl::Status CheckTexts(absl::string_view what, UnivalStr id, UnivalStr summary) {
  UNIVAL_RETURN_IF_ERROR(CheckStr(what, "id", id));
  return CheckStr(what, "summary", summary);
}

absl::Status Add(absl::string_view what, const UnivalModality& table, const std::string& plugin,
                 Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(CheckTexts(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(describe);
  UNIVAL_NEEDS(preprocess);
  UNIVAL_NEEDS(encode);
  return registrar.AddModality(CModalityFactory(table, plugin));
}

absl::Status Add(absl::string_view what, const UnivalTokenizer& table, Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(CheckTexts(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(size);
  UNIVAL_NEEDS(surface);
  UNIVAL_NEEDS(encode);
  UNIVAL_NEEDS(decode);
  return registrar.AddTokenizer(CTokenizerFactory(table));
}

absl::Status Add(absl::string_view what, const UnivalTask& table, Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(CheckTexts(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(describe);
  UNIVAL_NEEDS(make_example);
  UNIVAL_NEEDS(interpret);
  UNIVAL_NEEDS(metric_create);
  UNIVAL_NEEDS(metric_destroy);
  UNIVAL_NEEDS(metric_add);
  UNIVAL_NEEDS(metric_result);
  return registrar.AddTask(CTaskFactory(table));
}

#undef UNIVAL_NEEDS

bool IsHash(absl::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

absl::Status Add(absl::string_view what, const UnivalTokenBlock& block, Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(CheckStr(what, "id", block.id));
  UNIVAL_RETURN_IF_ERROR(CheckStr(what, "content_hash", block.content_hash));
  const absl::string_view hash = FromStr(block.content_hash);
  if (!hash.empty() && !IsHash(hash)) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": content_hash \"", hash, "\", expected 64 hex digits in lower case, or nothing"));
  }
  return registrar.AddTokenBlock({std::string(FromStr(block.id)), block.size, std::string(hash)});
}

absl::Status CheckVersions(const UnivalPlugin& plugin, const UnivalHost& host,
                           const BuildInfo& info) {
  if (plugin.abi_major != host.abi_major || plugin.abi_major != info.abi_major) {
    return absl::FailedPreconditionError(
        absl::StrCat("its descriptor says ABI ", plugin.abi_major, ".", plugin.abi_minor,
                     ", its record ", info.abi_major, ".", info.abi_minor, ", this host has ",
                     host.abi_major, ".", host.abi_minor));
  }
  if (plugin.min_host_minor > host.abi_minor) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it needs a host of ABI ", plugin.abi_major, ".", plugin.min_host_minor,
        " or later, this host has ", host.abi_major, ".", host.abi_minor, "; use a newer host"));
  }
  return absl::OkStatus();
}

absl::Status CheckIdentity(const UnivalPlugin& plugin, const BuildInfo& info) {
  UNIVAL_RETURN_IF_ERROR(CheckStr("descriptor", "id", plugin.id));
  UNIVAL_RETURN_IF_ERROR(CheckStr("descriptor", "version", plugin.version));
  if (FromStr(plugin.id) == info.id && FromStr(plugin.version) == info.version)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("its record says \"", info.id, " ", info.version,
                                                 "\", its descriptor \"", FromStr(plugin.id), " ",
                                                 FromStr(plugin.version), "\""));
}

}  // namespace

absl::Status RegisterCPlugin(CEntry entry, const UnivalHost* host, const BuildInfo& info,
                             Registrar& registrar) {
  const UnivalPlugin* given = entry(host);
  if (given == nullptr) return StatusOfNull("its entry function refused");
  UNIVAL_RETURN_IF_ERROR(CheckSize("descriptor", given->struct_size, kMinPlugin));
  const UnivalPlugin plugin = Widened(*given);
  UNIVAL_RETURN_IF_ERROR(CheckVersions(plugin, *host, info));
  UNIVAL_RETURN_IF_ERROR(CheckIdentity(plugin, info));
  const std::string name = absl::StrCat(info.id, " ", info.version);
  UNIVAL_RETURN_IF_ERROR(ForEach("modality", plugin.modalities, plugin.modality_count, kMinModality,
                                 [&](absl::string_view what, const UnivalModality& table) {
                                   return Add(what, table, name, registrar);
                                 }));
  const auto add = [&](absl::string_view what, const auto& table) {
    return Add(what, table, registrar);
  };
  UNIVAL_RETURN_IF_ERROR(
      ForEach("tokenizer", plugin.tokenizers, plugin.tokenizer_count, kMinTokenizer, add));
  UNIVAL_RETURN_IF_ERROR(ForEach("task", plugin.tasks, plugin.task_count, kMinTask, add));
  return ForEach("token block", plugin.token_blocks, plugin.token_block_count, kMinBlock, add);
}

}  // namespace unival
