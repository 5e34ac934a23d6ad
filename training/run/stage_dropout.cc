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
  const DropoutRates rates = DropoutOf(stage, trained, model.backbone().config());
  return rates.values > 0 || rates.attention > 0 || rates.encoder_path > 0 ||
         rates.decoder_path > 0;
}

}  // namespace

bool DropsWhileFrozen(const Stage& stage) {
  return stage.dropout() > 0 || stage.attention_dropout() > 0 || stage.drop_path() > 0;
}

DropoutRates DropoutOf(const Stage& stage, const TrainableSet& trained,
                       const BackboneConfig& config) {
  DropoutRates rates;
  if (trained.Touches("backbone.")) rates = DropoutOf(config);
  if (stage.has_dropout()) rates.values = stage.dropout();
  if (stage.has_attention_dropout()) rates.attention = stage.attention_dropout();
  if (stage.has_drop_path()) rates.encoder_path = rates.decoder_path = stage.drop_path();
  return rates;
}

void ApplyDropout(const Stage& stage, const TrainableSet& trained, Backbone& backbone) {
  backbone.SetDropout(DropoutOf(stage, trained, backbone.config()));
}

absl::Status CheckRDropActs(const std::string& at, const Stage& stage, const TrainableSet& trained,
                            const Model& model) {
  if (stage.loss().rdrop_alpha() <= 0 || DropsAnything(stage, trained, model))
    return absl::OkStatus();
  return FieldError(at + ".loss.rdrop_alpha", "a stage that drops something",
                    "one that drops nothing",
                    "two passes would be alike: set dropout, attention_dropout or drop_path too");
}

}  // namespace unival
