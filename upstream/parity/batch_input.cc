#include "upstream/parity/batch_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace parity {
namespace {

ModalityFeatures SelectRows(const ModalityFeatures& features, const std::vector<int64_t>& rows) {
  const at::Tensor index = at::tensor(rows, at::kLong);
  return {features.values.index_select(0, index), {}, features.positions.index_select(0, index)};
}

// Rows whose type is `type`, split by their mask.
struct Rows {
  std::vector<int64_t> seen, masked;
};

Rows RowsOfType(int64_t type, int64_t batch, const at::Tensor& types, const at::Tensor& masks) {
  Rows rows;
  for (int64_t row = 0; row < batch; ++row) {
    if (types.defined() && types[row].item<int64_t>() != type) continue;
    const bool seen = !masks.defined() || masks[row].item<bool>();
    (seen ? rows.seen : rows.masked).push_back(row);
  }
  return rows;
}

// A row whose medium is masked has none, as long as another row shows how long it would be.
void AddSegment(const std::string& modality, const ModalityFeatures& all, const Rows& rows,
                int64_t type_row, ModelInput* input) {
  ModalitySegment segment{modality, rows.seen, {}, type_row};
  if (rows.seen.empty()) {
    segment.rows = rows.masked;
    segment.features = SelectRows(all, rows.masked);
    segment.features.padding = at::ones(segment.features.values.sizes().slice(0, 2), at::kBool);
  } else {
    segment.features = SelectRows(all, rows.seen);
  }
  input->segments.push_back(std::move(segment));
}

}  // namespace

InputSource InputsOf(const Fixture& fixture, const Fixture::Entry& entry) {
  return [&fixture, &entry](const std::string& field) { return fixture.Input(entry, field); };
}

absl::StatusOr<BatchInput> MakeBatchInput(const InputSource& input, ReferenceModel& model) {
  BatchInput made;
  UNIVAL_ASSIGN_OR_RETURN(made.input.source_tokens, input("src_tokens"));
  if (!made.input.source_tokens.defined()) return absl::NotFoundError("it has no src_tokens");
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor types, input("patch_types"));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor masks, input("patch_masks"));
  const int64_t batch = made.input.source_tokens.size(0);
  int64_t type = 0;
  for (const MediaField& kind : kMediaFields) {
    const Rows rows = RowsOfType(type++, batch, types, masks);
    if (rows.seen.empty() && rows.masked.empty()) continue;
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor media, input(kind.field));
    if (!media.defined()) continue;
    if (!model.Has(kind.modality)) {
      return absl::FailedPreconditionError(
          absl::StrCat(kind.field, ": the model has no modality ", kind.modality));
    }
    made.masked = made.masked || !rows.masked.empty();
    // The second image of a row stands first and has a type row of its own.
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor second, input(absl::StrCat(kind.field, "_2")));
    if (second.defined()) {
      AddSegment(kind.modality, model.Features(kind.modality, second), rows, 2, &made.input);
    }
    AddSegment(kind.modality, model.Features(kind.modality, media), rows, -1, &made.input);
  }
  return made;
}

at::Tensor PerRow(const Json& sample, const std::string& field) {
  const Json& values = OrNull(sample, field);
  return values.is_null() ? at::Tensor() : at::tensor(values.get<std::vector<int>>(), at::kLong);
}

ModelInput RepeatRows(ModelInput input) {
  const auto twice = [](const at::Tensor& tensor) {
    return tensor.defined() ? at::cat({tensor, tensor}) : tensor;
  };
  const int64_t batch = input.source_tokens.size(0);
  input.source_tokens = twice(input.source_tokens);
  for (ModalitySegment& segment : input.segments) {
    const size_t rows = segment.rows.size();
    for (size_t i = 0; i < rows; ++i) segment.rows.push_back(segment.rows[i] + batch);
    segment.features = {twice(segment.features.values), twice(segment.features.padding),
                        twice(segment.features.positions)};
  }
  return input;
}

}  // namespace parity
}  // namespace unival
