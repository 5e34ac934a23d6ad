// What generated tokens mean, and what they are compared with.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/templates/fields.h"
#include "tasks/metrics/metrics.h"
#include "tasks/templates/seeded_random.h"
#include "tasks/templates/template_task.h"

namespace unival {

absl::StatusOr<Prediction> TemplateTask::Interpret(const TaskSample& sample,
                                                   const Hypothesis& best) const {
  (void)sample;
  Prediction prediction;
  prediction.score = best.score;
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, vocabulary_.DecodeText(best.tokens));
  prediction.text = std::string(absl::StripAsciiWhitespace(text));
  std::array<int64_t, 4> bins;
  size_t run = 0;  // location bins in a row
  for (const int64_t token : best.tokens) {
    UNIVAL_ASSIGN_OR_RETURN(const BlockToken identity, vocabulary_.Identify(token));
    if (HasSlot(target_, SlotType::kCodes) && identity.block == source_.proto.codes_block()) {
      prediction.codes.push_back(identity.index);
    }
    if (prediction.box.has_value() || !HasSlot(target_, SlotType::kBox)) continue;
    run = identity.block == kLocationBins ? run + 1 : 0;
    if (run > 0) bins[run - 1] = identity.index;
    if (run == 4) prediction.box = DequantizeBox(bins, location_bins_);
  }
  return prediction;
}

absl::StatusOr<std::vector<std::string>> TemplateTask::ReferenceTexts(
    const TaskSample& sample) const {
  size_t alternatives = 1;
  for (const std::string& column : PatternColumns(target_)) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    const auto* list = std::get_if<std::vector<std::string>>(&found->second);
    if (list != nullptr) alternatives = std::max(alternatives, list->size());
  }
  std::vector<std::string> texts;
  for (RenderOptions options; options.alternative < alternatives; ++options.alternative) {
    SeededRandom unused(0);
    UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, options, unused));
    std::string text;
    for (const Chunk& chunk : chunks) text += chunk.text;
    texts.emplace_back(absl::StripAsciiWhitespace(text));
  }
  return texts;
}

absl::StatusOr<absl::optional<NormalizedBox>> TemplateTask::ReferenceBox(
    const TaskSample& sample) const {
  for (const PatternPiece& slot : target_) {
    if (slot.type != SlotType::kBox) continue;
    UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox box, BoxOfColumn(sample, slot.text));
    return absl::optional<NormalizedBox>(box);
  }
  return absl::optional<NormalizedBox>();
}

std::unique_ptr<Metric> TemplateTask::NewMetric() const {
  const ReferenceReader reader = [this](const TaskSample& sample) -> absl::StatusOr<References> {
    References references;
    UNIVAL_ASSIGN_OR_RETURN(references.texts, ReferenceTexts(sample));
    UNIVAL_ASSIGN_OR_RETURN(references.box, ReferenceBox(sample));
    return references;
  };
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const std::string& name : source_.proto.metric()) {
    absl::StatusOr<std::unique_ptr<Metric>> metric = CreateMetric(name, reader);
    if (metric.ok()) metrics.push_back(*std::move(metric));  // names were checked by Create
  }
  return CombineMetrics(std::move(metrics));
}

}  // namespace unival
