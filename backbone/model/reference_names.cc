#include "backbone/model/reference_names.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

template <typename Names>
bool Contains(const Names& names, absl::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

constexpr absl::string_view kAliases[] = {
    "decoder.embed_tokens.weight",
    "decoder.output_projection.weight",
};

constexpr absl::string_view kDerived[] = {
    "encoder.version",
    "decoder.version",
    "encoder.token_rp_bucket",
    "decoder.token_rp_bucket",
    "encoder.image_rp_bucket",
    "decoder.image_rp_bucket",
    "decoder.image_position_idx",
};

}  // namespace

const std::vector<std::string>& ReferenceModalities() {
  static const auto* const kModalities = new std::vector<std::string>{"image", "video", "audio"};
  return *kModalities;
}

std::vector<ReferenceName> ConnectionNames(absl::string_view modality) {
  if (!Contains(ReferenceModalities(), modality)) return {};
  const std::string ours = absl::StrCat("connections.", modality, ".");
  const std::string projection = absl::StrCat("encoder.", modality, "_proj.");
  const std::string norm = absl::StrCat("encoder.layernorm_", modality, "_embedding.");
  return {
      {ours + "weight", projection + "weight"},
      {ours + "bias", projection + "bias"},
      {ours + "positions", absl::StrCat("encoder.embed_", modality, "_positions.weight")},
      {ours + "norm.weight", norm + "weight", /*optional=*/true},
      {ours + "norm.bias", norm + "bias", /*optional=*/true},
  };
}

std::string ReferenceEncoderPrefix(absl::string_view modality) {
  if (!Contains(ReferenceModalities(), modality)) return "";
  return absl::StrCat("embed_", modality, "s");
}

bool IsReferenceAlias(absl::string_view reference_name) {
  return Contains(kAliases, reference_name);
}

bool IsReferenceDerived(absl::string_view reference_name) {
  return Contains(kDerived, reference_name);
}

absl::optional<std::string> FromReferenceName(absl::string_view reference_name) {
  if (IsReferenceAlias(reference_name) || IsReferenceDerived(reference_name)) return absl::nullopt;
  for (const std::string& modality : ReferenceModalities()) {
    for (const ReferenceName& entry : ConnectionNames(modality)) {
      if (entry.reference == reference_name) return entry.name;
    }
    const std::string network = absl::StrCat("encoder.", ReferenceEncoderPrefix(modality), ".");
    if (absl::StartsWith(reference_name, network)) return absl::nullopt;
  }
  return std::string(reference_name);
}

}  // namespace unival
