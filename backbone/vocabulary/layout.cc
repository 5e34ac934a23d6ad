#include "backbone/vocabulary/layout.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/names.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kSpecial[] = "core.special";
constexpr int64_t kSpecialSize = 4;
// Ids are int64, tables are not that large: sums of sizes below this bound never overflow.
constexpr int64_t kMaxSize = int64_t{1} << 40;

absl::Status CheckId(absl::string_view id) {
  const std::vector<absl::string_view> words = absl::StrSplit(id, '.');
  if (words.size() >= 2 && std::all_of(words.begin(), words.end(), IsLowerSnake)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("vocabulary block \"", absl::CHexEscape(id),
                   "\": expected lower_snake words joined by dots, such as \"depth.bin\""));
}

absl::Status CheckSpec(const BlockSpec& spec) {
  UNIVAL_RETURN_IF_ERROR(CheckId(spec.id));
  if (spec.size >= 1 && spec.size <= kMaxSize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("vocabulary block \"", spec.id, "\": size ",
                                                 spec.size, ", expected 1 .. ", kMaxSize));
}

VocabularyBlock* FindMutable(absl::string_view id, VocabularyLayout* layout) {
  for (VocabularyBlock& block : *layout->mutable_blocks()) {
    if (block.id() == id) return &block;
  }
  return nullptr;
}

absl::Status UnknownBlock(const VocabularyLayout& layout, absl::string_view id) {
  std::string known;
  for (const VocabularyBlock& block : layout.blocks()) absl::StrAppend(&known, " ", block.id());
  return absl::NotFoundError(absl::StrCat("vocabulary has no block \"", id, "\"; it has:", known));
}

void AppendExtent(int64_t begin, int64_t local_begin, int64_t size, VocabularyBlock* block) {
  VocabularyExtent& extent = *block->add_extents();
  extent.set_begin(begin);
  extent.set_local_begin(local_begin);
  extent.set_size(size);
}

void AppendBlock(const BlockSpec& spec, VocabularyLayout* layout) {
  const int64_t begin = LayoutSize(*layout);
  VocabularyBlock& block = *layout->add_blocks();
  block.set_id(spec.id);
  block.set_content_hash(spec.content_hash);
  block.set_owner(spec.owner);
  AppendExtent(begin, 0, spec.size, &block);
}

// The block is in the layout already: the same one is used, a different one is refused.
absl::Status Reuse(const BlockSpec& spec, VocabularyBlock* block) {
  const int64_t size = BlockSize(*block);
  if (spec.size > size) {
    return absl::FailedPreconditionError(absl::StrCat("vocabulary block \"", spec.id, "\" has ",
                                                      size, " entries, ", spec.size,
                                                      " are wanted; grow it explicitly"));
  }
  if (spec.size < size) {
    return absl::FailedPreconditionError(
        absl::StrCat("vocabulary block \"", spec.id, "\" has ", size, " entries, ", spec.size,
                     " are wanted; blocks never shrink, use another block id"));
  }
  if (spec.content_hash != block->content_hash()) {
    return absl::FailedPreconditionError(
        absl::StrCat("vocabulary block \"", spec.id, "\" has content hash \"",
                     block->content_hash(), "\", the one to add has \"", spec.content_hash,
                     "\"; its rows would mean something else, use another block id"));
  }
  block->set_retired(false);
  return absl::OkStatus();
}

std::vector<std::string> NumberedForms(absl::string_view name, int64_t count) {
  std::vector<std::string> forms;
  for (int64_t i = 0; i < count; ++i) forms.push_back(absl::StrCat("<", name, "_", i, ">"));
  return forms;
}

absl::Status CheckExtents(const VocabularyBlock& block) {
  int64_t local = 0;
  for (const VocabularyExtent& extent : block.extents()) {
    if (extent.size() < 1 || extent.size() > kMaxSize || extent.begin() < 0 ||
        extent.begin() > kMaxSize || extent.local_begin() != local) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary block \"", block.id(), "\": extent {begin: ", extent.begin(),
                       " local_begin: ", extent.local_begin(), " size: ", extent.size(),
                       "}: expected local_begin ", local, " and a size of at least 1"));
    }
    local += extent.size();
  }
  if (local > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("vocabulary block \"", block.id(), "\" has no extent"));
}

absl::Status CheckCoverage(const VocabularyLayout& layout) {
  std::vector<std::pair<const VocabularyExtent*, const VocabularyBlock*>> extents;
  for (const VocabularyBlock& block : layout.blocks()) {
    for (const VocabularyExtent& extent : block.extents()) extents.emplace_back(&extent, &block);
  }
  std::sort(extents.begin(), extents.end(),
            [](const auto& a, const auto& b) { return a.first->begin() < b.first->begin(); });
  int64_t end = 0;
  for (const auto& [extent, block] : extents) {
    if (extent->begin() != end) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary block \"", block->id(), "\" has an extent at ", extent->begin(),
                       ", expected ", end, ": extents may neither overlap nor leave holes"));
    }
    end += extent->size();
  }
  return absl::OkStatus();
}

}  // namespace

int64_t BlockSize(const VocabularyBlock& block) {
  int64_t size = 0;
  for (const VocabularyExtent& extent : block.extents()) size += extent.size();
  return size;
}

int64_t LayoutSize(const VocabularyLayout& layout) {
  int64_t size = 0;
  for (const VocabularyBlock& block : layout.blocks()) size += BlockSize(block);
  return size;
}

const VocabularyBlock* FindBlock(const VocabularyLayout& layout, absl::string_view id) {
  for (const VocabularyBlock& block : layout.blocks()) {
    if (block.id() == id) return &block;
  }
  return nullptr;
}

absl::StatusOr<VocabularyLayout> BaseLayout(const BaseBlocks& blocks) {
  std::vector<BlockSpec> specs = {
      {kSpecial, kSpecialSize, SurfaceFormsHash({"<s>", "<pad>", "</s>", "<unk>"}), "core"}};
  if (blocks.text_size != 0) {
    specs.push_back({blocks.text_block, blocks.text_size, blocks.text_hash, "core"});
  }
  if (blocks.mask) specs.push_back({"core.mask", 1, SurfaceFormsHash({"<mask>"}), "core"});
  for (const auto& [id, name, size] :
       {std::make_tuple("core.image_code", "code", blocks.image_codes),
        std::make_tuple("core.location_bin", "bin", blocks.location_bins)}) {
    if (size == 0) continue;
    // Forms are made only for sizes that pass the check below.
    const bool valid = size > 0 && size <= kMaxSize;
    specs.push_back({id, size, valid ? SurfaceFormsHash(NumberedForms(name, size)) : "", "core"});
  }
  VocabularyLayout layout;
  for (const BlockSpec& spec : specs) {
    UNIVAL_RETURN_IF_ERROR(CheckSpec(spec));
    AppendBlock(spec, &layout);
  }
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  return layout;
}

absl::StatusOr<VocabularyLayout> AddBlocks(const VocabularyLayout& layout,
                                           std::vector<BlockSpec> specs) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  std::sort(specs.begin(), specs.end(),
            [](const BlockSpec& a, const BlockSpec& b) { return a.id < b.id; });
  VocabularyLayout grown = layout;
  for (size_t i = 0; i < specs.size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(CheckSpec(specs[i]));
    if (i > 0 && specs[i].id == specs[i - 1].id) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary block \"", specs[i].id, "\" is to be added twice"));
    }
    if (VocabularyBlock* block = FindMutable(specs[i].id, &grown)) {
      UNIVAL_RETURN_IF_ERROR(Reuse(specs[i], block));
    } else {
      AppendBlock(specs[i], &grown);
    }
  }
  return grown;
}

absl::StatusOr<VocabularyLayout> RetireBlock(const VocabularyLayout& layout, absl::string_view id) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  VocabularyLayout changed = layout;
  VocabularyBlock* block = FindMutable(id, &changed);
  if (!block) return UnknownBlock(layout, id);
  if (id == kSpecial || block->retired()) {
    return absl::FailedPreconditionError(
        absl::StrCat("vocabulary block \"", id, "\" ",
                     block->retired() ? "is retired already" : "cannot be retired"));
  }
  block->set_retired(true);
  return changed;
}

absl::StatusOr<VocabularyLayout> GrowBlock(const VocabularyLayout& layout, absl::string_view id,
                                           const BlockGrowth& growth) {
  UNIVAL_RETURN_IF_ERROR(ValidateLayout(layout));
  VocabularyLayout grown = layout;
  VocabularyBlock* block = FindMutable(id, &grown);
  if (!block) return UnknownBlock(layout, id);
  const int64_t old_size = BlockSize(*block);
  if (growth.size <= old_size || growth.size > kMaxSize || id == kSpecial) {
    return absl::InvalidArgumentError(absl::StrCat("vocabulary block \"", id, "\" has ", old_size,
                                                   " entries and cannot become ", growth.size));
  }
  if (block->retired()) {
    return absl::FailedPreconditionError(
        absl::StrCat("vocabulary block \"", id, "\" is retired; add it again before growing it"));
  }
  if (growth.prefix_hash != block->content_hash()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "vocabulary block \"", id, "\": its ", old_size, " entries have content hash \"",
        block->content_hash(), "\", the first ", old_size, " of the larger block have \"",
        growth.prefix_hash, "\"; growth may only append"));
  }
  AppendExtent(LayoutSize(layout), old_size, growth.size - old_size, block);
  block->set_content_hash(growth.content_hash);
  return grown;
}

absl::Status ValidateLayout(const VocabularyLayout& layout) {
  std::set<std::string> ids;
  for (const VocabularyBlock& block : layout.blocks()) {
    UNIVAL_RETURN_IF_ERROR(CheckId(block.id()));
    if (!ids.insert(block.id()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary block \"", block.id(), "\" is listed twice"));
    }
    UNIVAL_RETURN_IF_ERROR(CheckExtents(block));
  }
  const VocabularyBlock* special = FindBlock(layout, kSpecial);
  if (!special || special->extents_size() != 1 || special->extents(0).begin() != 0 ||
      special->extents(0).size() != kSpecialSize || special->retired()) {
    return absl::InvalidArgumentError(
        "vocabulary: expected block \"core.special\" at ids 0 .. 3 (<s> <pad> </s> <unk>)");
  }
  return CheckCoverage(layout);
}

std::vector<RetiredTokens> RetiredTokensOf(const VocabularyLayout& layout) {
  std::vector<RetiredTokens> retired;
  for (const VocabularyBlock& block : layout.blocks()) {
    if (!block.retired()) continue;
    for (const VocabularyExtent& extent : block.extents()) {
      retired.push_back({block.id(), {extent.begin(), extent.begin() + extent.size()}});
    }
  }
  return retired;
}

std::string Fingerprint(const VocabularyLayout& layout) {
  Sha256 hash;
  hash.UpdateField("unival vocabulary 1");
  hash.UpdateInteger(layout.blocks_size());
  for (const VocabularyBlock& block : layout.blocks()) {
    hash.UpdateField(block.id());
    hash.UpdateField(block.content_hash());
    hash.UpdateInteger(block.retired());
    hash.UpdateInteger(block.extents_size());
    for (const VocabularyExtent& extent : block.extents()) {
      hash.UpdateInteger(extent.begin());
      hash.UpdateInteger(extent.local_begin());
      hash.UpdateInteger(extent.size());
    }
  }
  return hash.HexDigest();
}

std::string SurfaceFormsHash(const std::vector<std::string>& forms) {
  return SurfaceFormsHash(forms, static_cast<int64_t>(forms.size()));
}

std::string SurfaceFormsHash(const std::vector<std::string>& forms, int64_t prefix) {
  Sha256 hash;
  for (int64_t i = 0; i < prefix && i < static_cast<int64_t>(forms.size()); ++i) {
    hash.UpdateField(forms[i]);
  }
  return hash.HexDigest();
}

}  // namespace unival
