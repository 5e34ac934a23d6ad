#include "training/run/stage_dropout.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

bool DropsAnything(const Stage& stage, const TrainableSet& trained, const Model& model) {
  for (const AdapterRecord& record : model.manifest().adapter()) {
    const std::string parameters = absl::StrCat("adapter.", record.config().id(), ".");
    if (record.config().dropout() > 0 && trained.Touches(parameters)) return true;
  }
  if (!trained.Touches("backbone.")) return false;
  const DropoutRates rates = DropoutOf(stage, model.backbone().config());
  return rates.values > 0 || rates.attention > 0 || rates.encoder_path > 0 ||
         rates.decoder_path > 0;
}

}  // namespace

DropoutRates DropoutOf(const Stage& stage, const BackboneConfig& config) {
  DropoutRates rates = DropoutOf(config);
  if (stage.has_dropout()) rates.values = stage.dropout();
  if (stage.has_attention_dropout()) rates.attention = stage.attention_dropout();
  if (stage.has_drop_path()) rates.encoder_path = rates.decoder_path = stage.drop_path();
  return rates;
}

void ApplyDropout(const Stage& stage, Backbone& backbone) {
  backbone.SetDropout(DropoutOf(stage, backbone.config()));
}

absl::Status CheckDropoutActs(const std::string& at, const Stage& stage,
                              const TrainableSet& trained, const Model& model) {
  const bool drops = DropsAnything(stage, trained, model);
  if (stage.loss().rdrop_alpha() > 0 && !drops) {
    return FieldError(at + ".loss.rdrop_alpha", "a stage that drops something",
                      "one that drops nothing",
                      "two passes would be alike: set dropout, attention_dropout or drop_path too");
  }
  if (trained.Touches("backbone.")) return absl::OkStatus();
  const char* field = stage.dropout() > 0             ? "dropout"
                      : stage.attention_dropout() > 0 ? "attention_dropout"
                      : stage.drop_path() > 0         ? "drop_path"
                                                      : nullptr;
  if (field == nullptr) return absl::OkStatus();
  return FieldError(
      absl::StrCat(at, ".", field), "a stage that trains the backbone", "one in which it is frozen",
      "what is frozen drops nothing: remove the field, or add trainable: \"backbone\"; "
      "adapters have a `dropout` of their own");
}

}  // namespace unival
