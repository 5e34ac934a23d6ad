// Cases "forward" (tokens and media to logits), "encoder" (networks alone) and "biases".
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "backbone/layers/position_index.h"
#include "backbone/model/decoder.h"
#include "backbone/model/encoder.h"
#include "modalities/audio/log_mel.h"
#include "modalities/networks/bottleneck.h"
#include "modalities/networks/pann.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/batch_input.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr Tolerance kTrunk = {0, 1e-4};
constexpr Tolerance kLogMel = {1e-3, 0};  // dB
constexpr Tolerance kBias = {1e-5, 0};

// Inputs that are stored with the case or that the index describes.
InputSource InputsOf(ReplayContext& context, const Fixture::Entry& entry) {
  return
      [&context, &entry](const std::string& field) { return context.fixture.Input(entry, field); };
}

class ForwardCase {
 public:
  ForwardCase(ReplayContext& context, const Fixture::Entry& entry, ReferenceModel& model,
              Checker& check)
      : context_(context), entry_(entry), model_(model), check_(check) {}

  absl::Status Run() {
    const at::NoGradGuard no_grad;
    tolerance_ = ActivationTolerance(model_.backbone().config());
    UNIVAL_ASSIGN_OR_RETURN(BatchInput made, MakeBatchInput(InputsOf(context_, entry_), model_));
    const EncoderOutput encoded = model_.backbone().Encode(made.input, /*keep_hidden=*/true);
    if (made.masked) valid_ = encoded.padding.logical_not();
    UNIVAL_RETURN_IF_ERROR(CheckEncoder(encoded));
    UNIVAL_RETURN_IF_ERROR(CheckDecoder(encoded));
    UNIVAL_ASSIGN_OR_RETURN(const TensorMap* tensors, context_.fixture.Tensors(entry_.file));
    return CheckAllCompared(entry_, *tensors, compared_);
  }

 private:
  absl::StatusOr<at::Tensor> Expected(const std::string& field) {
    UNIVAL_ASSIGN_OR_RETURN(const TensorMap* tensors, context_.fixture.Tensors(entry_.file));
    const auto found = tensors->find(absl::StrCat(entry_.name, "/", field));
    if (found == tensors->end()) return at::Tensor();
    compared_.insert(field);
    return found->second;
  }

  absl::Status Compare(const std::string& stage, const std::string& field, const at::Tensor& actual,
                       const at::Tensor& valid = {}) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor expected, Expected(field));
    if (expected.defined()) check_.Tensor(stage, field, actual, expected, tolerance_, valid);
    return absl::OkStatus();
  }

  // "encoder_state.0" is what enters the layers, ".i" the output of layer i - 1.
  absl::Status CompareStates(const std::string& stack, const std::string& embedding,
                             const std::vector<at::Tensor>& hidden, const at::Tensor& valid) {
    for (size_t i = 0; i < hidden.size(); ++i) {
      const std::string stage = i == 0 ? embedding : absl::StrCat(stack, ".layer.", i - 1);
      UNIVAL_RETURN_IF_ERROR(Compare(stage, absl::StrCat(stack, "_state.", i), hidden[i], valid));
    }
    return absl::OkStatus();
  }

  absl::Status CheckEncoder(const EncoderOutput& encoded) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor padding, Expected("encoder_padding_mask"));
    if (padding.defined()) {
      check_.Tensor("embedding", "encoder_padding_mask", encoded.padding, padding, {0, 0});
    }
    UNIVAL_RETURN_IF_ERROR(
        Compare("embedding", "position_embeddings", encoded.position_embeddings, valid_));
    UNIVAL_RETURN_IF_ERROR(CompareStates("encoder", "embedding", encoded.hidden, valid_));
    return Compare("encoder.output", "encoder_out", encoded.states, valid_);
  }

  absl::Status CheckDecoder(const EncoderOutput& encoded) {
    DecodeOptions options;
    std::vector<at::Tensor> hidden;
    options.hidden = &hidden;
    UNIVAL_ASSIGN_OR_RETURN(options.code_rows, context_.fixture.Input(entry_, "code_masks"));
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor previous,
                            context_.fixture.Input(entry_, "prev_output_tokens"));
    if (!previous.defined()) return absl::NotFoundError("it has no prev_output_tokens");
    const at::Tensor logits = model_.backbone().Decode(encoded, previous, options);
    UNIVAL_RETURN_IF_ERROR(CompareStates("decoder", "decoder.embedding", hidden, {}));
    UNIVAL_RETURN_IF_ERROR(Compare("logits", "logits", logits));
    UNIVAL_RETURN_IF_ERROR(Compare("logits", "logits_last", logits.select(1, -1)));
    UNIVAL_RETURN_IF_ERROR(
        Compare("logits", "logits_every97", logits.slice(2, 0, logits.size(2), 97)));
    return CheckLargest(logits);
  }

  // The k likeliest tokens. Where two values are closer than the tolerance their order may change,
  // so ids are judged by their values.
  absl::Status CheckLargest(const at::Tensor& logits) {
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor ids, Expected("top20_ids"));
    if (!ids.defined()) return absl::OkStatus();
    UNIVAL_RETURN_IF_ERROR(
        Compare("logits", "top20_values", std::get<0>(logits.topk(ids.size(-1), -1))));
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor values, Expected("top20_values"));
    check_.Tensor("logits", "top20_ids", logits.gather(-1, ids), values, tolerance_);
    return absl::OkStatus();
  }

  ReplayContext& context_;
  const Fixture::Entry& entry_;
  ReferenceModel& model_;
  Checker& check_;
  Tolerance tolerance_;
  at::Tensor valid_;
  std::set<std::string> compared_;
};

ModelSpec SpecOf(const Fixture::Entry& entry) {
  return {entry.config, entry.json.value("config_overrides", Json::object()),
          entry.json.at("weights_seed").get<uint64_t>()};
}

// Outputs of the audio front end: power spectrum and decibels.
void CheckFrontEnd(const ReferenceModel& model, const std::string& modality,
                   const at::Tensor& waves, const TensorMap& golden, const std::string& prefix,
                   Checker& check) {
  const auto power = golden.find(prefix + "spectrogram_f0_63");
  if (power != golden.end()) {
    const AudioInput& audio = model.config(modality).audio();
    const auto front_end =
        LogMelSpectrogram::Create(audio.log_mel(), audio.sample_rate_hz()).value();
    const int64_t frames = front_end->frames(waves.size(1)),
                  bins = audio.log_mel().window() / 2 + 1;
    std::vector<at::Tensor> rows;
    for (int64_t row = 0; row < waves.size(0); ++row) {
      std::vector<float> spectrum = front_end->PowerSpectrum(
          {waves[row].data_ptr<float>(), static_cast<size_t>(waves.size(1))});
      rows.push_back(at::from_blob(spectrum.data(), {1, frames, bins}, at::kFloat).clone());
    }
    check.Tensor("preprocess", "spectrogram_f0_63", at::stack(rows).slice(3, 0, 64), power->second,
                 kTrunk);
  }
  const auto decibels = golden.find(prefix + "logmel");
  if (decibels == golden.end()) return;
  check.Tensor("preprocess", "logmel", model.NetworkInput(modality, waves), decibels->second,
               kLogMel);
}

absl::Status RunEncoder(ReplayContext& context, const Fixture::Entry& entry, Checker& check) {
  const at::NoGradGuard no_grad;
  const std::string modality = entry.json.at("modality");
  const std::string prefix = entry.name + "/";
  UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get(SpecOf(entry)));
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor media, context.fixture.Input(entry, "x"));
  if (!media.defined()) return absl::NotFoundError("it has no input x");
  if (!model->Has(modality)) {
    return absl::FailedPreconditionError(absl::StrCat("the model has no modality ", modality));
  }
  std::set<std::string> compared;
  const auto compare = [&](const std::string& stage, const std::string& field, const auto& actual,
                           const Tolerance& tolerance) {
    const auto expected = golden->find(prefix + field);
    if (expected == golden->end()) return;
    compared.insert(field);
    check.Tensor(stage, field, actual(), expected->second, tolerance);
  };
  const at::Tensor input = model->NetworkInput(modality, media);
  if (model->config(modality).has_audio()) {
    CheckFrontEnd(*model, modality, media, *golden, prefix, check);
    compared.insert({"spectrogram_f0_63", "logmel"});
  }
  FeatureEncoder& network = model->network(modality);
  if (auto* residual = dynamic_cast<ResidualEncoder*>(&network)) {
    compare(
        "encoder", "stem", [&] { return residual->Stem(input); }, kTrunk);
  }
  if (auto* pann = dynamic_cast<Pann*>(&network)) {
    const at::Tensor normed = pann->InputNorm(input);
    compare(
        "encoder", "bn0", [&] { return normed; }, kTrunk);
    compare(
        "encoder", "block1", [&] { return pann->Block(0, normed).slice(1, 0, 8); }, kTrunk);
  }
  compare(
      "encoder", "trunk", [&] { return network.forward(input); }, kTrunk);
  compare(
      "connection", "proj",
      [&] { return model->connection(modality).Project(model->Features(modality, media).values); },
      kTrunk);
  return CheckAllCompared(entry, *golden, compared);
}

class BiasesCase {
 public:
  BiasesCase(const TensorMap& golden, ReferenceModel& model, const std::string& name,
             const ModelInput& input, Checker& check)
      : golden_(golden), model_(model), name_(name), input_(input), check_(check) {}

  // `code_rows` as in DecodeOptions.
  void Run(int64_t target_length, const at::Tensor& code_rows) {
    const auto children = model_.backbone().module().named_children();
    Encoder& encoder = dynamic_cast<Encoder&>(*children["encoder"]);
    Decoder& decoder = dynamic_cast<Decoder&>(*children["decoder"]);
    ConnectionMap connections;
    for (const auto& item : children["connections"]->named_children()) {
      connections[item.key()] = std::dynamic_pointer_cast<Connection>(item.value());
    }
    CheckPositionIds();
    const Encoder::Sequence sequence = encoder.Embed(input_, connections);
    const EncoderOutput encoded = model_.backbone().Encode(input_);
    const CodeRows codes(code_rows);
    for (int64_t layer = 0; layer < model_.backbone().config().encoder_layers(); ++layer) {
      Compare(absl::StrCat("encoder.", layer, ".self_attn_bias"),
              encoder.AbsoluteBias(sequence) + encoder.RelativeBias(sequence, layer));
    }
    for (int64_t layer = 0; layer < model_.backbone().config().decoder_layers(); ++layer) {
      Compare(absl::StrCat("decoder.", layer, ".self_attn_bias"),
              decoder.AbsoluteSelfBias(codes, 0, target_length) +
                  decoder.RelativeSelfBias(codes, layer, 0, target_length));
      Compare(absl::StrCat("decoder.", layer, ".cross_attn_bias"),
              decoder.CrossBias(codes, decoder.CrossPositionKeys(encoded), 0, target_length));
    }
  }

  const std::set<std::string>& compared() const { return compared_; }

 private:
  const at::Tensor* Find(const std::string& field) {
    const auto found = golden_.find(absl::StrCat(name_, "/", field));
    if (found == golden_.end()) return nullptr;
    compared_.insert(field);
    return &found->second;
  }

  // Of batches of one modality; rows of several have ids of their own each.
  void CheckPositionIds() {
    if (input_.segments.size() != 1) return;
    const at::Tensor* expected = Find("position_ids");
    if (expected == nullptr) return;
    const ModalitySegment& segment = input_.segments.front();
    check_.Tensor("embedding", "position_ids",
                  model_.connection(segment.connection).PositionIds(segment.features), *expected,
                  {0, 0});
  }

  void Compare(const std::string& field, const at::Tensor& actual) {
    const at::Tensor* expected = Find(field);
    if (expected == nullptr) return;
    check_.Tensor("attention_bias", field, actual.expand_as(*expected), *expected, kBias);
  }

  const TensorMap& golden_;
  ReferenceModel& model_;
  const std::string name_;
  const ModelInput& input_;
  Checker& check_;
  std::set<std::string> compared_;
};

// Rows and columns of the bucket maps, which hold no weights.
void CheckBuckets(const TensorMap& golden, const BackboneConfig& config, Checker& check) {
  const auto compare = [&](const char* field, const auto& actual) {
    const auto expected = golden.find(field);
    if (expected == golden.end()) return;
    check.Tensor("attention_bias", field, actual(expected->second), expected->second, {0, 0});
  };
  layers::TokenBuckets buckets(config.token_bucket_size());
  compare("token_rp_bucket_row0", [&](const at::Tensor& expected) {
    return buckets.Square(expected.size(0), at::kCPU)[0];
  });
  compare("token_rp_bucket_col0", [&](const at::Tensor& expected) {
    return buckets.Square(expected.size(0), at::kCPU).select(1, 0);
  });
  compare("image_rp_bucket_sub", [&](const at::Tensor&) {
    const at::Tensor& ids = golden.at("image_rp_bucket_ids");
    return layers::GridBuckets(ids, ids, config.image_bucket_size());
  });
  compare("decoder_image_position_idx", [&](const at::Tensor& expected) {
    return layers::CodePositionIds(expected.size(0), config.code_image_size() / 8,
                                   config.image_bucket_size(), at::kCPU);
  });
}

}  // namespace

absl::Status ReplayForward(ReplayContext& context, const Fixture::Entry& entry) {
  context.Case(entry, entry.name, [&](Checker& check) -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get(SpecOf(entry)));
    return ForwardCase(context, entry, *model, check).Run();
  });
  return absl::OkStatus();
}

absl::Status ReplayEncoder(ReplayContext& context, const Fixture::Entry& entry) {
  context.Case(entry, entry.name,
               [&](Checker& check) { return RunEncoder(context, entry, check); });
  return absl::OkStatus();
}

// The tensors are those of forward cases of the same names.
absl::Status ReplayBiases(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  std::vector<std::string> names;
  for (const auto& item : *golden) {
    const size_t slash = item.first.find('/');
    const std::string name = item.first.substr(0, slash);
    if (slash != std::string::npos && (names.empty() || names.back() != name)) {
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    context.Case(entry, name, [&](Checker& check) -> absl::Status {
      const at::NoGradGuard no_grad;
      UNIVAL_ASSIGN_OR_RETURN(const Fixture::Entry* forward,
                              context.fixture.FindCase("forward", name, entry));
      UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get(SpecOf(*forward)));
      UNIVAL_ASSIGN_OR_RETURN(const BatchInput made,
                              MakeBatchInput(InputsOf(context, *forward), *model));
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor previous,
                              context.fixture.Input(*forward, "prev_output_tokens"));
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor code_rows,
                              context.fixture.Input(*forward, "code_masks"));
      BiasesCase biases(*golden, *model, name, made.input, check);
      biases.Run(previous.size(1), code_rows);
      const Fixture::Entry own{entry.file, name, entry.kind, entry.config, "", Json::object()};
      return CheckAllCompared(own, *golden, biases.compared());
    });
  }
  context.Case(entry, "buckets", [&](Checker& check) -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get({entry.config}));
    CheckBuckets(*golden, model->backbone().config(), check);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
