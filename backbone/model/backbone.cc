#include "backbone/model/backbone.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/connection/connection.h"
#include "backbone/model/cached_decoder.h"
#include "backbone/model/decoder.h"
#include "backbone/model/encoder.h"
#include "backbone/model/model_config.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr int64_t kSpecialTokens = 4;

class EncoderDecoder : public torch::nn::Module, public Backbone {
 public:
  EncoderDecoder(const BackboneConfig& config, int64_t vocabulary_size)
      : config_(config), vocabulary_size_(vocabulary_size) {
    encoder_ = register_module("encoder", std::make_shared<Encoder>(config, vocabulary_size));
    decoder_ =
        register_module("decoder", std::make_shared<Decoder>(config, encoder_->embed_tokens()));
    connection_modules_ = register_module("connections", std::make_shared<torch::nn::Module>());
    adapter_modules_ = register_module("adapters", std::make_shared<torch::nn::Module>());
  }

  torch::nn::Module& module() override { return *this; }

  absl::Status AddConnection(const ConnectionConfig& config) override {
    if (HasConnection(config.modality())) {
      return absl::AlreadyExistsError(
          absl::StrCat("the model already has a connection \"", config.modality(), "\""));
    }
    UNIVAL_ASSIGN_OR_RETURN(auto connection, Connection::Create(config, config_));
    Follow(*connection);
    connections_[config.modality()] =
        connection_modules_->register_module(config.modality(), std::move(connection));
    return absl::OkStatus();
  }

  bool HasConnection(const std::string& modality) const override {
    return connections_.count(modality) > 0;
  }

  absl::Status AddAdapter(const AdapterConfig& config) override {
    if (HasAdapter(config.id())) {
      return absl::AlreadyExistsError(
          absl::StrCat("the model already has an adapter \"", config.id(), "\""));
    }
    UNIVAL_ASSIGN_OR_RETURN(auto adapter, AttachAdapter(config, *this));
    Follow(*adapter);
    adapter_modules_->register_module(config.id(), std::move(adapter));
    adapter_ids_.push_back(config.id());
    return absl::OkStatus();
  }

  absl::Status RemoveAdapter(const std::string& id) override {
    if (!HasAdapter(id)) {
      return absl::NotFoundError(absl::StrCat("the model has no adapter \"", id,
                                              "\"; it has: ", absl::StrJoin(adapter_ids_, ", ")));
    }
    DetachAdapter(id, *this);
    adapter_modules_->unregister_module(id);
    adapter_ids_.erase(std::find(adapter_ids_.begin(), adapter_ids_.end(), id));
    return absl::OkStatus();
  }

  std::vector<std::string> adapter_ids() const override { return adapter_ids_; }
  void SetDropout(const DropoutRates& rates) override {
    encoder_->SetDropout(rates);
    decoder_->SetDropout(rates);
  }
  void SetActivationCheckpointing(bool on) override {
    encoder_->set_recomputes_layers(on);
    decoder_->set_recomputes_layers(on);
  }
  const BackboneConfig& config() const override { return config_; }
  int64_t vocabulary_size() const override { return vocabulary_size_; }

  EncoderOutput Encode(const ModelInput& input, bool keep_hidden) override {
    return encoder_->forward(input, connections_, keep_hidden);
  }
  at::Tensor Decode(const EncoderOutput& encoded, const at::Tensor& previous_tokens,
                    const DecodeOptions& options) override {
    return decoder_->forward(encoded, previous_tokens, options);
  }
  std::unique_ptr<IncrementalDecoder> NewIncrementalDecoder(const EncoderOutput& encoded,
                                                            int64_t beam,
                                                            const at::Tensor& code_rows) override {
    return NewCachedDecoder(decoder_, encoded, beam, code_rows);
  }

 private:
  bool HasAdapter(const std::string& id) const {
    return std::find(adapter_ids_.begin(), adapter_ids_.end(), id) != adapter_ids_.end();
  }

  // The model may have been moved to another device or dtype, or set to evaluation mode; what is
  // added follows it.
  void Follow(torch::nn::Module& added) const {
    const at::Tensor& like = encoder_->embed_tokens()->weight();
    added.to(like.device(), like.scalar_type());
    added.train(is_training());
  }

  const BackboneConfig config_;
  const int64_t vocabulary_size_;
  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Decoder> decoder_;
  std::shared_ptr<torch::nn::Module> connection_modules_, adapter_modules_;
  std::vector<std::string> adapter_ids_;
  ConnectionMap connections_;
};

}  // namespace

Backbone::~Backbone() = default;

DropoutRates DropoutOf(const BackboneConfig& config) {
  return {config.dropout(), config.attention_dropout(), config.encoder_drop_path(),
          config.decoder_drop_path()};
}

absl::StatusOr<std::shared_ptr<Backbone>> Backbone::Create(const BackboneConfig& config,
                                                           int64_t vocabulary_size) {
  UNIVAL_RETURN_IF_ERROR(ValidateBackboneConfig(config));
  if (vocabulary_size < kSpecialTokens) {
    return absl::InvalidArgumentError(
        absl::StrCat("vocabulary_size must be at least ", kSpecialTokens,
                     " (<s>, <pad>, </s>, <unk>), got ", vocabulary_size));
  }
  return CatchTorch("create the backbone", [&]() -> std::shared_ptr<Backbone> {
    return std::make_shared<EncoderDecoder>(config, vocabulary_size);
  });
}

}  // namespace unival
