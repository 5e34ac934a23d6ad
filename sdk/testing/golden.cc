#include "sdk/testing/golden.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/nn/module.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

double ValueFromHash(uint64_t hash, uint64_t index) {
  return 2 * UnitInterval(Mix(hash + index)) - 1;
}

uint64_t NameHash(uint64_t seed, const std::string& name) {
  return Fnv1a(absl::StrCat(seed, ":", name));
}

// value = a + b * r.
struct Rule {
  double a = 0;
  double b = 0;
  bool keep = false;
};

Rule RuleFor(const std::string& name, const at::Tensor& tensor) {
  const std::string last = name.substr(name.rfind('.') + 1);
  if (last == "token_rp_bucket" || last == "image_rp_bucket" || last == "image_position_idx" ||
      last == "version" || absl::StrContains(name, "spectrogram_extractor") ||
      absl::StrContains(name, "logmel_extractor")) {
    return {0, 0, true};
  }
  if (last == "num_batches_tracked") return {0, 0};
  if (last == "running_var") return {1, 0.25};
  if (last == "running_mean" || last == "bias") return {0, 0.1};
  if (tensor.dim() == 1) return {1, 0.1};
  const double fan_in = static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0));
  const bool loud = tensor.dim() == 4 && absl::StrContains(name, "embed_audios");
  return {0, std::sqrt(3 / fan_in) * (loud ? 1.5 : 1.0)};
}

std::string CanonicalName(const std::string& name) {
  if (name == "decoder.embed_tokens.weight" || name == "decoder.output_projection.weight") {
    return "encoder.embed_tokens.weight";
  }
  return name;
}

absl::StatusOr<at::ScalarType> TypeFromName(const std::string& name) {
  static const auto* const kTypes = new std::map<std::string, at::ScalarType>{
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
      {"U8", at::kByte},    {"BOOL", at::kBool}};
  auto it = kTypes->find(name);
  if (it == kTypes->end()) {
    return absl::InvalidArgumentError(absl::StrCat("unknown safetensors dtype ", name));
  }
  return it->second;
}

absl::StatusOr<TensorMap> ParseSafetensors(const std::string& bytes) {
  uint64_t header_size = 0;
  if (bytes.size() < 8) return absl::InvalidArgumentError("shorter than its header length");
  std::memcpy(&header_size, bytes.data(), 8);
  if (header_size > bytes.size() - 8) return absl::InvalidArgumentError("header is truncated");
  UNIVAL_ASSIGN_OR_RETURN(const nlohmann::json header,
                          ParseJson(absl::string_view(bytes).substr(8, header_size)));
  TensorMap tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    absl::StatusOr<at::ScalarType> type = TypeFromName(entry.at("dtype").get<std::string>());
    if (!type.ok()) return type.status();
    at::Tensor tensor = at::empty(entry.at("shape").get<std::vector<int64_t>>(), *type);
    const size_t begin = entry.at("data_offsets").at(0).get<size_t>();
    const size_t end = entry.at("data_offsets").at(1).get<size_t>();
    if (end < begin || end - begin != tensor.nbytes() || end > bytes.size() - 8 - header_size) {
      return absl::InvalidArgumentError(absl::StrCat("tensor ", name, " has wrong offsets"));
    }
    if (end > begin) {
      std::memcpy(tensor.data_ptr(), bytes.data() + 8 + header_size + begin, end - begin);
    }
    tensors.emplace(name, std::move(tensor));
  }
  return tensors;
}

}  // namespace

absl::StatusOr<TensorMap> LoadSafetensors(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string content, ReadWholeFile(path));
  try {
    return Annotate(ParseSafetensors(content), path);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", error.what()));
  }
}

double GoldenValue(uint64_t seed, const std::string& name, uint64_t index) {
  return ValueFromHash(NameHash(seed, name), index);
}

at::Tensor GoldenInput(const std::string& name, uint64_t seed, const std::vector<int64_t>& shape,
                       double amplitude, double offset) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  const uint64_t hash = NameHash(seed, name);
  float* data = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    data[i] = static_cast<float>(offset + amplitude * ValueFromHash(hash, i));
  }
  return tensor;
}

std::vector<int64_t> GoldenIntegers(const std::string& name, uint64_t seed, int64_t count,
                                    int64_t low, int64_t high) {
  const uint64_t hash = NameHash(seed, name);
  std::vector<int64_t> values(count);
  for (int64_t i = 0; i < count; ++i) {
    const double unit = (ValueFromHash(hash, i) + 1) / 2;
    values[i] = low + static_cast<int64_t>(std::floor(unit * static_cast<double>(high - low)));
  }
  return values;
}

void FillTensorByFormula(const std::string& name, uint64_t seed, at::Tensor tensor) {
  at::NoGradGuard no_grad;
  const Rule rule = RuleFor(name, tensor);
  if (rule.keep) return;
  if (!tensor.is_floating_point()) {
    tensor.zero_();
    return;
  }
  at::Tensor values = at::empty(tensor.sizes(), at::kFloat);
  const uint64_t hash = NameHash(seed, CanonicalName(name));
  float* data = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    data[i] = static_cast<float>(rule.a + rule.b * ValueFromHash(hash, i));
  }
  tensor.copy_(values);
}

void FillByFormula(torch::nn::Module& module, const std::string& prefix, uint64_t seed) {
  for (const auto& item : module.named_parameters()) {
    FillTensorByFormula(prefix + item.key(), seed, item.value());
  }
  for (const auto& item : module.named_buffers()) {
    FillTensorByFormula(prefix + item.key(), seed, item.value());
  }
}

double MaxDifference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0;
  const double difference = (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
  return std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
}

}  // namespace unival
