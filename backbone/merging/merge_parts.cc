// What there is to mix: components that hold tensors, compared tensor by tensor.
#include "backbone/merging/merge_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dot.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Trained from one model, matrices keep most of their direction: cosines of 0.9 and more are usual,
// while independent draws of n numbers have about 1 / sqrt(n).
constexpr double kLeastCosine = 0.25;
constexpr int64_t kLeastNumbers = 256;  // fewer may turn anywhere

bool HoldsTensors(absl::string_view id) {
  return id == "backbone" || absl::StartsWith(id, ModalityComponentId("")) ||
         absl::StartsWith(id, AdapterComponentId("")) ||
         absl::StartsWith(id, TokensComponentId(""));
}

std::string Text(const SafetensorsEntry& entry) {
  return absl::StrCat(DtypeName(entry.dtype), " ", ShapeText(entry.shape));
}

bool IsFloating(SafetensorsDtype dtype) {
  return dtype == SafetensorsDtype::kF64 || dtype == SafetensorsDtype::kF32 ||
         dtype == SafetensorsDtype::kF16 || dtype == SafetensorsDtype::kBF16;
}

bool Mixes(const SafetensorsEntry& a, const SafetensorsEntry& b) {
  return a.shape == b.shape && (a.dtype == b.dtype || (IsFloating(a.dtype) && IsFloating(b.dtype)));
}

// How `other` differs from `first`, a line for each tensor.
std::vector<std::string> TensorDifferences(const MergePart& part, const TensorFile& first,
                                           const TensorFile& other) {
  std::vector<std::string> lines;
  for (const auto& [name, entry] : first.tensors()) {
    const auto found = other.tensors().find(name);
    if (found == other.tensors().end()) {
      lines.push_back(absl::StrCat(part.FullName(name), ": ", Text(entry), " in ", first.path(),
                                   ", missing in ", other.path()));
    } else if (!Mixes(entry, found->second)) {
      lines.push_back(absl::StrCat(part.FullName(name), ": ", Text(entry), " in ", first.path(),
                                   ", ", Text(found->second), " in ", other.path()));
    }
  }
  for (const auto& [name, entry] : other.tensors()) {
    if (first.tensors().count(name) > 0) continue;
    lines.push_back(absl::StrCat(part.FullName(name), ": missing in ", first.path(), ", ",
                                 Text(entry), " in ", other.path()));
  }
  return lines;
}

absl::Status ComparePart(const MergePart& part, std::vector<std::string>* lines) {
  std::vector<const TensorFile*> others;
  for (size_t i = 1; i < part.files.size(); ++i) others.push_back(part.files[i].get());
  if (part.base != nullptr) others.push_back(part.base.get());
  for (const TensorFile* other : others) {
    for (std::string& line : TensorDifferences(part, *part.files[0], *other)) {
      lines->push_back(std::move(line));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TensorFile>> OpenPart(const MergeInput& input,
                                                           const std::string& id) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string path, input.directory->ComponentPath(id));
  return TensorFile::Open(path);
}

absl::StatusOr<MergePart> OpenPart(const MergeInputs& inputs, const std::string& id,
                                   bool needs_base) {
  MergePart part;
  part.id = id;
  for (size_t i = 0; i < inputs.models.size(); ++i) {
    if (!inputs.models[i].directory->HasComponent(id)) continue;
    part.owners.push_back(i);
    for (const AdapterRecord& record : inputs.models[i].manifest().adapter()) {
      if (record.has_config() && id == AdapterComponentId(AdapterId(record)))
        part.is_connection = false;
    }
    UNIVAL_ASSIGN_OR_RETURN(part.files.emplace_back(), OpenPart(inputs.models[i], id));
  }
  if (needs_base && inputs.base && inputs.base->directory->HasComponent(id)) {
    UNIVAL_ASSIGN_OR_RETURN(part.base, OpenPart(*inputs.base, id));
  }
  return part;
}

// In the order in which they first appear.
std::vector<std::string> TensorComponents(const MergeInputs& inputs) {
  std::vector<std::string> ids;
  std::set<std::string> seen;
  for (const MergeInput& input : inputs.models) {
    for (const std::string& id : input.directory->ComponentIds()) {
      if (HoldsTensors(id) && seen.insert(id).second) ids.push_back(id);
    }
  }
  return ids;
}

absl::StatusOr<double> Cosine(const TensorFile& a, const TensorFile& b, const std::string& name) {
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor first, a.Read(name));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor second, b.Read(name));
  return CatchTorch(name, [&] {
    const at::Tensor x = first.reshape(-1).to(at::kFloat), y = second.reshape(-1).to(at::kFloat);
    const double norms = std::sqrt(x.dot(x).item<double>()) * std::sqrt(y.dot(y).item<double>());
    return norms > 0 ? x.dot(y).item<double>() / norms : 1;
  });
}

}  // namespace

std::string MergePart::FullName(const std::string& tensor) const {
  if (absl::StartsWith(id, TokensComponentId("")))
    return absl::StrCat("backbone.", kTokenEmbedding);
  absl::string_view owner = id;
  if (is_connection && absl::ConsumePrefix(&owner, AdapterComponentId(""))) {
    return absl::StrCat("connection.", owner, ".", tensor);
  }
  return absl::StrCat(id, ".", tensor);
}

absl::StatusOr<std::vector<MergePart>> ComparedParts(const MergeInputs& inputs, bool needs_base) {
  constexpr size_t kMostLines = 20;
  std::vector<MergePart> parts;
  std::vector<std::string> lines;
  for (const std::string& id : TensorComponents(inputs)) {
    UNIVAL_ASSIGN_OR_RETURN(parts.emplace_back(), OpenPart(inputs, id, needs_base));
    UNIVAL_RETURN_IF_ERROR(ComparePart(parts.back(), &lines));
  }
  if (lines.empty()) return parts;
  const size_t count = lines.size();
  lines.resize(std::min(count, kMostLines));
  if (count > kMostLines) lines.push_back(absl::StrCat("and ", count - kMostLines, " more"));
  return absl::FailedPreconditionError(absl::StrCat(
      "expected models with the same tensors, got ", count,
      count == 1 ? " that differs" : " that differ", ":\n  ", absl::StrJoin(lines, "\n  ")));
}

absl::Status CheckWeightsAreRelated(const MergeInputs& inputs, const MergePart& backbone) {
  for (size_t i = 1; i < backbone.files.size(); ++i) {
    std::vector<std::string> lines;
    for (const auto& [name, entry] : backbone.files[0]->tensors()) {
      const int64_t numbers = (entry.end - entry.begin) / DtypeSize(entry.dtype);
      if (entry.shape.size() < 2 || numbers < kLeastNumbers || !IsFloating(entry.dtype)) continue;
      UNIVAL_ASSIGN_OR_RETURN(const double cosine,
                              Cosine(*backbone.files[0], *backbone.files[i], name));
      // Weights that are no numbers are named where they are mixed.
      if (cosine >= kLeastCosine || std::isnan(cosine)) continue;
      lines.push_back(absl::StrFormat("%s: cosine %.3f", backbone.FullName(name), cosine));
    }
    if (lines.empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        inputs.models[backbone.owners[i]].path(),
        ": expected weights that were trained from the "
        "same ones as those of ",
        inputs.models[backbone.owners[0]].path(), ", got ", lines.size(),
        " matrices in another direction: drawn apart, or with their rows in another order. Number "
        "by number they cannot be mixed; --allow_unrelated does it all the same:\n  ",
        absl::StrJoin(lines, "\n  ")));
  }
  return absl::OkStatus();
}

}  // namespace unival
