#include "runtime/torchscript/torchscript_plugin.h"

#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/torchscript/program.h"
#include "runtime/torchscript/raw_tensor.h"
#include "runtime/torchscript/torchscript_modality.h"
#include "sdk/base/files.h"
#include "sdk/base/path_below.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"

namespace unival {
namespace {

// "plugin FILE: modality.FIELD: found; expected WANTED"
absl::Status Wrong(const std::string& file, absl::string_view field, absl::string_view found,
                   absl::string_view wanted) {
  return InvalidArgument("plugin ", file, ": modality.", field, ": ", found, "; expected ", wanted);
}

// The host makes tables of these sizes. A larger number is taken for a mistake.
constexpr int64_t kMaxSide = 1 << 15, kMaxChannels = 1 << 12, kMaxFeatureWidth = 1 << 20,
                  kMaxPositionsDeclared = int64_t{1} << 31;

absl::Status AtMost(const std::string& file, absl::string_view field, int64_t value, int64_t most) {
  if (value <= most) return absl::OkStatus();
  return Wrong(file, field, absl::StrCat(value), absl::StrCat("at most ", most));
}

absl::Status CheckSizes(const DataOnlyModality& modality, const std::string& file) {
  const DataOnlyInput& input = modality.input();
  const DataOnlyFeatures& features = modality.features();
  UNIVAL_RETURN_IF_ERROR(AtMost(file, "input.width", input.width(), kMaxSide));
  UNIVAL_RETURN_IF_ERROR(AtMost(file, "input.height", input.height(), kMaxSide));
  UNIVAL_RETURN_IF_ERROR(AtMost(file, "input.channels", input.channels(), kMaxChannels));
  UNIVAL_RETURN_IF_ERROR(AtMost(file, "features.dim", features.dim(), kMaxFeatureWidth));
  UNIVAL_RETURN_IF_ERROR(
      AtMost(file, "features.grid_columns", features.grid_columns(), kMaxPositionsDeclared));
  return AtMost(file, "features.max_positions", features.max_positions(), kMaxPositionsDeclared);
}

absl::Status CheckInput(const DataOnlyInput& input, const std::string& file) {
  const int channels = input.channels(), bits = input.bits();
  if (input.max_steps() < 0)
    return Wrong(file, "input.max_steps", absl::StrCat(input.max_steps()), "0 or more");
  if (input.kind() == DataOnlyInput::TENSOR) {
    if (channels != 0)
      return Wrong(file, "input.channels", absl::StrCat(channels), "shape alone for TENSOR");
    return Annotate(CheckRawTensorForm(FormOf(input)), "plugin ", file, ": modality.input");
  }
  if (!input.dtype().empty() || input.shape_size() > 0)
    return Wrong(file, "input.shape, input.dtype", "set", "them for TENSOR alone");
  if (channels < 1) return Wrong(file, "input.channels", absl::StrCat(channels), "at least 1");
  switch (input.kind()) {
    case DataOnlyInput::IMAGE:
      if (channels != 1 && channels != 3)
        return Wrong(file, "input.channels", absl::StrCat(channels), "1 or 3 for IMAGE");
      if (bits != 0 && bits != 8 && !(bits == 16 && channels == 1)) {
        return Wrong(file, "input.bits", absl::StrCat(bits), "8, or 16 with one channel");
      }
      if (input.width() < 1 || input.height() < 1) {
        return Wrong(file, "input.width, input.height",
                     absl::StrCat(input.width(), ", ", input.height()), "pixels for IMAGE");
      }
      return absl::OkStatus();
    case DataOnlyInput::AUDIO:
      if (input.sample_rate_hz() > 0) return absl::OkStatus();
      return Wrong(file, "input.sample_rate_hz", absl::StrCat(input.sample_rate_hz()),
                   "a rate for AUDIO");
    case DataOnlyInput::TIME_SERIES:
      return absl::OkStatus();
    default:
      return Wrong(file, "input.kind", absl::StrCat(input.kind()),
                   "IMAGE, AUDIO, TIME_SERIES or TENSOR");
  }
}

absl::Status CheckNormalization(const DataOnlyModality& modality, const std::string& file) {
  const Normalization& normalization = modality.normalization();
  const DataOnlyInput& input = modality.input();
  const bool is_tensor = input.kind() == DataOnlyInput::TENSOR;
  const int64_t channels = is_tensor ? input.shape(0) : input.channels();
  for (int size : {normalization.mean_size(), normalization.std_size()}) {
    if (size != 0 && size != channels && !(is_tensor && size == 1)) {
      return Wrong(file, "normalization", absl::StrCat(size, " values"),
                   is_tensor ? "one, or one for each place of the first dimension, or none"
                             : "one per channel, or none");
    }
  }
  for (float mean : normalization.mean()) {
    if (!std::isfinite(mean))
      return Wrong(file, "normalization.mean", absl::StrCat(mean), "a number");
  }
  for (float std : normalization.std()) {
    if (!(std > 0) || !std::isfinite(std))
      return Wrong(file, "normalization.std", absl::StrCat(std), "more than 0");
  }
  return absl::OkStatus();
}

absl::Status CheckProgramAndFeatures(const DataOnlyModality& modality, const std::string& file) {
  const DataOnlyProgram& program = modality.program();
  if (program.torchscript().empty())
    return Wrong(file, "program.torchscript", "empty", "a file beside the manifest");
  if (program.sha256().size() != 64) {
    return Wrong(file, "program.sha256", absl::StrCat("\"", program.sha256(), "\""),
                 "64 hex digits");
  }
  const DataOnlyFeatures& features = modality.features();
  if (features.dim() < 1)
    return Wrong(file, "features.dim", absl::StrCat(features.dim()), "at least 1");
  if (features.max_positions() < 0) {
    return Wrong(file, "features.max_positions", absl::StrCat(features.max_positions()),
                 "0 or more");
  }
  if (features.schema().empty())
    return Wrong(file, "features.schema", "empty", "a name for what the features mean");
  if ((features.position_kind() == POSITION_GRID) != (features.grid_columns() > 0)) {
    return Wrong(file, "features.grid_columns", absl::StrCat(features.grid_columns()),
                 "more than 0 with POSITION_GRID, else none");
  }
  return absl::OkStatus();
}

absl::Status CheckHash(const DataOnlyProgram& program, absl::string_view bytes,
                       const std::string& path) {
  const std::string actual = Sha256Hex(bytes);
  if (actual == program.sha256()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, ": sha256 is ", actual, ", the manifest says ", program.sha256(),
                   "; restore the file, or export it again and write its hash into the manifest"));
}

// `file`: of the manifest. The bytes that were hashed are those that are used.
absl::StatusOr<std::unique_ptr<Modality>> Create(const PluginManifest& manifest,
                                                 const std::string& file,
                                                 const ModalityConfig& config,
                                                 const HostServices& services) {
  if (config.options_size() > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("modality \"", config.id(), "\": a data-only plugin has no options"));
  }
  const DataOnlyProgram& program = manifest.modality().program();
  UNIVAL_RETURN_IF_ERROR(CheckProducer(program.producer_torch()));
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string path,
      Annotate(ResolveBelow(file, program.torchscript()), file, ": modality.program.torchscript"));
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path, kMaxProgramFile));
  UNIVAL_RETURN_IF_ERROR(CheckHash(program, bytes, path));
  UNIVAL_ASSIGN_OR_RETURN(auto loaded, TorchScriptProgram::FromBytes(bytes, path));
  return NewTorchScriptModality(manifest, config.id(), services.media, std::move(loaded));
}

}  // namespace

absl::StatusOr<PluginManifest> ParsePluginManifest(const std::string& text,
                                                   const std::string& file) {
  PluginManifest manifest;
  UNIVAL_RETURN_IF_ERROR(ParseTextProto(text, file, &manifest));
  if (manifest.plugin().id().empty() || manifest.plugin().version().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin ", file, ": plugin { id, version } is missing"));
  }
  UNIVAL_RETURN_IF_ERROR(CheckInput(manifest.modality().input(), file));
  UNIVAL_RETURN_IF_ERROR(CheckSizes(manifest.modality(), file));
  UNIVAL_RETURN_IF_ERROR(CheckNormalization(manifest.modality(), file));
  UNIVAL_RETURN_IF_ERROR(CheckProgramAndFeatures(manifest.modality(), file));
  return manifest;
}

absl::StatusOr<PluginManifest> ReadPluginManifest(const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  return ParsePluginManifest(text, file);
}

absl::Status RegisterTorchScriptPlugin(const PluginManifest& manifest, const std::string& file,
                                       Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(CheckProducer(manifest.modality().program().producer_torch()));
  return registrar.AddModality(
      {manifest.modality().id(), manifest.modality().summary(),
       [manifest, file](const ModalityConfig& config, const HostServices& services) {
         return Create(manifest, file, config, services);
       }});
}

}  // namespace unival
