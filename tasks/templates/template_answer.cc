// What generated tokens mean, and what they are compared with.
#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/types/span.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"
#include "tasks/templates/template_task.h"

namespace unival {

absl::StatusOr<std::string> TemplateTask::AnswerText(const std::vector<int64_t>& tokens) const {
  const auto unknown = std::find(tokens.begin(), tokens.end(), vocabulary_.unk());
  const AnswerSet& answers = constraint_.answers;
  if (unknown == tokens.end() || answers.empty()) return vocabulary_.DecodeText(tokens);
  const auto found = std::find(answers.begin(), answers.end(), tokens);
  if (found == answers.end()) {
    const auto sure = static_cast<size_t>(unknown - tokens.begin());
    return vocabulary_.DecodeText(absl::MakeConstSpan(tokens).first(sure));
  }
  return answer_texts_[static_cast<size_t>(found - answers.begin())];
}

absl::StatusOr<Prediction> TemplateTask::Interpret(const TaskSample& sample,
                                                   const Hypothesis& best) const {
  (void)sample;
  Prediction prediction;
  prediction.score = best.score;
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, AnswerText(best.tokens));
  prediction.text = std::string(absl::StripAsciiWhitespace(text));
  std::vector<BlockToken> tokens;
  for (const int64_t token : best.tokens) {
    UNIVAL_ASSIGN_OR_RETURN(tokens.emplace_back(), vocabulary_.Identify(token));
  }
  std::set<const SlotType*> asked;
  for (const PatternPiece& slot : target_) {
    if (slot.type == nullptr || !asked.insert(slot.type.get()).second) continue;
    UNIVAL_RETURN_IF_ERROR(
        slot.type->Interpret({source_.proto, slot}, vocabulary_, tokens, &prediction));
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
  RenderOptions options;
  options.reference = true;
  for (; options.alternative < alternatives; ++options.alternative) {
    SeededRandom unused(0);
    UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, options, unused));
    std::string text;
    for (const Chunk& chunk : chunks) text += chunk.text;
    texts.emplace_back(absl::StripAsciiWhitespace(text));
  }
  return texts;
}

absl::StatusOr<References> TemplateTask::ReferencesOf(const TaskSample& sample) const {
  References references;
  UNIVAL_ASSIGN_OR_RETURN(references.texts, ReferenceTexts(sample));
  for (const PatternPiece& slot : target_) {
    if (slot.type == nullptr) continue;
    UNIVAL_RETURN_IF_ERROR(slot.type->AddReference({source_.proto, slot}, sample, &references));
  }
  return references;
}

std::unique_ptr<Metric> TemplateTask::NewMetric() const {
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const MetricFactory& factory : metrics_) {
    metrics.push_back(
        factory.create([this](const TaskSample& sample) { return ReferencesOf(sample); }));
  }
  return CombineMetrics(std::move(metrics));
}

}  // namespace unival
