// unival: batch_rows.h - picks rows of a batch, and puts rows that were computed apart back in
// order. For encoder.cc.
#ifndef UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_
#define UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace unival {

// Whether `rows` are 0, 1, ... `batch` - 1.
bool IsWholeBatch(const std::vector<int64_t>& rows, int64_t batch);

// Those rows of `x` [B, ...]; undefined where `x` is.
at::Tensor SelectRows(const at::Tensor& x, const std::vector<int64_t>& rows);

// The first row alone if every row of `ids` [B, N] equals it.
at::Tensor SharedRow(const at::Tensor& ids);

// `parts` [n_i, N_i, ...] padded with `fill` to `width`, stacked, and reordered: row r of the
// result is stacked row order[r]; order -1 is a row of `fill`.
at::Tensor Assemble(const std::vector<at::Tensor>& parts, int64_t width,
                    const std::vector<int64_t>& order, double fill);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_BATCH_ROWS_H_
