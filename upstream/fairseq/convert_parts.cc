// What tensors the model has, and how those of the checkpoint differ.

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <torch/nn/module.h>

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/model/backbone.h"
#include "backbone/model/reference_names.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/tensor_text.h"
#include "upstream/fairseq/fairseq_converter.h"
#include "upstream/fairseq/tensor_of_view.h"

namespace unival {
namespace {

constexpr int64_t kFewRows = 8;  // of an embedding that only its width matters of

}  // namespace

// The embedding has only a few rows here: only its width is needed, and the full table would take
// memory.
absl::StatusOr<TensorMap> FairseqConverter::BackboneTensors() const {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<Backbone> model,
                          Backbone::Create(manifest_.backbone(), kFewRows));
  for (const ConnectionConfig& connection : manifest_.connection()) {
    UNIVAL_RETURN_IF_ERROR(model->AddConnection(connection));
  }
  return NamedTensors(model->module());
}

absl::Status FairseqConverter::ExpectParts() {
  at::manual_seed(options_.seed);
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap backbone, BackboneTensors());
  TensorMap own;
  for (const auto& [name, tensor] : backbone) {
    if (!absl::StartsWith(name, "connections.")) own.emplace(name, tensor);
  }
  Expect(kBackboneComponent, "", own);
  parts_[kBackboneComponent].shapes[kTokenEmbedding][0] = report_.vocabulary;
  for (PublishedModality& found : modalities_) {
    const std::string id = found.modality.id();
    Expect(AdapterComponentId(id), absl::StrCat("connections.", id, "."),
           TensorsWithPrefix(backbone, absl::StrCat("connections.", id, ".")));
    UNIVAL_ASSIGN_OR_RETURN(HostModality known, SettleConstants(&found));
    *manifest_.add_modality() = found.modality;
    Expect(ModalityComponentId(id), found.network_prefix, known.tensors);
    known.tensors.clear();
    known_[id] = std::move(known);
  }
  return absl::OkStatus();
}

// Rounded constants of float16 checkpoints count as equal.
bool FairseqConverter::ConstantsAgree(const PublishedModality& found,
                                      const HostModality& known) const {
  constexpr double kRounding = 1e-3;
  for (const std::string& name : found.constants) {
    const TensorView* view = FindView(found.network_prefix + name);
    const auto own = known.tensors.find(name);
    if (view == nullptr || own == known.tensors.end()) continue;
    const at::Tensor stored = TensorOfView(*view, checkpoint_.keeper()).to(at::kFloat);
    if (stored.sizes() != own->second.sizes()) return false;
    const double largest = own->second.abs().max().item<double>();
    if ((stored - own->second).abs().max().item<double>() > kRounding * largest) return false;
  }
  return true;
}

// The configuration whose preprocessing is that of the checkpoint's constants.
absl::StatusOr<HostModality> FairseqConverter::SettleConstants(PublishedModality* published) {
  PublishedModality& found = *published;
  std::vector<ModalityConfig> candidates = {found.modality};
  candidates.insert(candidates.end(), found.alternatives.begin(), found.alternatives.end());
  for (ModalityConfig& candidate : candidates) {
    UNIVAL_ASSIGN_OR_RETURN(HostModality known, host_.describe(candidate));
    if (!ConstantsAgree(found, known)) continue;
    found.modality = std::move(candidate);
    return known;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(found.network_prefix, absl::StrJoin(found.constants, ", "),
                   ": expected the constants of one of ", candidates.size(),
                   " known front ends, got others; this preprocessing cannot be reproduced"));
}

void FairseqConverter::ExpectTensor(const std::string& shown, const std::string& name,
                                    const at::Tensor& tensor, Part* part) {
  part->shapes[name] = tensor.sizes().vec();
  part->floating[name] = tensor.is_floating_point();
  if (part->sources.count(name) > 0) return;
  part->fresh.emplace(name, tensor.detach());
  const bool expected = options_.may_be_fresh && options_.may_be_fresh(shown);
  (expected ? report_.fresh : report_.missing)
      .push_back(absl::StrCat(shown, " ", TensorText(tensor)));
}

void FairseqConverter::Expect(const std::string& id, const std::string& prefix,
                              const TensorMap& tensors) {
  Part& part = parts_[id];
  for (const auto& [name, tensor] : tensors) {
    std::string shown = prefix + name;
    for (const PublishedModality& found : modalities_) {
      for (const ReferenceName& entry : ConnectionNames(found.modality.id())) {
        if (entry.name == shown) shown = entry.reference;
      }
    }
    ExpectTensor(shown, name, tensor, &part);
  }
}

// Averaging checkpoints (the reference's average_checkpoints.py) leaves integer buffers as float32;
// they count as integers as long as their values are.
bool FairseqConverter::TypeFits(const TensorView& view, bool wants_floating) const {
  const bool floating = at::isFloatingType(ScalarTypeOf(view.dtype));
  if (floating == wants_floating) return floating || view.dtype == SafetensorsDtype::kI64;
  if (wants_floating) return false;
  const at::Tensor values = TensorOfView(view, checkpoint_.keeper());
  return at::equal(values.to(at::kLong).to(values.scalar_type()), values);
}

absl::Status FairseqConverter::CheckDifferences() {
  for (auto& [id, part] : parts_) {
    for (auto it = part.sources.begin(); it != part.sources.end();) {
      const auto& [name, source] = *it;
      const auto shape = part.shapes.find(name);
      const std::string shown =
          absl::StrCat(absl::CHexEscape(source.reference), " ", Describe(*source.view));
      if (shape == part.shapes.end()) {
        report_.unexpected.push_back(shown);
        it = part.sources.erase(it);
        continue;
      }
      std::vector<int64_t> wanted = shape->second;
      // Rows of the embedding are cut or added, see Tensors.
      if (name == kTokenEmbedding && options_.vocabulary > 0) wanted[0] = source.view->shape[0];
      if (source.view->shape != wanted || !TypeFits(*source.view, part.floating.at(name))) {
        unfit_.push_back(absl::StrCat(shown, ": expected ", part.floating.at(name) ? "" : "int64 ",
                                      ShapeText(shape->second)));
      }
      ++it;
    }
  }
  std::vector<std::string> lines;
  const auto add = [&lines](const char* what, const std::vector<std::string>& names) {
    for (const std::string& name : names) lines.push_back(absl::StrCat(what, ": ", name));
  };
  if (!options_.allow_missing) add("missing", report_.missing);
  if (!options_.allow_unexpected) add("unexpected", report_.unexpected);
  add("does not fit", unfit_);
  if (lines.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the tensors are not those of the model that is described (", lines.size(),
                   " differences; --allow_missing and --allow_unexpected accept those kinds):\n  ",
                   absl::StrJoin(lines, "\n  ")));
}

}  // namespace unival
