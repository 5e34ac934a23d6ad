// unival: token_rows.h
//
// The token embedding of a model in the components of its vocabulary blocks.
//
//   // Block id -> [n, D]:
//   UNIVAL_ASSIGN_OR_RETURN(auto rows, SplitTokenRows(embedding, layout));
//   UNIVAL_RETURN_IF_ERROR(AddTokenComponents(embedding, layout, *writer));
//   UNIVAL_ASSIGN_OR_RETURN(embedding, ReadTokenComponents(*directory));
#ifndef UNIVAL_BACKBONE_STORAGE_TOKEN_ROWS_H_
#define UNIVAL_BACKBONE_STORAGE_TOKEN_ROWS_H_

#include <ATen/core/Tensor.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/safetensors.h"
#include "sdk/proto/vocabulary.pb.h"

namespace unival {

// Rows of each block in local order, copied: block id -> [n, D]. `embedding` is [V, D];
// InvalidArgument when V is not the layout's size.
absl::StatusOr<TensorMap> SplitTokenRows(const at::Tensor& embedding,
                                         const VocabularyLayout& layout);

// The inverse: [V, D] from block id -> [n, D]. InvalidArgument lists blocks that are missing,
// extra, or of another shape.
absl::StatusOr<at::Tensor> JoinTokenRows(const TensorMap& rows, const VocabularyLayout& layout);

// One tokens.<block> component per block, retired ones too.
absl::Status AddTokenComponents(const at::Tensor& embedding, const VocabularyLayout& layout,
                                ModelDirectoryWriter& writer);
absl::StatusOr<at::Tensor> ReadTokenComponents(const ModelDirectory& model);
// The same for a model to compute with: float16 and bfloat16 are widened to float32,
// InvalidArgument names a file with values that are no finite numbers (ReadWeights), and of float32
// the longest run of rows stays in its file, as other weights do (MoveTensorsInto in
// safetensors.h).
absl::StatusOr<at::Tensor> LoadTokenComponents(const ModelDirectory& model);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_TOKEN_ROWS_H_
