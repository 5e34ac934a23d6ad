#include "modalities/networks/networks.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/networks/pann.h"
#include "modalities/networks/residual_encoders.h"
#include "modalities/networks/small_encoders.h"
#include "sdk/native/catch_torch.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("encoder.", parts...));
}

template <typename Values>
absl::Status CheckSizes(const char* field, const Values& values, int64_t most) {
  if (values.empty()) return Invalid(field, ": is empty, expected one value per stage");
  for (int64_t value : values) {
    if (value < 1 || value > most) {
      return Invalid(field, ": ", value, ", expected 1 to ", most);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRange(const char* field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Invalid(field, ": ", value, ", expected ", least, " to ", most);
}

using MadeEncoder = absl::StatusOr<std::shared_ptr<FeatureEncoder>>;

template <typename Network, typename Config>
MadeEncoder Make(const Config& config) {
  return CatchTorch("make encoder", [&config]() -> std::shared_ptr<FeatureEncoder> {
    return std::make_shared<Network>(config);
  });
}

MadeEncoder MakeResnet(ResnetEncoder config) {
  if (config.stem_width() == 0) config.set_stem_width(64);
  if (config.widths().empty()) {
    for (int i = 0; i < config.blocks_size(); ++i) config.add_widths(64 << std::min(i, 8));
  }
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnet.blocks", config.blocks(), 256));
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnet.widths", config.widths(), 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnet.stem_width", config.stem_width(), 1, 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnet.unused_classes", config.unused_classes(), 0, 1 << 20));
  if (config.widths_size() != config.blocks_size()) {
    return Invalid("resnet.widths: ", config.widths_size(), " values for ", config.blocks_size(),
                   " stages of resnet.blocks");
  }
  return Make<Resnet>(config);
}

MadeEncoder MakeResnext3d(Resnext3dEncoder config) {
  if (config.cardinality() == 0) config.set_cardinality(32);
  UNIVAL_RETURN_IF_ERROR(CheckSizes("resnext3d.blocks", config.blocks(), 256));
  UNIVAL_RETURN_IF_ERROR(CheckRange("resnext3d.stages", config.blocks_size(), 1, 6));
  UNIVAL_RETURN_IF_ERROR(
      CheckRange("resnext3d.unused_classes", config.unused_classes(), 0, 1 << 20));
  if (config.cardinality() < 1 || 128 % config.cardinality() != 0) {
    return Invalid("resnext3d.cardinality: ", config.cardinality(), ", expected a divisor of 128");
  }
  return Make<Resnext3d>(config);
}

MadeEncoder MakePann(PannEncoder config) {
  if (config.layers() != 6 && config.layers() != 14) {
    return Invalid("pann.layers: ", config.layers(), ", expected 6 or 14");
  }
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.unused_classes", config.unused_classes(), 0, 1 << 20));
  LogMel& front_end = *config.mutable_front_end();
  if (front_end.window() == 0) front_end.set_window(1024);
  if (front_end.mel_bins() == 0) front_end.set_mel_bins(64);
  if (front_end.min_hz() == 0) front_end.set_min_hz(50);
  if (front_end.max_hz() == 0) front_end.set_max_hz(14000);
  if (config.sample_rate_hz() == 0) config.set_sample_rate_hz(48000);
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.front_end.window", front_end.window(), 16, 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("pann.front_end.mel_bins", front_end.mel_bins(), 1, 1024));
  return Make<Pann>(config);
}

MadeEncoder MakeSmallCnn(SmallCnnEncoder config) {
  if (config.in_channels() == 0) config.set_in_channels(3);
  UNIVAL_RETURN_IF_ERROR(CheckRange("small_cnn.in_channels", config.in_channels(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckSizes("small_cnn.widths", config.widths(), 65536));
  UNIVAL_RETURN_IF_ERROR(CheckRange("small_cnn.refinements", config.refinements(), 0, 64));
  if (config.flatten_height()) {
    UNIVAL_RETURN_IF_ERROR(
        CheckRange("small_cnn.spectrogram_bins", config.spectrogram_bins(), 1, 4096));
  }
  return Make<SmallCnn>(config);
}

MadeEncoder MakePatches(PatchEncoder config) {
  if (config.in_channels() == 0) config.set_in_channels(3);
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.in_channels", config.in_channels(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.height", config.height(), 1, 4096));
  UNIVAL_RETURN_IF_ERROR(CheckRange("patches.width", config.width(), 1, 4096));
  return Make<Patches>(config);
}

int64_t HalvedUpwards(int64_t size, int times) {
  for (int i = 0; i < times; ++i) size = (size + 1) / 2;
  return size;
}

// Channels that the encoder takes, 0: whatever comes.
int64_t InputChannels(const EncoderConfig& config) {
  if (config.has_pann()) return 1;
  if (config.has_resnet() || config.has_resnext3d()) return 3;
  const int32_t channels =
      config.has_patches() ? config.patches().in_channels() : config.small_cnn().in_channels();
  return channels == 0 ? 3 : channels;
}

absl::Status CheckInput(const EncoderConfig& config, const std::vector<int64_t>& input_shape) {
  const std::string shape = absl::StrJoin(input_shape, " x ");
  if (input_shape.size() != (IsVideoEncoder(config) ? 4u : 3u)) {
    return Invalid(EncoderName(config), ": does not take samples of ", shape);
  }
  if (input_shape[0] != InputChannels(config)) {
    return Invalid(EncoderName(config), ": takes ", InputChannels(config),
                   " channels, samples are ", shape, "; set in_channels where the encoder has it");
  }
  const PatchEncoder& patches = config.patches();
  if (config.has_patches() &&
      (input_shape[1] % patches.height() != 0 || input_shape[2] % patches.width() != 0)) {
    return Invalid("patches: samples of ", shape, " are no multiple of ", patches.height(), " x ",
                   patches.width());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> FeatureGrid(const EncoderConfig& config,
                                                 const std::vector<int64_t>& input_shape) {
  UNIVAL_RETURN_IF_ERROR(CheckInput(config, input_shape));
  std::vector<int64_t> grid(input_shape.begin() + 1, input_shape.end());
  if (config.has_patches()) {
    return std::vector<int64_t>{grid[0] / config.patches().height(),
                                grid[1] / config.patches().width()};
  }
  for (size_t axis = 0; axis < grid.size(); ++axis) {
    if (config.has_pann()) {
      grid[axis] >>= config.pann().layers() == 14 ? 5 : 4;
    } else if (config.has_resnext3d()) {
      grid[axis] = HalvedUpwards(grid[axis], config.resnext3d().blocks_size() + (axis > 0));
    } else {
      grid[axis] =
          HalvedUpwards(grid[axis], config.has_resnet() ? config.resnet().blocks_size() + 1
                                                        : config.small_cnn().widths_size());
    }
  }
  if (config.small_cnn().flatten_height()) grid[1] = 1;
  for (int64_t size : grid) {
    if (size == 0) {
      return Invalid(EncoderName(config), ": samples of ", absl::StrJoin(input_shape, " x "),
                     " are too small for it");
    }
  }
  return grid;
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> MakeFeatureEncoder(const EncoderConfig& config) {
  switch (config.network_case()) {
    case EncoderConfig::kResnet:
      return MakeResnet(config.resnet());
    case EncoderConfig::kResnext3D:
      return MakeResnext3d(config.resnext3d());
    case EncoderConfig::kPann:
      return MakePann(config.pann());
    case EncoderConfig::kSmallCnn:
      return MakeSmallCnn(config.small_cnn());
    case EncoderConfig::kPatches:
      return MakePatches(config.patches());
    case EncoderConfig::NETWORK_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "encoder: none is set, expected one of resnet, resnext3d, pann, small_cnn, patches");
}

bool IsVideoEncoder(const EncoderConfig& config) { return config.has_resnext3d(); }

std::string EncoderName(const EncoderConfig& config) {
  switch (config.network_case()) {
    case EncoderConfig::kResnet:
      return absl::StrCat("resnet-", absl::StrJoin(config.resnet().blocks(), "."));
    case EncoderConfig::kResnext3D:
      return absl::StrCat("resnext3d-", absl::StrJoin(config.resnext3d().blocks(), "."));
    case EncoderConfig::kPann:
      return absl::StrCat("pann-", config.pann().layers());
    case EncoderConfig::kSmallCnn:
      return absl::StrCat("small_cnn-", absl::StrJoin(config.small_cnn().widths(), "."));
    case EncoderConfig::kPatches:
      return absl::StrCat("patches-", config.patches().height(), "x", config.patches().width());
    case EncoderConfig::NETWORK_NOT_SET:
      break;
  }
  return "none";
}

}  // namespace unival
