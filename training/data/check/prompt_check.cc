#include "training/data/check/prompt_check.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sdk/base/nearest.h"
#include "sdk/base/status_macros.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/templates/record_fault.h"
#include "tasks/templates/template_fault.h"
#include "training/data/check/length_check.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

// What a fault of the set is called, by the field that it is of.
std::string KindOf(const TemplateFault& fault) {
  const auto of = [&fault](absl::string_view field) {
    return fault.field == field || absl::StartsWith(fault.field, absl::StrCat(field, ":"));
  };
  if (fault.kind == FaultKind::kNoTasks) return "no_tasks";
  if (fault.kind == FaultKind::kUnknownField) return "unknown_field";
  if (fault.kind == FaultKind::kUnknownSlotType) return "unknown_slot";
  if (fault.kind == FaultKind::kOutOfRange || of("generation") || of("mask_ratio") ||
      of("mask_span_mean") || absl::StartsWith(fault.field, "max_")) {
    return "setting";
  }
  for (const char* field : {"metric", "labels", "name", "input", "clean", "negatives", "also"}) {
    if (of(field)) return field;
  }
  const bool is_of_target = of("target") || of("unconstrained") || of("codes_block");
  return is_of_target ? "target" : "prompt";
}

Problem ProblemOf(const TemplateFault& fault, const std::string& kind) {
  Problem problem;
  problem.kind = kind;
  problem.file = fault.file;
  problem.line = fault.line;
  problem.task = fault.task;
  problem.field = fault.field;
  problem.slot = fault.slot;
  // Messages end in what to do, behind a semicolon.
  const size_t remedy = fault.what.rfind("; ");
  problem.what = fault.what.substr(0, remedy);
  if (remedy != std::string::npos) problem.remedy = fault.what.substr(remedy + 2);
  return problem;
}

Problem ProblemAt(const LoadedTemplate& source, const std::string& kind, const std::string& field,
                  const std::string& slot, const std::string& what) {
  return ProblemOf(FaultAt(source, field, slot, absl::UnknownError(what)), kind);
}

// One task of the set, while records are read.
struct CheckedTask {
  TemplateReading reading;
  std::unique_ptr<LengthCheck> lengths;
};

class PromptCheck {
 public:
  PromptCheck(const PromptCheckOptions& options, const Runtime& runtime, const Model* model)
      : options_(options),
        types_(runtime.template_types()),
        runtime_(runtime),
        model_(model),
        bytes_(ByteVocabulary::Published()) {}

  absl::StatusOr<PromptReport> Run() {
    std::vector<TemplateFault> faults;
    UNIVAL_RETURN_IF_ERROR(ReadTemplateSet(options_.set, types_, &set_, &faults));
    UNIVAL_RETURN_IF_ERROR(CheckTaskNames());
    for (const TemplateFault& fault : faults) {
      if (fault.task.empty() || IsWanted(fault.task)) {
        problems_.Add(ProblemOf(fault, KindOf(fault)));
      }
    }
    for (const LoadedTemplate& source : set_.tasks) {
      if (!IsWanted(source.proto.name())) continue;
      report_.tasks.push_back(source.proto.name());
      AddTask(source);
    }
    if (!options_.data.empty()) UNIVAL_RETURN_IF_ERROR(ReadRecords());
    report_.problems = problems_.all();
    return std::move(report_);
  }

 private:
  const VocabularyView& vocabulary() const {
    return model_ == nullptr ? static_cast<const VocabularyView&>(bytes_) : model_->vocabulary();
  }

  bool IsWanted(const std::string& task) const {
    return options_.tasks.empty() || absl::c_linear_search(options_.tasks, task);
  }

  absl::Status CheckTaskNames() const {
    std::vector<std::string> names;
    for (const LoadedTemplate& task : set_.tasks) names.push_back(task.proto.name());
    for (const std::string& task : options_.tasks) {
      if (absl::c_linear_search(names, task)) continue;
      return absl::NotFoundError(absl::StrCat(options_.set, ": no task \"", task,
                                              "\"; it has: ", absl::StrJoin(names, ", ")));
    }
    return absl::OkStatus();
  }

  void AddTask(const LoadedTemplate& source) {
    CheckedTask& task = tasks_.emplace_back();
    task.reading = ReadTemplate(source, types_.slots);
    if (model_ == nullptr) return;
    CheckAgainstModel(source, runtime_, *model_, &problems_);
    task.lengths =
        std::make_unique<LengthCheck>(task.reading, vocabulary(), model_->manifest().backbone());
  }

  SourceOptions Opening() const {
    SourceOptions opening;
    opening.path = options_.data;
    opening.columns = options_.columns;
    opening.limit = options_.limit;
    opening.missing_media = true;  // `unival data check` looks for media
    opening.usual_media = false;
    opening.needed.emplace();
    for (const CheckedTask& task : tasks_) {
      for (const TaskInput& input : task.reading.source->proto.input()) {
        opening.media_columns.push_back(input.name());
      }
      opening.needed->merge(ColumnsRead(task.reading));
    }
    return opening;
  }

  absl::Status ReadRecords() {
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(Opening()));
    report_.records = source->size();
    for (int64_t i = 0; i < source->size(); ++i) {
      if (options_.progress) options_.progress(i, source->size());
      const absl::StatusOr<TaskSample> sample = source->Read(i);
      if (sample.ok()) {
        for (CheckedTask& task : tasks_) CheckRecord(task, *sample);
        continue;
      }
      Problem problem;
      problem.kind = "unreadable_record";
      problem.file = options_.data;
      problem.remedy = "correct the record";
      const ProblemRow row = ReadErrorRow(options_.data, i, sample.status().message());
      problems_.Add(std::move(problem), row.record, row.what);
    }
    return absl::OkStatus();
  }

  void CheckRecord(CheckedTask& task, const TaskSample& sample) {
    std::vector<std::string> columns;
    for (const auto& field : sample.fields) columns.push_back(field.first);
    for (const RecordFault& fault : FaultsOfRecord(task.reading, vocabulary(), sample)) {
      Problem problem = ProblemAt(*task.reading.source, fault.kind, fault.field, fault.column, "");
      problem.remedy = RecordRemedy(fault, columns);
      problems_.Add(std::move(problem), sample.key, fault.what);
    }
    if (task.lengths != nullptr) task.lengths->Check(sample, &problems_);
  }

  const PromptCheckOptions& options_;
  const TemplateTypes types_;
  const Runtime& runtime_;
  const Model* model_;
  const ByteVocabulary bytes_;
  LoadedTemplateSet set_;
  std::deque<CheckedTask> tasks_;  // which LengthCheck points into
  ProblemList problems_;
  PromptReport report_;
};

void CheckModalities(const LoadedTemplate& source, const Model& model, ProblemList* problems) {
  const std::vector<std::string> known = model.known_modalities();
  for (int i = 0; i < source.proto.input_size(); ++i) {
    const std::string& modality = source.proto.input(i).modality();
    if (modality.empty() || absl::c_linear_search(known, modality)) continue;
    Problem problem = ProblemAt(source, "absent_modality", absl::StrCat("input:", i),
                                source.proto.input(i).name(),
                                absl::StrCat("the model has no modality \"", modality,
                                             "\" (it has: ", absl::StrJoin(known, ", "), ")"));
    const std::string advice = NearestAdvice(modality, known);
    problem.remedy = absl::StrCat(advice.empty() ? "" : absl::StrCat(advice, " Else "),
                                  "teach it one (new_modality of a plan), or take another model");
    problems->Add(std::move(problem));
  }
}

void CheckBlocksOf(const LoadedTemplate& source, const std::string& field, const Pattern& pattern,
                   const VocabularyView& vocabulary, ProblemList* problems) {
  for (const PatternPiece& slot : pattern) {
    if (slot.type == nullptr) continue;
    const std::string block = slot.type->Block({source.proto, slot});
    if (block.empty() || vocabulary.HasBlock(block)) continue;
    Problem problem = ProblemAt(
        source, "missing_block", field, slot.text,
        absl::StrCat("slot \"{", slot.text, ":", slot.type->name(), "}\" needs vocabulary block \"",
                     block, "\", which the model does not have"));
    problem.remedy = "take a model that has it; `unival vocab list` shows what a model has";
    problems->Add(std::move(problem));
  }
}

}  // namespace

std::string RecordRemedy(const RecordFault& fault, const std::vector<std::string>& columns) {
  if (fault.kind == kMissingColumn) {
    const std::string advice = NearestAdvice(fault.column, columns);
    return absl::StrCat(advice.empty() ? "" : absl::StrCat(advice, " Else "),
                        "add the column, or leave the records out (drop)");
  }
  if (fault.kind == kUnknownLabel) return "correct the value, or add it to labels of the task";
  if (fault.kind == kEmptyText) return "write a text, or leave the record out";
  if (fault.kind == kWrongType) return "correct the value, or the type of the slot";
  if (fault.kind == kBoxOrder || fault.kind == kBoxEmpty) {
    return "boxes are [x0, y0, x1, y1] with x0 < x1 and y0 < y1, x to the right and y down; COCO's "
           "x, y, width, height are to be converted";
  }
  if (fault.kind == kBoxOutside) {
    return "boxes are in pixels of columns width and height, or fractions without these columns";
  }
  return "correct the value";
}

std::string NearestAdvice(const std::string& column, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(column, names);
  return nearest.empty() ? "" : absl::StrCat("is \"", nearest, "\" meant?");
}

void CheckAgainstModel(const LoadedTemplate& source, const Runtime& runtime, const Model& model,
                       ProblemList* problems) {
  const TemplateReading reading = ReadTemplate(source, runtime.template_types().slots);
  const VocabularyView& vocabulary = model.vocabulary();
  CheckModalities(source, model, problems);
  for (size_t i = 0; i < reading.prompts.size(); ++i) {
    CheckBlocksOf(source, i == 0 ? "prompt" : absl::StrCat("paraphrase:", i - 1),
                  reading.prompts[i], vocabulary, problems);
  }
  CheckBlocksOf(source, "target", reading.target, vocabulary, problems);
  if (source.proto.mask_ratio() > 0 && vocabulary.mask() == vocabulary.unk()) {
    problems->Add(ProblemAt(source, "missing_block", "mask_ratio", "",
                            "the model's vocabulary has no mask token (core.mask)"));
  }
  LengthCheck(reading, vocabulary, model.manifest().backbone()).CheckTemplate(problems);
}

absl::StatusOr<PromptReport> CheckPrompts(const PromptCheckOptions& options, const Runtime& runtime,
                                          const Model* model) {
  return PromptCheck(options, runtime, model).Run();
}

}  // namespace unival
