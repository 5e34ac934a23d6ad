#include "sdk/native/modality.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

absl::Status CheckIndex(const PreprocessedBatch& batch, size_t index) {
  if (batch.samples.empty()) return absl::InvalidArgumentError("batch: no samples");
  for (const PreprocessedSample& sample : batch.samples) {
    if (index >= sample.tensors.size()) {
      return absl::InvalidArgumentError(absl::StrCat("batch: sample has ", sample.tensors.size(),
                                                     " tensors, tensor ", index, " was asked for"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Modality::~Modality() = default;
FeatureEncoder::~FeatureEncoder() = default;

std::vector<int64_t> FeatureEncoder::InputShape(const EncoderInput& input) const {
  return {input.channels * input.frames, input.height, input.width};
}

absl::StatusOr<at::Tensor> StackSamples(const PreprocessedBatch& batch, size_t index) {
  if (absl::Status status = CheckIndex(batch, index); !status.ok()) return status;
  std::vector<at::Tensor> rows;
  rows.reserve(batch.samples.size());
  for (const PreprocessedSample& sample : batch.samples) {
    const at::Tensor& tensor = sample.tensors[index];
    if (!rows.empty() && tensor.sizes() != rows.front().sizes()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "batch: samples differ in shape: ", ShapeText(rows.front()), " and ", ShapeText(tensor)));
    }
    rows.push_back(tensor);
  }
  return at::stack(rows);
}

absl::StatusOr<PaddedBatch> PadSamples(const PreprocessedBatch& batch, size_t index) {
  if (absl::Status status = CheckIndex(batch, index); !status.ok()) return status;
  const at::Tensor& first = batch.samples.front().tensors[index];
  int64_t longest = 0;
  for (const PreprocessedSample& sample : batch.samples) {
    const at::Tensor& tensor = sample.tensors[index];
    if (tensor.dim() < 1 || tensor.dim() != first.dim() ||
        tensor.sizes().slice(1) != first.sizes().slice(1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("batch: samples differ beyond their first dimension: ", ShapeText(first),
                       " and ", ShapeText(tensor)));
    }
    longest = std::max(longest, tensor.size(0));
  }
  std::vector<int64_t> shape = first.sizes().vec();
  shape[0] = longest;
  shape.insert(shape.begin(), static_cast<int64_t>(batch.samples.size()));
  PaddedBatch padded;
  padded.values = at::zeros(shape, first.options());
  padded.padding = at::ones({shape[0], longest}, first.options().dtype(at::kBool));
  for (int64_t row = 0; row < shape[0]; ++row) {
    const at::Tensor& tensor = batch.samples[row].tensors[index];
    padded.values.select(0, row).narrow(0, 0, tensor.size(0)).copy_(tensor);
    padded.padding.select(0, row).narrow(0, 0, tensor.size(0)).fill_(false);
  }
  return padded;
}

ModalityFeatures GridFeatures(const at::Tensor& feature_map) {
  const int64_t batch = feature_map.size(0), height = feature_map.size(2),
                width = feature_map.size(3);
  ModalityFeatures features;
  features.values = feature_map.flatten(2).transpose(1, 2);
  const auto options = feature_map.options().dtype(at::kLong);
  at::Tensor rows = at::arange(height, options).unsqueeze(1).expand({height, width});
  at::Tensor columns = at::arange(width, options).unsqueeze(0).expand({height, width});
  features.positions =
      at::stack({rows, columns}, -1).view({1, height * width, 2}).expand({batch, -1, -1});
  return features;
}

ModalityFeatures SequenceFeatures(const at::Tensor& feature_map) {
  ModalityFeatures features;
  features.values = feature_map.flatten(2).transpose(1, 2);
  features.positions = at::arange(features.values.size(1), feature_map.options().dtype(at::kLong))
                           .unsqueeze(0)
                           .expand({feature_map.size(0), -1});
  return features;
}

}  // namespace unival
