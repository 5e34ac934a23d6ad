// unival: layout.h
//
// The unified vocabulary's layout and the explicit acts that change it. A token's identity is
// (block id, local index); its global id is a view that the layout stores. Layouts only ever grow
// at the end: nothing moves, nothing is reused.
//
//   UNIVAL_ASSIGN_OR_RETURN(VocabularyLayout layout,
//                           BaseLayout({"core.bpe", 50260, hash, true, 8192, 1000}));
//   const BlockSpec bins = {"depth.bin", 256, hash, "depth"};
//   UNIVAL_ASSIGN_OR_RETURN(layout, AddBlocks(layout, {bins}));
//   layout = *RetireBlock(layout, "depth.bin");   // its rows stay, its tokens are never generated
//   layout = *AddBlocks(layout, {bins});          // the same ids again
//
// All functions are pure: they give a new layout and leave the argument alone. Thread-safe.
#ifndef UNIVAL_BACKBONE_VOCABULARY_LAYOUT_H_
#define UNIVAL_BACKBONE_VOCABULARY_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/vocabulary.pb.h"

namespace unival {

struct BlockSpec {
  std::string id;            // "depth.bin": lower_snake words joined by dots
  int64_t size = 0;          // > 0
  std::string content_hash;  // sha256 over the ordered surface forms; empty: no meaning to guard
  std::string owner;         // plugin id; "core" for the host's own
};

// Sizes of the base layout, in the order of ids: core.special (4), the text block, core.mask,
// core.image_code, core.location_bin. Zero leaves a block out.
struct BaseBlocks {
  std::string text_block = "core.bpe";
  int64_t text_size = 0;
  std::string text_hash;
  bool mask = true;
  int64_t image_codes = 0;
  int64_t location_bins = 0;
};
absl::StatusOr<VocabularyLayout> BaseLayout(const BaseBlocks& blocks);

// Blocks added together are ordered by id (bytewise), so the order of `specs` does not matter. A
// block that is there with the same size and hash is used, and revived if retired.
// FailedPrecondition: another hash (its rows would mean something else), or another size (see
// GrowBlock). InvalidArgument: malformed id, size < 1, the same id twice.
absl::StatusOr<VocabularyLayout> AddBlocks(const VocabularyLayout& layout,
                                           std::vector<BlockSpec> specs);

// Keeps rows and ids, masks the logits. NotFound; FailedPrecondition for core.special, or if it is
// retired already.
absl::StatusOr<VocabularyLayout> RetireBlock(const VocabularyLayout& layout, absl::string_view id);

// Makes a block larger: local indices [old size, size) get a new extent at the end of the layout.
struct BlockGrowth {
  int64_t size = 0;          // the new size
  std::string prefix_hash;   // over the first [old size] surface forms; must equal the block's hash
  std::string content_hash;  // over all `size` surface forms
};
// InvalidArgument when shrinking; FailedPrecondition when the prefix means something else or the
// block is retired.
absl::StatusOr<VocabularyLayout> GrowBlock(const VocabularyLayout& layout, absl::string_view id,
                                           const BlockGrowth& growth);

// Checks what every layout must hold: ids unique and well-formed, core.special = [0, 4) first,
// extents of a block ordered and gapless, all extents together exactly [0, V). InvalidArgument
// names block and extent.
absl::Status ValidateLayout(const VocabularyLayout& layout);

// V, one past the largest global id; padding is never part of it.
int64_t LayoutSize(const VocabularyLayout& layout);
int64_t BlockSize(const VocabularyBlock& block);
const VocabularyBlock* FindBlock(const VocabularyLayout& layout, absl::string_view id);

// Global ids of a retired block: one of its extents.
struct RetiredTokens {
  std::string block;
  TokenRange range;
};
// All of them; they are never generated (backbone/generation/generate.h).
std::vector<RetiredTokens> RetiredTokensOf(const VocabularyLayout& layout);

// sha256 over everything that gives ids their meaning. Whatever stores global ids (tokenised data,
// dumps) stores this too.
std::string Fingerprint(const VocabularyLayout& layout);

// sha256 over ordered surface forms; the content hash of a block. `prefix`: only the first that
// many forms.
std::string SurfaceFormsHash(const std::vector<std::string>& forms);
std::string SurfaceFormsHash(const std::vector<std::string>& forms, int64_t prefix);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_VOCABULARY_LAYOUT_H_
