// unival: vocabulary_edit.h
//
// The explicit acts that change the vocabulary of a model directory: blocks are added at the end,
// revived, grown and retired. Ids never move, so adapters keep fitting.
//
//   VocabularyEdit edit;
//   edit.model = "models/mine";
//   UNIVAL_ASSIGN_OR_RETURN(VocabularyChange change,
//                           AddVocabularyBlocks(edit, {{"depth.bin", 256, "", "depth"}}));
//
// The model is written in one step, to `output` or over itself, with one more entry in its lineage.
// Errors: NotFound and FailedPrecondition name model and block (backbone/vocabulary/layout.h says
// which acts are possible); writing is as ModelDirectoryWriter says.
#ifndef UNIVAL_BACKBONE_STORAGE_VOCABULARY_EDIT_H_
#define UNIVAL_BACKBONE_STORAGE_VOCABULARY_EDIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/vocabulary/layout.h"

namespace unival {

struct VocabularyEdit {
  std::string model;   // model directory
  std::string output;  // where the changed one goes; empty: `model` itself
  // Of rows that no block had before: one of FreshRowKinds(). They are a function of the block's id
  // and the seed alone.
  std::string fresh_rows = "normal";
  uint64_t seed = 1;
};

struct VocabularyChange {
  std::string output;
  int64_t tokens_before = 0, tokens = 0;
};

// "normal": deviation 1 / sqrt(D); "mean": of the text block's rows.
std::vector<std::string> FreshRowKinds();

// Appends blocks or revives them. Of a block of the model's own (owner "core") only one that is
// there can be given. `grow`: blocks that are there and smaller get larger, which is an error
// otherwise.
absl::StatusOr<VocabularyChange> AddVocabularyBlocks(const VocabularyEdit& edit,
                                                     std::vector<BlockSpec> blocks, bool grow);

// Keeps the block's ids and rows, and never generates them. FailedPrecondition for the tokenizer's.
absl::StatusOr<VocabularyChange> RetireVocabularyBlock(const VocabularyEdit& edit,
                                                       const std::string& block);

// "depth" of "depth.bin".
std::string BlockOwner(const std::string& block);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_VOCABULARY_EDIT_H_
