// The model's tensors, as they are stored.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/token_rows.h"
#include "sdk/base/status_macros.h"
#include "upstream/fairseq/fairseq_converter.h"
#include "upstream/fairseq/tensor_of_view.h"

namespace unival {

// float64 does not narrow when a model is loaded.
at::Tensor FairseqConverter::Stored(const at::Tensor& tensor) const {
  if (tensor.is_floating_point() && options_.half) return tensor.to(at::kHalf);
  return tensor.scalar_type() == at::kDouble ? tensor.to(at::kFloat) : tensor;
}

// The first `rows` rows, followed by normal ones of variance 1 / width (upgrade_state_dict_named of
// the reference's unival.py).
at::Tensor FairseqConverter::WithRows(const at::Tensor& tensor, int64_t rows) const {
  if (tensor.size(0) >= rows) return tensor.slice(0, 0, rows);
  const double deviation = 1 / std::sqrt(static_cast<double>(tensor.size(1)));
  const at::Tensor more = at::randn({rows - tensor.size(0), tensor.size(1)}).mul_(deviation);
  return at::cat({tensor, more.to(tensor.scalar_type())});
}

TensorMap FairseqConverter::Tensors(const Part& part) const {
  TensorMap tensors;
  for (const auto& [name, source] : part.sources) {
    at::Tensor tensor = TensorOfView(*source.view, checkpoint_.keeper());
    if (!part.floating.at(name)) tensor = tensor.to(at::kLong);
    if (name == kTokenEmbedding) tensor = WithRows(tensor, report_.vocabulary);
    tensors.emplace(name, Stored(tensor));
  }
  for (const auto& [name, tensor] : part.fresh) tensors.emplace(name, Stored(tensor));
  return tensors;
}

absl::Status FairseqConverter::WriteBackbone() {
  Part& part = parts_[kBackboneComponent];
  TensorMap tensors = Tensors(part);
  UNIVAL_ASSIGN_OR_RETURN(part.sha256, BackboneSha256(tensors, manifest_.vocabulary()));
  report_.tensors += static_cast<int64_t>(tensors.size());
  UNIVAL_RETURN_IF_ERROR(
      AddTokenComponents(tensors.at(kTokenEmbedding), manifest_.vocabulary(), writer_));
  tensors.erase(kTokenEmbedding);
  return writer_.AddTensors(kBackboneComponent, tensors);
}

absl::Status FairseqConverter::WriteModality(const PublishedModality& modality) {
  const std::string& id = modality.modality.id();
  AdapterRecord& record = *manifest_.add_adapter();
  record.set_modality(id);
  record.set_plugin(known_[id].type);
  record.set_feature_schema(known_[id].feature_schema);
  record.set_feature_dim(modality.connection.feature_dim());
  record.set_d_model(manifest_.backbone().d_model());
  record.set_schema_version(kAdapterSchemaVersion);
  record.set_backbone_sha256(parts_[kBackboneComponent].sha256);
  for (const std::string& component : {ModalityComponentId(id), AdapterComponentId(id)}) {
    const TensorMap tensors = Tensors(parts_[component]);
    if (component == ModalityComponentId(id)) {
      UNIVAL_ASSIGN_OR_RETURN(*record.mutable_encoder_sha256(), TensorsSha256AsLoaded(tensors));
    }
    report_.tensors += static_cast<int64_t>(tensors.size());
    UNIVAL_RETURN_IF_ERROR(writer_.AddTensors(component, tensors));
  }
  return absl::OkStatus();
}

absl::Status FairseqConverter::WriteParts() {
  UNIVAL_RETURN_IF_ERROR(WriteBackbone());
  for (const PublishedModality& found : modalities_) UNIVAL_RETURN_IF_ERROR(WriteModality(found));
  return absl::OkStatus();
}

}  // namespace unival
