#include "examples/sensor/text_codes.h"

#include <ATen/core/Tensor.h>

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/status_macros.h"

namespace unival::sensor {
namespace {

absl::StatusOr<std::vector<float>> ScaledRows(const Model& model) {
  const std::string name = absl::StrCat("backbone.", kTokenEmbedding);
  for (const NamedTensor& entry : model.State()) {
    if (entry.name != name) continue;
    const at::Tensor rows = entry.tensor.contiguous();
    const float* begin = rows.data_ptr<float>();
    std::vector<float> scaled(begin, begin + rows.numel());
    double squares = 0;
    for (const float value : scaled) squares += static_cast<double>(value) * value;
    const double scale = std::sqrt(static_cast<double>(scaled.size()) / squares);
    for (float& value : scaled) value = static_cast<float>(value * scale);
    return scaled;
  }
  return absl::InternalError(absl::StrCat("the model has no tensor ", name));
}

}  // namespace

absl::StatusOr<TextCodes> TextCodes::Load(const std::string& model_directory) {
  TextCodes codes;
  UNIVAL_ASSIGN_OR_RETURN(codes.runtime_, Runtime::Create({}));
  ModelLoadOptions load;
  load.all_modalities = false;
  UNIVAL_ASSIGN_OR_RETURN(codes.model_, Model::Load(model_directory, *codes.runtime_, load));
  UNIVAL_ASSIGN_OR_RETURN(codes.rows_, ScaledRows(*codes.model_));
  codes.width_ = codes.model_->manifest().backbone().d_model();
  return codes;
}

absl::StatusOr<std::vector<int64_t>> TextCodes::Tokens(const std::string& text) const {
  return model_->vocabulary().EncodeText(absl::StrCat(" ", text));
}

void TextCodes::Add(int64_t token, double factor, float* row) const {
  const float* code = rows_.data() + token * width_;
  for (int64_t i = 0; i < width_; ++i) row[i] += static_cast<float>(factor * code[i]);
}

}  // namespace unival::sensor
