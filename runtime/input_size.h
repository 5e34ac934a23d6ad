// unival: input_size.h
//
// Another size of what an encoder sees than a model was stored with: pictures of more pixels, more
// frames, longer sounds. What a connection was trained for stays checked: the width of the
// features, the kind of their positions, and that the position table has a row for each. The size
// itself is free, since every position is where it was on the grid.
//
//   UNIVAL_RETURN_IF_ERROR(SetInputSize("480x480", &config));        // of modality "image"
//   UNIVAL_ASSIGN_OR_RETURN(const ResizedInput resized, CompareInputs(*stored, *now));
//   UNIVAL_RETURN_IF_ERROR(CheckPositions(resized, position_rows, side));
//   SpreadPositions(resized, side, positions);
//
// Functions are thread-safe but for the tensor that SpreadPositions changes.
#ifndef UNIVAL_RUNTIME_INPUT_SIZE_H_
#define UNIVAL_RUNTIME_INPUT_SIZE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/native/modality.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

// "image=480x480" as modality and size. InvalidArgument says what is expected.
absl::StatusOr<std::pair<std::string, std::string>> ParseInputSize(absl::string_view text);

// InvalidArgument for what is no size of any modality: one to three whole numbers above 0 with "x"
// between them.
absl::Status CheckInputSize(absl::string_view size);

// Sizes of pictures are WIDTHxHEIGHT in pixels, or one number for a square; of videos
// FRAMESxWIDTHxHEIGHT, or the number of frames; of sounds the number of samples. InvalidArgument
// for another form, and for a modality that has no such size, as a plugin's.
absl::Status SetInputSize(const std::string& size, ModalityConfig* config);

// Explains the error `made` that came from making a modality with the size `now`: a network that
// reads frames as channels takes no other number of frames than `stored` has. All other statuses
// are returned as they are.
absl::Status ExplainFrames(const absl::Status& made, const ModalityConfig& stored,
                           const ModalityConfig& now);

// The feature map of a modality with its stored size, and with another one.
struct ResizedInput {
  std::string stored_schema;  // the feature_schema that adapters of the directory name
  bool is_grid = false;
  int64_t stored_height = 0, stored_width = 0;  // of the feature map
  int64_t height = 0, width = 0;
  int64_t positions = 0;  // of one item
};

// FailedPrecondition when the features are others: another width, other positions. Unimplemented
// for modalities of plugins, whose feature maps the host does not know.
absl::StatusOr<ResizedInput> CompareInputs(const Modality& stored, const Modality& now);

// Whether a grid of `side` x `side` cells and a table of `rows` rows have a place for every
// position. InvalidArgument with both sizes and the remedy.
absl::Status CheckPositions(const ResizedInput& resized, int64_t rows, int64_t side);

// Fills the rows of the table `positions` [rows, D] that belong to the new grid, where it has more
// cells than the stored grid: by bilinear interpolation of the stored grid's rows (align_corners
// false), as the reference's interpolate_position does. Otherwise, and for sequences, the table
// stays as it is. Returns whether it was changed.
bool SpreadPositions(const ResizedInput& resized, int64_t side, at::Tensor positions);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_INPUT_SIZE_H_
