#include "runtime/input_size.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <cmath>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "modalities/base/encoded_modality.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int64_t kLargest = 1 << 28;

absl::StatusOr<std::vector<int32_t>> NumbersOfSize(absl::string_view size) {
  std::vector<int32_t> numbers;
  for (const absl::string_view part : absl::StrSplit(size, 'x')) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(part, &number) || number < 1 || number > kLargest) {
      return InvalidArgument(
          "expected whole numbers above 0 with x between them, such as 480x480, ", "got \"", size,
          "\"");
    }
    numbers.push_back(static_cast<int32_t>(number));
  }
  return numbers;
}

absl::Status WrongForm(absl::string_view modality, absl::string_view expected,
                       absl::string_view size) {
  return InvalidArgument("input_size of modality \"", modality, "\": expected ", expected,
                         ", got \"", size, "\"");
}

ResizedInput Describe(const EncodedModality& modality) {
  const std::vector<int64_t>& grid = modality.feature_grid();
  ResizedInput described;
  described.is_grid = modality.info().position_kind == PositionKind::kGrid;
  described.height = grid[grid.size() - 2];
  described.width = grid.back();
  described.positions = modality.info().max_positions;
  return described;
}

// Rows of the table that belong to the cells of a grid of this size, [h, w].
at::Tensor CellIds(int64_t height, int64_t width, int64_t side) {
  return at::arange(height, at::kLong).unsqueeze(1) * side +
         at::arange(width, at::kLong).unsqueeze(0) + 1;
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> ParseInputSize(absl::string_view text) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
  if (parts.first.empty() || parts.second.empty()) {
    return InvalidArgument("expected MODALITY=SIZE, such as image=480x480, got \"", text, "\"");
  }
  UNIVAL_RETURN_IF_ERROR(CheckInputSize(parts.second));
  return parts;
}

absl::Status CheckInputSize(absl::string_view size) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, NumbersOfSize(size));
  if (numbers.size() <= 3) return absl::OkStatus();
  return InvalidArgument("expected at most three numbers, frames x width x height, got \"", size,
                         "\"");
}

absl::Status SetInputSize(const std::string& size, ModalityConfig* config) {
  UNIVAL_RETURN_IF_ERROR(
      Annotate(CheckInputSize(size), "input_size of modality \"", config->id(), "\""));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, NumbersOfSize(size));
  if (config->has_image()) {
    if (numbers.size() > 2) return WrongForm(config->id(), "WIDTHxHEIGHT in pixels", size);
    config->mutable_image()->set_width(numbers.front());
    config->mutable_image()->set_height(numbers.back());
  } else if (config->has_video()) {
    if (numbers.size() == 2) {
      return WrongForm(config->id(), "FRAMESxWIDTHxHEIGHT, or the number of frames", size);
    }
    config->mutable_video()->set_frames(numbers[0]);
    if (numbers.size() == 1) return absl::OkStatus();
    config->mutable_video()->set_width(numbers[1]);
    config->mutable_video()->set_height(numbers[2]);
  } else if (config->has_audio()) {
    if (numbers.size() > 1) return WrongForm(config->id(), "the number of samples", size);
    config->mutable_audio()->set_max_samples(numbers[0]);
  } else {
    return InvalidArgument("input_size of modality \"", config->id(),
                           "\": expected a modality with image, video or audio { }, got one of a ",
                           "plugin, which has no such size; change it in its plugin or options");
  }
  return absl::OkStatus();
}

absl::Status ExplainFrames(const absl::Status& made, const ModalityConfig& stored,
                           const ModalityConfig& now) {
  const int32_t frames = stored.video().frames();
  const bool is_other = stored.has_video() && frames != now.video().frames();
  if (made.ok() || !is_other || !absl::StrContains(made.message(), "channels")) return made;
  return absl::Status(
      made.code(),
      absl::StrCat("this network reads frames as channels, so their number belongs to the model: "
                   "expected ",
                   frames, " frames, got ", now.video().frames(), "; keep them, as in ", now.id(),
                   "=", frames, "x128x128 (", made.message(), ")"));
}

absl::StatusOr<ResizedInput> CompareInputs(const Modality& stored, const Modality& now) {
  const auto* before = dynamic_cast<const EncodedModality*>(&stored);
  const auto* after = dynamic_cast<const EncodedModality*>(&now);
  const ModalityInfo &was = stored.info(), &is = now.info();
  const std::string where = absl::StrCat("input_size of modality \"", is.id, "\": ");
  if (before == nullptr || after == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        where, "expected a built-in type of modality, got \"", is.type,
        "\" of a plugin, whose feature map is not known here; change its size in the plugin"));
  }
  if (was.feature_dim != is.feature_dim || was.position_kind != is.position_kind) {
    return absl::FailedPreconditionError(absl::StrCat(
        where, "expected features of width ", was.feature_dim, " as ", was.feature_schema,
        " has, got ", is.feature_dim, " of ", is.feature_schema,
        "; with this network the size is part of what features mean: train a new connection"));
  }
  ResizedInput resized = Describe(*after);
  const ResizedInput previous = Describe(*before);
  resized.stored_schema = was.feature_schema;
  resized.stored_height = previous.height;
  resized.stored_width = previous.width;
  return resized;
}

absl::Status CheckPositions(const ResizedInput& resized, int64_t rows, int64_t side) {
  int64_t height = resized.height, width = resized.width;
  if (!resized.is_grid) {
    // A sequence is folded into the smallest square that holds it.
    height = width =
        static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(resized.positions))));
  }
  const int64_t last = (height - 1) * side + width;
  if (height <= side && width <= side && last < rows) return absl::OkStatus();
  return InvalidArgument("expected an input whose positions fit the table: a grid of ", side, " x ",
                         side, " cells (image_bucket_size) with ", rows, " rows, got ",
                         resized.is_grid ? absl::StrCat(height, " x ", width, " positions")
                                         : absl::StrCat("a sequence of ", resized.positions),
                         "; choose a smaller size");
}

bool SpreadPositions(const ResizedInput& resized, int64_t side, at::Tensor positions) {
  const int64_t before = resized.stored_height * resized.stored_width;
  if (!resized.is_grid || resized.height * resized.width <= before) return false;
  const at::NoGradGuard no_grad;
  const at::Tensor trained =
      positions.index({CellIds(resized.stored_height, resized.stored_width, side)});
  const at::Tensor spread =
      at::upsample_bilinear2d(trained.permute({2, 0, 1}).unsqueeze(0),
                              {resized.height, resized.width}, /*align_corners=*/false)
          .squeeze(0)
          .permute({1, 2, 0});
  positions.index_put_({CellIds(resized.height, resized.width, side)}, spread);
  return true;
}

}  // namespace unival
