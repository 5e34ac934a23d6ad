// Cases "forward" (tokens and media to logits) and "encoder" (networks alone).
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
#include "backbone/model/backbone.h"
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

class ForwardCase {
 public:
  ForwardCase(ReplayContext& context, const Fixture::Entry& entry, ReferenceModel& model,
              Checker& check)
      : context_(context), entry_(entry), model_(model), check_(check) {}

  absl::Status Run() {
    const at::NoGradGuard no_grad;
    tolerance_ = ActivationTolerance(model_.backbone().config());
    UNIVAL_ASSIGN_OR_RETURN(BatchInput made,
                            MakeBatchInput(InputsOf(context_.fixture, entry_), model_));
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

class EncoderCase {
 public:
  EncoderCase(const Fixture::Entry& entry, const TensorMap& golden, ReferenceModel& model,
              Checker& check)
      : entry_(entry),
        golden_(golden),
        model_(model),
        check_(check),
        modality_(entry.json.at("modality").get<std::string>()) {}

  absl::Status Run(const at::Tensor& media) {
    const at::Tensor input = model_.NetworkInput(modality_, media);
    if (model_.config(modality_).has_audio()) {
      CheckFrontEnd(model_, modality_, media, golden_, entry_.name + "/", check_);
      compared_.insert({"spectrogram_f0_63", "logmel"});
    }
    FeatureEncoder& network = model_.network(modality_);
    CheckInside(network, input);
    Compare("encoder", "trunk", [&] { return network.forward(input); });
    Compare("connection", "proj", [&] {
      return model_.connection(modality_).Project(model_.Features(modality_, media).values);
    });
    return CheckAllCompared(entry_, golden_, compared_);
  }

 private:
  // What only networks of one kind have.
  void CheckInside(FeatureEncoder& network, const at::Tensor& input) {
    if (auto* residual = dynamic_cast<ResidualEncoder*>(&network)) {
      Compare("encoder", "stem", [&] { return residual->Stem(input); });
    }
    if (auto* pann = dynamic_cast<Pann*>(&network)) {
      const at::Tensor normed = pann->InputNorm(input);
      Compare("encoder", "bn0", [&] { return normed; });
      Compare("encoder", "block1", [&] { return pann->Block(0, normed).slice(1, 0, 8); });
    }
  }

  // Computes `actual` where the fixture has `field`.
  template <typename Actual>
  void Compare(const std::string& stage, const std::string& field, const Actual& actual) {
    const auto expected = golden_.find(absl::StrCat(entry_.name, "/", field));
    if (expected == golden_.end()) return;
    compared_.insert(field);
    check_.Tensor(stage, field, actual(), expected->second, kTrunk);
  }

  const Fixture::Entry& entry_;
  const TensorMap& golden_;
  ReferenceModel& model_;
  Checker& check_;
  const std::string modality_;
  std::set<std::string> compared_;
};

absl::Status RunEncoder(ReplayContext& context, const Fixture::Entry& entry, Checker& check) {
  const at::NoGradGuard no_grad;
  UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get(SpecOf(entry)));
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor media, context.fixture.Input(entry, "x"));
  if (!media.defined()) return absl::NotFoundError("it has no input x");
  const std::string modality = entry.json.at("modality");
  if (!model->Has(modality)) {
    return absl::FailedPreconditionError(absl::StrCat("the model has no modality ", modality));
  }
  return EncoderCase(entry, *golden, *model, check).Run(media);
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

}  // namespace parity
}  // namespace unival
