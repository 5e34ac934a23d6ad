#include "backbone/model/golden_model.h"

#include <torch/nn/module.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "backbone/model/model_config.h"
#include "backbone/model/reference_names.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr char kTinyConfig[] = "tests/golden/tiny/config.json";

[[noreturn]] void Die(const absl::Status& status) {
  std::cerr << status << std::endl;
  std::abort();
}

nlohmann::json ParseOrDie(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json.ok()) Die(json.status());
  return *json;
}

}  // namespace

BackboneConfig GoldenConfig(const std::string& overrides) {
  const absl::StatusOr<std::string> text = ReadWholeFile(kTinyConfig);
  if (!text.ok()) Die(text.status());
  nlohmann::json args = ParseOrDie(*text).at("args");
  args.update(ParseOrDie(overrides));
  auto config = ReferenceConfig(args.dump());
  if (!config.ok()) Die(config.status());
  return *config;
}

std::string ReferenceNameOf(const std::string& name) {
  for (const std::string& modality : ReferenceModalities()) {
    for (const ReferenceName& entry : ConnectionNames(modality)) {
      if (entry.name == name) return entry.reference;
    }
  }
  return name;
}

std::shared_ptr<Backbone> GoldenModel(const BackboneConfig& config,
                                      const GoldenModelOptions& options) {
  auto model = Backbone::Create(config, options.vocabulary_size);
  if (!model.ok()) Die(model.status());
  for (size_t i = 0; i < options.modalities.size(); ++i) {
    ConnectionConfig connection;
    connection.set_modality(options.modalities[i]);
    connection.set_feature_dim(options.feature_dims.at(i));
    connection.set_shared_type_row(options.per_modality_type_rows ? i + 1 : 1);
    connection.set_layernorm_features(options.layernorm_features);
    const absl::Status status = (*model)->AddConnection(connection);
    if (!status.ok()) Die(status);
  }
  for (const auto& item : (*model)->module().named_parameters()) {
    FillTensorByFormula(ReferenceNameOf(item.key()), options.seed, item.value());
  }
  (*model)->module().eval();
  return *model;
}

}  // namespace unival
