#include "training/run/run_setup.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/files_read.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/run/start_from.h"

namespace unival {
namespace {

std::set<std::string> Names(const Model& model) {
  std::set<std::string> names;
  for (const NamedTensor& entry : model.State()) names.insert(entry.name);
  return names;
}

// Replaces the weights of these parts by fresh random ones: those that a fresh model made from
// `seed` would have.
absl::StatusOr<std::set<std::string>> Reinitialize(const std::vector<std::string>& parts,
                                                   const std::string& tokenizer_directory,
                                                   uint64_t seed, const Model& model) {
  UNIVAL_ASSIGN_OR_RETURN(
      auto donor, Model::CreateFresh(model.manifest(), tokenizer_directory, seed, model.runtime()));
  std::map<std::string, at::Tensor> values;
  for (const NamedTensor& entry : donor->State()) values[entry.name] = entry.tensor;
  std::set<std::string> fresh;
  at::NoGradGuard no_grad;
  for (const std::string& part : parts) {
    const std::string prefix = part + ".";
    const size_t before = fresh.size();
    for (const NamedTensor& entry : model.State()) {
      if (!absl::StartsWith(entry.name, prefix)) continue;
      auto found = values.find(entry.name);
      if (found == values.end() || found->second.sizes() != entry.tensor.sizes()) {
        return absl::InternalError(absl::StrCat("a fresh model has no tensor like ", entry.name));
      }
      at::Tensor target = entry.tensor;
      target.copy_(found->second);
      fresh.insert(entry.name);
    }
    if (fresh.size() == before) {
      return absl::NotFoundError(absl::StrCat(
          "expected a part of the model, got \"", part,
          "\"; name \"backbone\", \"connection.ID\", \"adapter.ID\" or ", "\"modality.ID\""));
    }
  }
  return fresh;
}

// The hash of the backbone of a model as it was loaded. Adapters record it and were compared with
// it on loading, so only a model without adapters has to be hashed.
absl::StatusOr<std::string> LoadedBackboneHash(const Model& model) {
  for (const AdapterRecord& record : model.manifest().adapter()) {
    if (model.modality(record.modality()) != nullptr) return record.backbone_sha256();
  }
  return model.BackboneHash();
}

absl::StatusOr<BuiltModel> LoadBase(const LoadedPlan& plan, const Runtime& runtime) {
  const std::string directory = JoinPath(plan.directory, plan.proto.model());
  BuiltModel built;
  ModelLoadOptions load;
  load.input_sizes = {plan.proto.input_size().begin(), plan.proto.input_size().end()};
  for (const ModalityOptionsPlan& given : plan.proto.modality_options()) {
    load.modality_options[given.modality()] = {given.option().begin(), given.option().end()};
  }
  UNIVAL_ASSIGN_OR_RETURN(built.model, Model::Load(directory, runtime, load));
  std::vector<std::string> parts(plan.proto.reset().begin(), plan.proto.reset().end());
  if (plan.proto.random_backbone()) parts.push_back("backbone");
  if (std::find(parts.begin(), parts.end(), "backbone") == parts.end()) {
    // The parent is the base model as it is, before parts of it are fresh anew.
    UNIVAL_ASSIGN_OR_RETURN(built.parent_backbone_sha256, LoadedBackboneHash(*built.model));
  }
  if (parts.empty()) return built;
  const std::string tokenizer =
      JoinPath(directory, built.model->manifest().tokenizer().directory());
  auto fresh = Reinitialize(parts, tokenizer, plan.proto.seed(), *built.model);
  if (!fresh.ok()) {
    return AtField(plan, plan.proto.random_backbone() ? "random_backbone" : "reset",
                   fresh.status());
  }
  built.fresh = *std::move(fresh);
  return built;
}

absl::StatusOr<BuiltModel> CreateFreshModel(const LoadedPlan& plan, const Runtime& runtime) {
  BuiltModel built;
  auto model = Model::CreateFresh(plan.proto.fresh_model(),
                                  JoinPath(plan.directory, plan.proto.tokenizer_directory()),
                                  plan.proto.seed(), runtime);
  if (!model.ok()) return AtField(plan, "fresh_model", model.status());
  built.model = *std::move(model);
  built.fresh = Names(*built.model);
  if (plan.proto.start_from().empty()) return built;
  const auto taken =
      TakeOver(JoinPath(plan.directory, plan.proto.start_from()), runtime, built.model.get());
  if (!taken.ok()) return AtField(plan, "start_from", taken.status());
  built.parent_backbone_sha256 = taken->parent_backbone_sha256;
  return built;
}

}  // namespace

absl::Status AtField(const LoadedPlan& plan, const std::string& field, const absl::Status& status) {
  return Annotate(status, plan.file, ": ", field);
}

absl::StatusOr<BuiltModel> BuildModel(const LoadedPlan& plan, const Runtime& runtime,
                                      const std::string& device) {
  UNIVAL_ASSIGN_OR_RETURN(BuiltModel built, plan.proto.has_fresh_model()
                                                ? CreateFreshModel(plan, runtime)
                                                : LoadBase(plan, runtime));
  const std::set<std::string> base = Names(*built.model);
  for (int i = 0; i < plan.proto.new_modality_size(); ++i) {
    const NewModalityPlan& added = plan.proto.new_modality(i);
    const auto place = [&plan](const std::string& from) {
      return absl::EndsWith(from, ".safetensors") ? JoinPath(plan.directory, from) : from;
    };
    UNIVAL_RETURN_IF_ERROR(AtField(
        plan, absl::StrCat("new_modality[", i, "]"),
        built.model->AddModality(added.modality(), added.connection(),
                                 {place(added.encoder_from()), place(added.positions_from()),
                                  Mix(plan.proto.seed(), 0x6d6f64, i)})));
  }
  for (int i = 0; i < plan.proto.adapter_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(AtField(
        plan, absl::StrCat("adapter[", i, "]"),
        built.model->AddAdapter(plan.proto.adapter(i), Mix(plan.proto.seed(), 0x616470, i))));
  }
  for (const std::string& name : Names(*built.model)) {
    if (base.count(name) == 0) built.fresh.insert(name);
  }
  if (!device.empty() && device != "cpu") UNIVAL_RETURN_IF_ERROR(built.model->To(device));
  return built;
}

std::vector<std::string> TemplateFiles(const LoadedPlan& plan) {
  std::vector<std::string> files;
  for (const std::string& file : plan.proto.templates())
    files.push_back(JoinPath(plan.directory, file));
  return files;
}

std::vector<std::string> FilesOfPlan(const LoadedPlan& plan) {
  std::vector<std::string> files = TemplateFiles(plan);
  files.push_back(plan.file);
  const auto add_below = [&plan, &files](const std::string& path) {
    if (!path.empty()) files.push_back(JoinPath(plan.directory, path));
  };
  for (const std::string& model : {plan.proto.model(), plan.proto.start_from()}) {
    if (model.empty()) continue;
    for (const std::string& file : FilesOfModel(JoinPath(plan.directory, model))) {
      files.push_back(file);
    }
  }
  add_below(plan.proto.tokenizer_directory());
  for (const NewModalityPlan& added : plan.proto.new_modality()) {
    for (const std::string& from : {added.encoder_from(), added.positions_from()}) {
      if (absl::EndsWith(from, ".safetensors")) add_below(from);
    }
  }
  return files;
}

}  // namespace unival
