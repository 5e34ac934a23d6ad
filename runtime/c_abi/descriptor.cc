#include "runtime/c_abi/descriptor.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Sizes of structs in the first minor version; a struct of a later one may be larger.
constexpr uint64_t kMinPlugin = sizeof(UnivalPlugin);
constexpr uint64_t kMinModality = sizeof(UnivalModality);
constexpr uint64_t kMinTokenizer = offsetof(UnivalTokenizer, train);
constexpr uint64_t kMinTask = sizeof(UnivalTask);
constexpr uint64_t kMinBlock = sizeof(UnivalTokenBlock);

// Every entry of an array of pointers, widened to this host's struct.
template <typename T, typename Use>
absl::Status ForEach(absl::string_view what, const T* const* items, uint64_t count, uint64_t least,
                     Use&& use) {
  for (uint64_t i = 0; i < count; ++i) {
    const std::string name = absl::StrCat(what, " ", i);
    if (items[i] == nullptr) return absl::InvalidArgumentError(absl::StrCat(name, ": null"));
    UNIVAL_RETURN_IF_ERROR(CheckSize(name, items[i]->struct_size, least));
    UNIVAL_RETURN_IF_ERROR(use(name, Widened(*items[i])));
  }
  return absl::OkStatus();
}

absl::Status Add(const UnivalModality& table, const std::string& plugin, Registrar& registrar) {
  return registrar.AddModality(CModalityFactory(table, plugin));
}

absl::Status Add(const UnivalTokenizer& table, const std::string&, Registrar& registrar) {
  return registrar.AddTokenizer(CTokenizerFactory(table));
}

absl::Status Add(const UnivalTask& table, const std::string&, Registrar& registrar) {
  return registrar.AddTask(CTaskFactory(table));
}

absl::Status Add(const UnivalTokenBlock& block, const std::string&, Registrar& registrar) {
  return registrar.AddTokenBlock(
      {std::string(FromStr(block.id)), block.size, std::string(FromStr(block.content_hash))});
}

}  // namespace

absl::Status RegisterCPlugin(CEntry entry, const UnivalHost* host, const BuildInfo& info,
                             Registrar& registrar) {
  const UnivalPlugin* given = entry(host);
  if (given == nullptr) return StatusOfNull("its entry function refused");
  UNIVAL_RETURN_IF_ERROR(CheckSize("descriptor", given->struct_size, kMinPlugin));
  const UnivalPlugin plugin = Widened(*given);
  UNIVAL_RETURN_IF_ERROR(CheckDescriptor(plugin, *host, info));
  const std::string name = absl::StrCat(info.id, " ", info.version);
  const auto add = [&](absl::string_view what, const auto& table) -> absl::Status {
    UNIVAL_RETURN_IF_ERROR(CheckTable(what, table));
    return Add(table, name, registrar);
  };
  UNIVAL_RETURN_IF_ERROR(
      ForEach("modality", plugin.modalities, plugin.modality_count, kMinModality, add));
  UNIVAL_RETURN_IF_ERROR(
      ForEach("tokenizer", plugin.tokenizers, plugin.tokenizer_count, kMinTokenizer, add));
  UNIVAL_RETURN_IF_ERROR(ForEach("task", plugin.tasks, plugin.task_count, kMinTask, add));
  return ForEach("token block", plugin.token_blocks, plugin.token_block_count, kMinBlock, add);
}

}  // namespace unival
