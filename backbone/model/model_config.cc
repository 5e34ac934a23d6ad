#include "backbone/model/model_config.h"

#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::json;

// Reads arguments one after another and remembers the first problem.
class Arguments {
 public:
  explicit Arguments(const Json& json) : json_(json) {}

  int32_t Size(const char* name) {
    const Json* value = Find(name, /*required=*/true);
    if (value == nullptr) return 0;
    if (!value->is_number_integer()) return Fail(name, "an integer", *value), 0;
    return value->get<int32_t>();
  }
  int32_t Size(const char* name, int32_t absent) {
    return Find(name, /*required=*/false) == nullptr ? absent : Size(name);
  }
  float Number(const char* name, float absent) {
    const Json* value = Find(name, /*required=*/false);
    if (value == nullptr) return absent;
    if (!value->is_number()) return Fail(name, "a number", *value), absent;
    return value->get<float>();
  }
  bool Flag(const char* name) {
    const Json* value = Find(name, /*required=*/false);
    if (value == nullptr) return false;
    if (!value->is_boolean()) return Fail(name, "true or false", *value), false;
    return value->get<bool>();
  }
  // Encoder and decoder may differ in the reference, not here.
  int32_t Same(const char* first, const char* second) {
    const int32_t a = Size(first), b = Size(second);
    if (a != b) Report(absl::StrCat(first, " ", a, " and ", second, " ", b, " must be equal"));
    return a;
  }
  const absl::Status& status() const { return status_; }

 private:
  const Json* Find(const char* name, bool required) {
    const auto found = json_.find(name);
    if (found != json_.end() && !found->is_null()) return &*found;
    if (required) Report(absl::StrCat("missing argument \"", name, "\""));
    return nullptr;
  }
  void Fail(const char* name, const char* expected, const Json& actual) {
    Report(absl::StrCat("argument \"", name, "\" must be ", expected, ", got ", actual.dump()));
  }
  void Report(const std::string& problem) {
    if (status_.ok()) status_ = absl::InvalidArgumentError("reference configuration: " + problem);
  }

  const Json& json_;
  absl::Status status_;
};

void ReadSizes(Arguments& args, BackboneConfig* config) {
  config->set_d_model(args.Same("encoder_embed_dim", "decoder_embed_dim"));
  config->set_ffn_dim(args.Same("encoder_ffn_embed_dim", "decoder_ffn_embed_dim"));
  config->set_heads(args.Same("encoder_attention_heads", "decoder_attention_heads"));
  config->set_encoder_layers(args.Size("encoder_layers"));
  config->set_decoder_layers(args.Size("decoder_layers"));
  config->set_token_bucket_size(args.Size("token_bucket_size", 256));
  config->set_image_bucket_size(args.Size("image_bucket_size", 42));
  config->set_max_positions(args.Same("max_source_positions", "max_target_positions"));
  config->set_attn_scale_factor(args.Number("attn_scale_factor", 2));
  config->set_code_image_size(args.Size("code_image_size", 128));
  config->set_orig_patch_image_size(args.Size("orig_patch_image_size", 256));
}

void ReadSwitches(Arguments& args, BackboneConfig* config) {
  const bool per_modality = args.Flag("add_mm_type_embedding");
  config->set_add_type_embedding(per_modality || args.Flag("add_type_embedding"));
  config->set_type_rows(per_modality ? 4 : config->add_type_embedding() ? 2 : 0);
  config->set_scale_attn(args.Flag("scale_attn"));
  config->set_scale_fc(args.Flag("scale_fc"));
  config->set_scale_heads(args.Flag("scale_heads"));
  config->set_scale_resids(args.Flag("scale_resids"));
  config->set_qk_norm(args.Flag("qk_norm"));
  config->set_disable_entangle(args.Flag("disable_entangle"));
  config->set_entangle_position_embedding(args.Flag("entangle_position_embedding"));
  config->set_layernorm_embedding(args.Flag("layernorm_embedding"));
  config->set_patch_layernorm_embedding(args.Flag("patch_layernorm_embedding"));
  config->set_code_layernorm_embedding(args.Flag("code_layernorm_embedding"));
  config->set_encoder_pre_norm(args.Flag("encoder_normalize_before"));
  config->set_decoder_pre_norm(args.Flag("decoder_normalize_before"));
  config->set_scale_embedding(!args.Flag("no_scale_embedding"));
  config->set_interpolate_position(args.Flag("interpolate_position"));
}

void ReadRegularisation(Arguments& args, BackboneConfig* config) {
  config->set_dropout(args.Number("dropout", 0));
  config->set_attention_dropout(args.Number("attention_dropout", 0));
  config->set_encoder_drop_path(args.Number("encoder_drop_path_rate", 0));
  config->set_decoder_drop_path(args.Number("decoder_drop_path_rate", 0));
}

absl::Status Invalid(const std::string& problem) {
  return absl::InvalidArgumentError("backbone configuration: " + problem);
}

constexpr int32_t kMaxTypeRows = 1024;

absl::Status CheckSizes(const BackboneConfig& config) {
  // Far above any real model, and low enough that no single size can exhaust the memory.
  const std::vector<std::tuple<const char*, int32_t, int32_t>> bounded = {
      {"d_model", config.d_model(), 16384},
      {"ffn_dim", config.ffn_dim(), 65536},
      {"heads", config.heads(), 256},
      {"encoder_layers", config.encoder_layers(), 256},
      {"decoder_layers", config.decoder_layers(), 256},
      {"image_bucket_size", config.image_bucket_size(), 512},
      {"max_positions", config.max_positions(), 131072},
  };
  for (const auto& [name, value, most] : bounded) {
    if (value <= 0) return Invalid(absl::StrCat(name, " must be positive, got ", value));
    if (value > most)
      return Invalid(absl::StrCat(name, " must be at most ", most, ", got ", value));
  }
  if (config.type_rows() > kMaxTypeRows) {
    return Invalid(
        absl::StrCat("type_rows must be at most ", kMaxTypeRows, ", got ", config.type_rows()));
  }
  if (config.d_model() % config.heads() != 0) {
    return Invalid(absl::StrCat("d_model ", config.d_model(), " must be a multiple of heads ",
                                config.heads()));
  }
  if (config.token_bucket_size() < 2 || config.token_bucket_size() > 2000) {
    return Invalid(
        absl::StrCat("token_bucket_size must be in [2, 2000], got ", config.token_bucket_size()));
  }
  if (!(config.attn_scale_factor() > 0)) {
    return Invalid(absl::StrCat("attn_scale_factor must be positive (2 in the reference), got ",
                                config.attn_scale_factor()));
  }
  return absl::OkStatus();
}

absl::Status CheckOptionalParts(const BackboneConfig& config) {
  if (config.add_type_embedding() ? config.type_rows() < 1 : config.type_rows() != 0) {
    return Invalid(
        absl::StrCat("type_rows must be at least 1 with add_type_embedding and 0 without, got ",
                     config.type_rows()));
  }
  if (config.code_image_size() < 0 ||
      config.code_image_size() / kPixelsPerCode > config.image_bucket_size()) {
    return Invalid(absl::StrCat(
        "code_image_size must be in [0, ", kPixelsPerCode, " * image_bucket_size = ",
        kPixelsPerCode * config.image_bucket_size(), "], got ", config.code_image_size()));
  }
  const int32_t trained_side = config.orig_patch_image_size() / 16;
  if (config.interpolate_position() &&
      (trained_side < 1 || trained_side > config.image_bucket_size())) {
    return Invalid(absl::StrCat("orig_patch_image_size must be in [16, 16 * image_bucket_size = ",
                                16 * config.image_bucket_size(),
                                "] with interpolate_position, got ",
                                config.orig_patch_image_size()));
  }
  return absl::OkStatus();
}

absl::Status CheckRates(const BackboneConfig& config) {
  const std::vector<std::pair<const char*, float>> rates = {
      {"dropout", config.dropout()},
      {"attention_dropout", config.attention_dropout()},
      {"encoder_drop_path", config.encoder_drop_path()},
      {"decoder_drop_path", config.decoder_drop_path()},
  };
  for (const auto& [name, value] : rates) {
    if (!(value >= 0 && value < 1)) {
      return Invalid(absl::StrCat(name, " must be in [0, 1), got ", value));
    }
  }
  return absl::OkStatus();
}

}  // namespace

BackboneConfig BaseBackboneConfig() {
  BackboneConfig config;
  config.set_d_model(768);
  config.set_ffn_dim(3072);
  config.set_heads(12);
  config.set_encoder_layers(6);
  config.set_decoder_layers(6);
  config.set_token_bucket_size(256);
  config.set_image_bucket_size(42);
  config.set_max_positions(1024);
  config.set_attn_scale_factor(2);
  config.set_type_rows(2);
  config.set_code_image_size(128);
  config.set_orig_patch_image_size(256);
  config.set_scale_attn(true);
  config.set_scale_fc(true);
  config.set_scale_heads(true);
  config.set_disable_entangle(true);
  config.set_layernorm_embedding(true);
  config.set_patch_layernorm_embedding(true);
  config.set_code_layernorm_embedding(true);
  config.set_encoder_pre_norm(true);
  config.set_decoder_pre_norm(true);
  config.set_add_type_embedding(true);
  return config;
}

absl::StatusOr<BackboneConfig> ReferenceConfig(absl::string_view json) {
  // No argument stands deeper. Deeper values are dropped, because copying them would need a deep
  // stack.
  constexpr int kMostDepth = 16;
  const Json::parser_callback_t is_shallow = [](int depth, Json::parse_event_t, Json&) {
    return depth <= kMostDepth;
  };
  const absl::StatusOr<Json> parsed = ParseJson<Json>(json, is_shallow);
  if (!parsed.ok() || !parsed->is_object()) {
    return absl::InvalidArgumentError("reference configuration: not a JSON object");
  }
  const auto nested = parsed->find("args");
  Arguments args(nested != parsed->end() && nested->is_object() ? *nested : *parsed);
  BackboneConfig config;
  ReadSizes(args, &config);
  ReadSwitches(args, &config);
  ReadRegularisation(args, &config);
  UNIVAL_RETURN_IF_ERROR(args.status());
  UNIVAL_RETURN_IF_ERROR(ValidateBackboneConfig(config));
  return config;
}

absl::Status ValidateBackboneConfig(const BackboneConfig& config) {
  UNIVAL_RETURN_IF_ERROR(CheckSizes(config));
  UNIVAL_RETURN_IF_ERROR(CheckOptionalParts(config));
  return CheckRates(config);
}

int64_t CodeGridCells(const BackboneConfig& config) {
  const int64_t side = config.code_image_size() / kPixelsPerCode;
  return side * side;
}

int64_t LeastBackboneElements(const BackboneConfig& config) {
  const int64_t d = config.d_model(), side = config.image_bucket_size();
  const int64_t square = d * d, feed_forward = 2 * d * int64_t{config.ffn_dim()};
  const int64_t grid = (2 * side - 1) * (2 * side - 1) + 3;
  const int64_t tables = config.heads() * (2 * int64_t{config.token_bucket_size()} - 1 + grid);
  const int64_t positions = (int64_t{config.max_positions()} + 2) * d;
  const int64_t encoder =
      positions + 2 * square + config.encoder_layers() * (4 * square + feed_forward + tables);
  const int64_t decoder = positions + (side * side + 1) * d + 4 * square +
                          config.decoder_layers() * (8 * square + feed_forward + tables);
  return encoder + decoder;
}

}  // namespace unival
