// A modality that is added to a Model, and where its encoder and its connection begin.

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/safetensors.h"
#include "runtime/memory_budget.h"
#include "runtime/model.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// `tensors` come from `source` ("modality \"image\"", or a file) and fill the encoder of `to`.
absl::Status FillEncoder(const TensorMap& tensors, const std::string& source, Modality& to) {
  if (to.module() == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoder_from ", source, ": modality \"", to.info().id,
                     "\" has no encoder weights to fill; remove encoder_from"));
  }
  return CatchTorch("encoder_from", [&] {
    return LoadTensorsInto(
        NamedTensors(*to.module()), tensors,
        absl::StrCat("modality.", to.info().id, " (give both the same encoder configuration)"),
        absl::StrCat("encoder_from ", source));
  });
}

// What is not the map of a connection; `tensors` come from `source`.
absl::Status FillPositions(const TensorMap& tensors, const std::string& source,
                           const std::map<std::string, at::Tensor>& connection) {
  const at::NoGradGuard no_grad;
  for (const char* name : {"positions", "bias", "type_row"}) {
    const auto from = tensors.find(name), to = connection.find(name);
    if (to == connection.end()) continue;
    if (from == tensors.end() && name == std::string("type_row")) continue;
    if (from == tensors.end() || from->second.sizes() != to->second.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat("positions_from ", source, ": ", name, ": expected the shape ",
                       ShapeText(to->second.sizes()), ", got ",
                       from == tensors.end() ? "no such tensor" : ShapeText(from->second.sizes()),
                       "; name a connection of a model with the same d_model and position_rows"));
    }
    at::Tensor(to->second).copy_(from->second);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, at::Tensor>> Model::TensorsFrom(
    const std::string& part, const std::string& from) const {
  if (absl::EndsWith(from, ".safetensors")) return ReadSafetensors(from);
  UNIVAL_RETURN_IF_ERROR(RequireModality(from).status());
  return PartTensors(absl::StrCat(part, ".", from));
}

absl::Status Model::AddModality(const ModalityConfig& modality, const ConnectionConfig& connection,
                                const ModalityStart& start) {
  const MemoryBudget budget(MachineMemory(), "all that this machine has; make it smaller");
  at::manual_seed(start.seed);
  UNIVAL_RETURN_IF_ERROR(CreateModality(modality));
  Modality& added = *modalities_[modality.id()];
  if (!start.encoder_from.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, TensorsFrom("modality", start.encoder_from));
    UNIVAL_RETURN_IF_ERROR(FillEncoder(tensors, start.encoder_from, added));
  }
  ConnectionConfig config = connection;
  config.set_modality(modality.id());
  UNIVAL_RETURN_IF_ERROR(CreateConnection(&config));
  if (!start.positions_from.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors,
                            TensorsFrom("connection", start.positions_from));
    UNIVAL_RETURN_IF_ERROR(FillPositions(tensors, start.positions_from,
                                         PartTensors(absl::StrCat("connection.", modality.id()))));
  }
  *manifest_.add_modality() = modality;
  *manifest_.add_connection() = config;
  if (added.module() != nullptr) added.module()->eval();
  return absl::OkStatus();
}

}  // namespace unival
