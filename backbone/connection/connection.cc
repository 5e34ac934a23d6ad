#include "backbone/connection/connection.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/layers/packed_weights.h"
#include "sdk/base/fresh_weights.h"
#include "sdk/base/names.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The reference measures the grid that the table was trained for in cells of this many pixels.
constexpr int64_t kPixelsPerCell = 16;

// Far above any real model, and low enough that no single size can exhaust the memory.
constexpr int64_t kMaxPositionRows = int64_t{1} << 20, kMaxFeatureDim = int64_t{1} << 20;
constexpr int64_t kMaxPositionMaps = 4096, kMaxWeights = int64_t{1} << 31;
constexpr int64_t kMaxPositionsPerFeature = 1024;

// Names become parts of parameter names and of file names.
bool IsIdentifier(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsLowerSnakeCharacter);
}

absl::Status Invalid(const ConnectionConfig& config, const std::string& problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("connection \"", config.modality(), "\": ", problem));
}

// Largest element, or `none` for an empty tensor.
int64_t Largest(const at::Tensor& x, int64_t none) {
  return x.numel() == 0 ? none : x.max().item<int64_t>();
}

at::Tensor ZeroPadded(const at::Tensor& ids, const at::Tensor& padding) {
  return padding.defined() ? ids.masked_fill(padding, 0) : ids;
}

}  // namespace

int64_t PositionRows(const ConnectionConfig& config, const BackboneConfig& backbone) {
  const int64_t side = backbone.image_bucket_size();
  return config.position_rows() > 0 ? config.position_rows() : side * side + 1;
}

// A check for each field of the message, in one piece.
absl::Status ValidateConnectionConfig(const ConnectionConfig& config,
                                      const BackboneConfig& backbone) {
  if (!IsIdentifier(config.modality())) {
    return Invalid(config, "modality must consist of a-z, 0-9 and _");
  }
  if (config.feature_dim() <= 0) {
    return Invalid(config,
                   absl::StrCat("feature_dim must be positive, got ", config.feature_dim()));
  }
  if (config.position_rows() < 0) {
    return Invalid(config, absl::StrCat("position_rows must not be negative, got ",
                                        config.position_rows(), "; 0 gives one per grid cell"));
  }
  if (config.position_rows() > kMaxPositionRows || config.feature_dim() > kMaxFeatureDim) {
    return Invalid(config, absl::StrCat("position_rows and feature_dim must be at most ",
                                        kMaxPositionRows, " and ", kMaxFeatureDim, ", got ",
                                        config.position_rows(), " and ", config.feature_dim()));
  }
  if (config.position_maps() < 0 || config.position_maps() > kMaxPositionMaps) {
    return Invalid(config, absl::StrCat("position_maps must be 0 to ", kMaxPositionMaps, ", got ",
                                        config.position_maps()));
  }
  if (config.positions_per_feature() < 0 ||
      config.positions_per_feature() > kMaxPositionsPerFeature) {
    return Invalid(config,
                   absl::StrCat("positions_per_feature must be 0 to ", kMaxPositionsPerFeature,
                                ", got ", config.positions_per_feature()));
  }
  if (config.position_maps() * config.feature_dim() >
      kMaxWeights / std::max<int64_t>(1, backbone.d_model())) {
    return Invalid(config,
                   absl::StrCat("position_maps ", config.position_maps(), " of feature_dim ",
                                config.feature_dim(), " x d_model ", backbone.d_model(),
                                " are more than ", kMaxWeights, " weights; ask for fewer"));
  }
  if (config.shared_type_row() < -1 || config.shared_type_row() >= backbone.type_rows()) {
    return Invalid(
        config,
        absl::StrCat("shared_type_row must be -1 (a row of its own) or below the backbone's "
                     "type_rows ",
                     backbone.type_rows(), ", got ", config.shared_type_row()));
  }
  if (!(config.position_init_std() >= 0 && std::isfinite(config.position_init_std()))) {
    return Invalid(config, absl::StrCat("position_init_std must not be negative, got ",
                                        config.position_init_std()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Connection>> Connection::Create(const ConnectionConfig& config,
                                                               const BackboneConfig& backbone) {
  UNIVAL_RETURN_IF_ERROR(ValidateConnectionConfig(config, backbone));
  return std::make_shared<Connection>(config, backbone);
}

Connection::Connection(const ConnectionConfig& config, const BackboneConfig& backbone)
    : config_(config),
      side_(backbone.image_bucket_size()),
      interpolate_side_(
          backbone.interpolate_position() ? backbone.orig_patch_image_size() / kPixelsPerCell : 0) {
  const int64_t d = backbone.d_model(), f = config.feature_dim(), maps = config.position_maps();
  const double std =
      config.has_position_init_std() ? config.position_init_std() : layers::kEmbeddingInitStd;
  const double bound = std::sqrt(6.0 / static_cast<double>(d + f));
  weight_ = register_parameter("weight", maps > 1 ? at::empty({maps, d, f}) : at::empty({d, f}));
  bias_ = register_parameter("bias", at::zeros({d}));
  positions_ = register_parameter("positions", at::empty({PositionRows(config, backbone), d}));
  if (config.shared_type_row() < 0) {
    type_row_ = register_parameter("type_row", at::empty({d}));
  }
  if (NeedsFreshWeights()) FillFresh(bound, std);
  if (config.layernorm_features()) {
    norm_ = register_module("norm", std::make_shared<layers::LayerNorm>(d));
  }
  if (config.standardize_features()) {
    feature_mean_ = register_buffer("feature_mean", at::zeros({f}));
    feature_std_ = register_buffer("feature_std", at::ones({f}));
  }
}

ModalityFeatures Connection::Spread(const ModalityFeatures& features) const {
  const int64_t times = config_.positions_per_feature();
  if (times <= 1) return features;
  const auto repeated = [times](const at::Tensor& x) {
    return x.defined() ? x.repeat_interleave(times, 1) : x;
  };
  ModalityFeatures spread{repeated(features.values), repeated(features.padding),
                          repeated(features.positions)};
  if (!spread.positions.defined() || spread.positions.dim() != 2) return spread;
  const at::Tensor places = at::arange(spread.positions.size(1), spread.positions.options());
  spread.positions = spread.positions * times + places.remainder(times);
  return spread;
}

at::Tensor Connection::Standardized(const at::Tensor& values) const {
  if (!feature_mean_.defined()) return values.to(weight_.scalar_type());
  const at::Tensor standard =
      (values.to(feature_mean_.scalar_type()) - feature_mean_) / feature_std_;
  return standard.to(weight_.scalar_type());
}

// One product a position, [N, B, F] x [N, F, D].
at::Tensor Connection::Mapped(const at::Tensor& values) const {
  if (weight_.dim() == 2)
    return layers::LinearProduct(values, weight_, bias_, layers::Tolerance::kEightBits);
  const at::Tensor map =
      at::arange(values.size(1), weight_.options().dtype(at::kLong)).clamp_max(weight_.size(0) - 1);
  const at::Tensor maps = weight_.index_select(0, map).transpose(1, 2);
  return at::bmm(values.transpose(0, 1), maps).transpose(0, 1) + bias_;
}

void Connection::FillFresh(double bound, double position_std) {
  const at::NoGradGuard no_grad;
  weight_.uniform_(-bound, bound);
  positions_.normal_(0, position_std);
  if (type_row_.defined()) type_row_.normal_(0, layers::kEmbeddingInitStd);
}

at::Tensor Connection::Project(const at::Tensor& values) const {
  TORCH_CHECK(values.dim() == 3 && values.size(2) == config_.feature_dim(), "connection \"",
              config_.modality(), "\": features must be [B, N, ", config_.feature_dim(), "], got ",
              values.sizes());
  const at::Tensor standard = Standardized(values);
  return ApplyIf(norm_, branches_.Apply(standard, Mapped(standard)));
}

at::Tensor Connection::PositionIds(const ModalityFeatures& features) const {
  const at::Tensor& values = features.values;
  const at::Tensor& positions = features.positions;
  if (!positions.defined()) {
    return at::zeros({values.size(0), values.size(1)}, values.options().dtype(at::kLong));
  }
  TORCH_CHECK(positions.scalar_type() == at::kLong &&
                  (positions.dim() == 2 || (positions.dim() == 3 && positions.size(2) == 2)) &&
                  positions.size(0) == values.size(0) && positions.size(1) == values.size(1),
              "connection \"", config_.modality(), "\": positions must be int64 [", values.size(0),
              ", ", values.size(1), "] (sequence) or [", values.size(0), ", ", values.size(1),
              ", 2] (grid), got ", positions.toString(), " ", positions.sizes());
  const at::Tensor ids = positions.dim() == 2 ? SequenceIds(positions, features.padding)
                                              : GridIds(positions, features.padding);
  const int64_t largest = Largest(ids, 0);
  TORCH_CHECK(largest < positions_.size(0), "connection \"", config_.modality(), "\": position id ",
              largest, " is beyond the position table of ", positions_.size(0), " rows");
  return ids;
}

at::Tensor Connection::GridIds(const at::Tensor& positions, const at::Tensor& padding) const {
  const at::Tensor used =
      ZeroPadded(positions, padding.defined() ? padding.unsqueeze(-1) : padding);
  const at::Tensor rows = used.select(2, 0), columns = used.select(2, 1);
  const int64_t row = Largest(rows, 0), column = Largest(columns, 0);
  TORCH_CHECK(row < side_ && column < side_, "connection \"", config_.modality(),
              "\": grid position (row ", row, ", column ", column,
              ") is beyond the position grid of ", side_, " x ", side_,
              " cells; make the input smaller or image_bucket_size larger");
  TORCH_CHECK(used.numel() == 0 || used.min().item<int64_t>() >= 0, "connection \"",
              config_.modality(), "\": grid positions must not be negative");
  return ZeroPadded(rows * side_ + columns + 1, padding);
}

at::Tensor Connection::SequenceIds(const at::Tensor& positions, const at::Tensor& padding) const {
  if (positions.numel() == 0) return positions;
  const at::Tensor used = ZeroPadded(positions, padding);
  TORCH_CHECK(used.min().item<int64_t>() >= 0, "connection \"", config_.modality(),
              "\": sequence positions must not be negative");
  const at::Tensor length = used.amax(1, /*keepdim=*/true) + 1;
  const at::Tensor square = length.to(at::kDouble).sqrt_().ceil_().to(at::kLong);
  TORCH_CHECK(square.max().item<int64_t>() <= side_, "connection \"", config_.modality(),
              "\": a sequence of ", length.max().item<int64_t>(), " positions is longer than the ",
              side_ * side_, " cells of the position grid (", side_, " x ", side_, ")");
  const at::Tensor ids = used.div(square, "floor").mul_(side_).add_(used.remainder(square)).add_(1);
  return ZeroPadded(ids, padding);
}

at::Tensor Connection::ResizedPositions(int64_t height, int64_t width) const {
  const at::Tensor steps = at::arange(interpolate_side_, positions_.options().dtype(at::kLong));
  const at::Tensor ids = steps.unsqueeze(1) * side_ + steps.unsqueeze(0) + 1;
  const at::Tensor trained = positions_.index({ids}).permute({2, 0, 1}).unsqueeze(0);
  return at::upsample_bilinear2d(trained, {height, width}, /*align_corners=*/false)
      .squeeze(0)
      .permute({1, 2, 0});
}

at::Tensor Connection::PositionVectors(const at::Tensor& ids,
                                       const ModalityFeatures& features) const {
  const at::Tensor table = at::embedding(positions_, ids);
  const bool grid = features.positions.defined() && features.positions.dim() == 3;
  if (interpolate_side_ == 0 || !grid) return table;
  std::vector<at::Tensor> rows;
  for (int64_t i = 0; i < ids.size(0); ++i) {
    const at::Tensor cells = (ids[i] - 1).clamp_min_(0);
    const at::Tensor row = cells.div(side_, "floor"), column = cells.remainder(side_);
    const int64_t height = Largest(row, 0) + 1, width = Largest(column, 0) + 1;
    const bool resize = height * width > interpolate_side_ * interpolate_side_;
    rows.push_back(resize ? ResizedPositions(height, width).index({row, column}) : table[i]);
  }
  return at::stack(rows);
}

}  // namespace unival
