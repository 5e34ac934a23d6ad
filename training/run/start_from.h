// unival: start_from.h
//
// A fresh model that takes over what another one has learned, where the two fit together: the way
// to a model with another tokenizer or other switches than its parent's.
//
//   UNIVAL_ASSIGN_OR_RETURN(TakenOver taken, TakeOver("models/nano", runtime, model.get()));
#ifndef UNIVAL_TRAINING_RUN_START_FROM_H_
#define UNIVAL_TRAINING_RUN_START_FROM_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "runtime/runtime.h"

namespace unival {

struct TakenOver {
  int64_t tensors = 0;     // of the same name and shape
  int64_t token_rows = 0;  // rows of the token embedding, see TakeOver
  std::string parent_backbone_sha256;
};

// Copies every tensor of the model directory that `model` has under the same name and in the same
// shape. Rows of the token embedding follow their meaning: in the tokenizer's block the text of the
// piece, in every other block its id and the index there. What is not found stays as it is,
// but fresh token rows are brought to the mean square of those taken over. Errors:
// those of loading the directory; FailedPrecondition when nothing of the backbone fits, or the
// embeddings differ in width.
absl::StatusOr<TakenOver> TakeOver(const std::string& directory, const Runtime& runtime,
                                   Model* model);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_START_FROM_H_
