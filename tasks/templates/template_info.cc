// What is known of a template's task without a record, and what it needs of model and program.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

void AddUnique(std::vector<std::string> more, std::vector<std::string>* all) {
  for (std::string& item : more) {
    if (std::find(all->begin(), all->end(), item) == all->end()) all->push_back(std::move(item));
  }
}

}  // namespace

void TemplateTask::FillInfo() {
  info_.name = source_.proto.name();
  info_.summary = source_.proto.summary();
  info_.modalities = TemplateModalities(source_.proto);
  for (const TaskInput& input : source_.proto.input()) {
    AddUnique({input.name()}, &info_.prediction_columns);
    AddUnique({input.name()}, &info_.media_columns);
  }
  AddUnique(PatternColumns(prompts_[0]), &info_.prediction_columns);
  info_.columns = info_.prediction_columns;
  AddUnique(PatternColumns(target_), &info_.columns);
  // Records need not have the answer column of `negatives`: training fills it.
  const auto filled =
      std::find(info_.columns.begin(), info_.columns.end(), source_.proto.negatives().answer());
  if (source_.proto.has_negatives() && filled != info_.columns.end()) info_.columns.erase(filled);
  info_.generation = source_.proto.generation();
  info_.prompt = source_.proto.prompt();
  info_.target = source_.proto.target();
  info_.origin = source_.line > 0 ? absl::StrCat(source_.file, ":", source_.line) : source_.file;
  info_.gives_box = info_.gives_codes = false;
  for (const Pattern* pattern : {&prompts_[0], &target_}) AddKinds(*pattern);
  const PatternPiece* only = OnlySlot(target_);
  if (only == nullptr || only->type->token_count() == 0) return;
  const auto tokens = static_cast<int>(only->type->token_count());
  if (!info_.generation.has_min_tokens()) info_.generation.set_min_tokens(tokens);
  if (info_.generation.max_tokens() == 0) info_.generation.set_max_tokens(tokens);
}

// What the slots say of their columns. Of a column with several slots, the first counts.
void TemplateTask::AddKinds(const Pattern& pattern) {
  std::map<std::string, ValueKind> companions;
  for (const PatternPiece& slot : pattern) {
    if (slot.type == nullptr || slot.type->is_media()) continue;
    info_.column_kinds.emplace(slot.text, slot.type->value_kind());
    companions.merge(slot.type->companion_columns());
    if (slot.type->gives_box()) AddUnique({slot.text}, &info_.box_columns);
    if (&pattern != &target_) continue;
    info_.gives_box |= slot.type->gives_box();
    info_.gives_codes |= slot.type->gives_codes();
  }
  info_.column_kinds.merge(companions);
}

absl::Status TemplateTask::RequireBlocks(absl::string_view field, const Pattern& pattern) {
  for (const PatternPiece& slot : pattern) {
    if (slot.type == nullptr) continue;
    const std::string block = slot.type->Block({source_.proto, slot});
    if (block.empty()) continue;
    // The reason tells a block that is not there from one that was retired.
    const absl::Status found = vocabulary_.BlockSize(block).status();
    if (!found.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat(source_.Where(field), "slot \"{", slot.text, ":", slot.type->name(),
                       "}\" needs vocabulary block \"", block, "\": ", found.message()));
    }
    AddUnique({block}, &info_.blocks);
  }
  return absl::OkStatus();
}

absl::Status TemplateTask::CheckBlocks() {
  for (size_t i = 0; i < prompts_.size(); ++i) {
    const std::string field = i == 0 ? "prompt" : absl::StrCat("paraphrase:", i - 1);
    UNIVAL_RETURN_IF_ERROR(RequireBlocks(field, prompts_[i]));
  }
  UNIVAL_RETURN_IF_ERROR(RequireBlocks("target", target_));
  if (source_.proto.mask_ratio() > 0 && vocabulary_.mask() == vocabulary_.unk()) {
    return absl::FailedPreconditionError(source_.Where("mask_ratio") +
                                         "the model's vocabulary has no mask token (core.mask)");
  }
  return absl::OkStatus();
}

absl::Status TemplateTask::FindMetrics(const TemplateTypes& types) {
  for (const std::string& name : source_.proto.metric()) {
    absl::StatusOr<const MetricFactory*> metric = absl::NotFoundError("no metrics are known here");
    if (types.metrics != nullptr) metric = types.metrics->FindMetric(name);
    if (!metric.ok()) {
      return absl::InvalidArgumentError(source_.Where("metric") +
                                        std::string(metric.status().message()));
    }
    metrics_.push_back(**metric);
    const std::vector<ScoreInfo>& scores = (*metric)->scores;
    info_.scores.insert(info_.scores.end(), scores.begin(), scores.end());
  }
  return absl::OkStatus();
}

}  // namespace unival
