// unival: connection.h
//
// `Connection` maps the features of one modality into the backbone's embedding space. It is all
// that is trained when a modality is added cheaply: encoder and backbone stay as they are.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto connection, Connection::Create(config, backbone));
//   ModalityFeatures features = connection->Spread(encoded);                   // [B, N, F]
//   at::Tensor x = connection->Project(features.values);                       // [B, N, D]
//   at::Tensor ids = connection->PositionIds(features);                        // [B, N]
//   at::Tensor p = connection->PositionVectors(ids, features);                 // [B, N, D]
//
// Parameters: weight [D, F], or [maps, D, F] with position_maps; bias [D], positions [rows, D];
// type_row [D] unless a row of the backbone's type embedding is shared; norm.{weight,bias} [D] with
// layernorm_features. Buffers with standardize_features: feature_mean [F], feature_std [F], 0 and 1
// until training measures them (training/run/feature_statistics.h).
// Formula: y_i = W_min(i, maps - 1) (x_i - mean) / std + b at position i of a row, where x_i is
// feature i / positions_per_feature.
// Shapes: B rows, N positions of one modality, F feature width, D model width.
// Threads: thread-compatible.
// Errors: Create returns InvalidArgument; the others throw c10::Error that names the modality, the
// value and the limit.
#ifndef UNIVAL_BACKBONE_CONNECTION_CONNECTION_H_
#define UNIVAL_BACKBONE_CONNECTION_CONNECTION_H_

#include <torch/nn/module.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/layers/basic.h"
#include "backbone/layers/branches.h"
#include "sdk/native/modality.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// InvalidArgument names the field, its value and what is possible.
absl::Status ValidateConnectionConfig(const ConnectionConfig& config,
                                      const BackboneConfig& backbone);

// Rows of the position table: those of the configuration, or one per grid cell and one for "no
// position".
int64_t PositionRows(const ConnectionConfig& config, const BackboneConfig& backbone);

class Connection : public torch::nn::Module, public layers::Branched {
 public:
  static absl::StatusOr<std::shared_ptr<Connection>> Create(const ConnectionConfig& config,
                                                            const BackboneConfig& backbone);
  // For Create: the configuration has been validated.
  Connection(const ConnectionConfig& config, const BackboneConfig& backbone);

  const ConnectionConfig& config() const { return config_; }

  // Each of n features at positions_per_feature positions in a row: [B, n, F] -> [B, N, F].
  // Features of a grid or without positions stand several times at the same place.
  ModalityFeatures Spread(const ModalityFeatures& features) const;

  // Values [B, N, F] of any floating dtype -> [B, N, D] in the weights' dtype. What adapters attach
  // is given the standardized values and stands before the norm.
  at::Tensor Project(const at::Tensor& values) const;

  // Position ids [B, N] int64 on the backbone's position grid; padded positions and features
  // without positions have id 0. Grid: row * side + column + 1. Sequence of n positions: folded row
  // by row into the smallest square that holds n, where n counts a row's own positions, so that
  // padding of a batch changes nothing.
  at::Tensor PositionIds(const ModalityFeatures& features) const;

  // Rows of the position table, [B, N, D]. With interpolate_position, grids with more cells than
  // the table was trained for take theirs from the resized table.
  at::Tensor PositionVectors(const at::Tensor& ids, const ModalityFeatures& features) const;

  // This modality's own type row [D], undefined where a row of the backbone is shared.
  const at::Tensor& type_row() const { return type_row_; }

 private:
  void FillFresh(double bound, double position_std);

  at::Tensor GridIds(const at::Tensor& positions, const at::Tensor& padding) const;
  at::Tensor SequenceIds(const at::Tensor& positions, const at::Tensor& padding) const;
  at::Tensor ResizedPositions(int64_t height, int64_t width) const;
  at::Tensor Standardized(const at::Tensor& values) const;
  at::Tensor Mapped(const at::Tensor& values) const;

  ConnectionConfig config_;
  int64_t side_;  // of the position grid
  // Side of the grid that the table was trained for; 0 = never interpolate.
  int64_t interpolate_side_;
  at::Tensor weight_, bias_, positions_, type_row_;
  at::Tensor feature_mean_, feature_std_;  // undefined without standardize_features
  std::shared_ptr<layers::LayerNorm> norm_;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_CONNECTION_CONNECTION_H_
