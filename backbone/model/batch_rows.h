// unival: batch_rows.h - picks rows of a batch, and puts rows that were computed apart back in
// order. For encoder.cc.
#ifndef UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_
#define UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace unival {

// Whether `rows` is 0, 1, ..., `batch` - 1.
bool IsWholeBatch(const std::vector<int64_t>& rows, int64_t batch);

// The rows `rows` of `x` [B, ...]; undefined where `x` is undefined.
at::Tensor SelectRows(const at::Tensor& x, const std::vector<int64_t>& rows);

// `ids` [B, N] -> its first row [1, N] where all rows are equal, else `ids` itself.
at::Tensor SharedRow(const at::Tensor& ids);

// Joins rows that were computed apart. Each of `parts`, [n_i, N_i, ...], is padded with `fill` to
// [n_i, width, ...], and all are stacked. Row r of the result is row order[r] of the stack; where
// order[r] is -1 it holds `fill`.
at::Tensor Assemble(const std::vector<at::Tensor>& parts, int64_t width,
                    const std::vector<int64_t>& order, double fill);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_
