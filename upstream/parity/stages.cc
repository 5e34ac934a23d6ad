// Names and order of the stages.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "upstream/parity/report.h"

namespace unival {
namespace parity {
namespace {

constexpr int64_t kLayersPerStage = 1000;

// The layer's number in "encoder.layer.3", or -1.
int64_t LayerOf(absl::string_view stage, absl::string_view base) {
  int64_t layer = -1;
  if (!absl::ConsumePrefix(&stage, base) || !absl::ConsumePrefix(&stage, ".")) return -1;
  return absl::SimpleAtoi(stage, &layer) && layer >= 0 ? layer : -1;
}

}  // namespace

const std::vector<std::string>& StageNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "tokenizer",         "preprocess",     "checkpoint",     "state_dict",    "encoder",
      "connection",        "embedding",      "attention_bias", "encoder.layer", "encoder.output",
      "decoder.embedding", "decoder.layer",  "logits",         "generation",    "loss",
      "training",          "moving_average", "averaging",      "metrics"};
  return *kNames;
}

bool IsStageName(absl::string_view stage) {
  return StageRank(stage) < static_cast<int64_t>(StageNames().size()) * kLayersPerStage;
}

bool StageMatches(absl::string_view asked, absl::string_view stage) {
  return asked.empty() || asked == stage || LayerOf(stage, asked) >= 0;
}

int64_t StageRank(absl::string_view stage) {
  int64_t rank = 0;
  for (const std::string& name : StageNames()) {
    if (stage == name) return rank;
    const int64_t layer = absl::EndsWith(name, ".layer") ? LayerOf(stage, name) : -1;
    if (layer >= 0) return rank + 1 + std::min(layer, kLayersPerStage - 2);
    rank += kLayersPerStage;
  }
  return rank;
}

}  // namespace parity
}  // namespace unival
