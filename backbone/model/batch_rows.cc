#include "backbone/model/batch_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace unival {

bool IsWholeBatch(const std::vector<int64_t>& rows, int64_t batch) {
  if (static_cast<int64_t>(rows.size()) != batch) return false;
  for (int64_t i = 0; i < batch; ++i) {
    if (rows[i] != i) return false;
  }
  return true;
}

at::Tensor SelectRows(const at::Tensor& x, const std::vector<int64_t>& rows) {
  if (!x.defined() || IsWholeBatch(rows, x.size(0))) return x;
  return x.index_select(0, at::tensor(rows, at::kLong).to(x.device()));
}

at::Tensor SharedRow(const at::Tensor& ids) {
  const bool shared = ids.size(0) == 1 || ids.eq(ids.narrow(0, 0, 1)).all().item<bool>();
  return shared ? ids.narrow(0, 0, 1) : ids;
}

at::Tensor Assemble(const std::vector<at::Tensor>& parts, int64_t width,
                    const std::vector<int64_t>& order, double fill) {
  std::vector<at::Tensor> padded;
  int64_t count = 0;
  for (const at::Tensor& part : parts) {
    std::vector<int64_t> pad(2 * (part.dim() - 1), 0);
    pad.back() = width - part.size(1);
    padded.push_back(at::constant_pad_nd(part, pad, fill));
    count += part.size(0);
  }
  std::vector<int64_t> empty_row = padded.front().sizes().vec();
  empty_row[0] = 1;
  padded.push_back(at::full(empty_row, fill, padded.front().options()));
  std::vector<int64_t> sources = order;
  std::replace(sources.begin(), sources.end(), int64_t{-1}, count);
  const at::Tensor index = at::tensor(sources, at::kLong).to(padded.front().device());
  return at::cat(padded).index_select(0, index);
}

}  // namespace unival
