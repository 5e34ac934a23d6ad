#include "training/run/record_sweep.h"

#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sdk/base/status.h"
#include "tasks/templates/record_fault.h"
#include "tasks/templates/template_task.h"
#include "training/data/check/prompt_check.h"
#include "training/data/sample/negatives.h"

namespace unival {
namespace {

// What training takes, and what is said where it matters (`unival data check`).
bool IsTaken(const RecordFault& fault) {
  return fault.kind == kEmptyText || fault.kind == kBoxEmpty;
}

void SweepOne(const Task& task, const TemplateReading* reading, const TaskSample& sample,
              RecordUse use, const Model& model, ProblemList* problems) {
  if (reading == nullptr) {
    const auto example = task.MakeExample(sample, ExampleMode::kTraining, 0);
    if (example.ok()) return;
    Problem problem;
    problem.kind = kBadValue;
    problem.task = task.info().name;
    problems->Add(std::move(problem), sample.key, std::string(example.status().message()));
    return;
  }
  std::vector<std::string> columns;
  for (const auto& field : sample.fields) columns.push_back(field.first);
  for (const RecordFault& fault : FaultsOfRecord(*reading, model.vocabulary(), sample, use)) {
    if (IsTaken(fault)) continue;
    Problem problem;
    problem.kind = fault.kind;
    problem.task = task.info().name;
    problem.field = fault.field;
    problem.slot = fault.column;
    problem.remedy = RecordRemedy(fault, columns);
    problems->Add(std::move(problem), sample.key, fault.what);
  }
}

std::set<std::string> UsedTasks(const TrainingPlan& plan) {
  std::set<std::string> used;
  for (const Stage& stage : plan.stage()) {
    for (const SourcePlan& source : stage.source()) used.insert(source.task());
  }
  for (const EvaluationPlan& evaluation : plan.evaluation()) used.insert(evaluation.task());
  return used;
}

// With those that make a further example of another one's records.
std::set<std::string> WithFurtherTasks(std::set<std::string> used,
                                       const std::vector<SharedTemplateSet>& sets) {
  std::set<std::string> further;
  for (const SharedTemplateSet& set : sets) {
    for (const LoadedTemplate& task : set->tasks) {
      if (used.count(task.proto.name()) == 0) continue;
      for (const FurtherExample& example : task.proto.also()) further.insert(example.task());
    }
  }
  used.insert(further.begin(), further.end());
  return used;
}

// "vqa", or "thermal (the model has no modality \"thremal\")".
std::string UnusedName(const LoadedTemplate& task, const Model& model) {
  std::vector<std::string> absent;
  for (const std::string& modality : TemplateModalities(task.proto)) {
    if (absl::c_linear_search(model.known_modalities(), modality)) continue;
    const std::string advice = NearestAdvice(modality, model.known_modalities());
    absent.push_back(absl::StrCat("the model has no modality \"", modality, "\"",
                                  advice.empty() ? "" : "; ", advice));
  }
  return absent.empty() ? task.proto.name()
                        : absl::StrCat(task.proto.name(), " (", absl::StrJoin(absent, ", "), ")");
}

}  // namespace

absl::Status SweepRecords(const Task& task, const TemplateTask* by_template, const Source& source,
                          const Model& model, RecordUse use,
                          const std::map<std::string, std::string>& columns) {
  TemplateReading reading;
  if (by_template != nullptr) {
    reading = ReadTemplate(by_template->source(), model.runtime().template_types().slots);
  }
  ProblemList problems;
  for (int64_t i = 0; i < source.size(); ++i) {
    // A task of other kinds may look at anything.
    const absl::StatusOr<TaskSample> sample =
        by_template == nullptr ? source.Read(i) : source.ReadFields(i);
    if (sample.ok()) {
      SweepOne(task, by_template == nullptr ? nullptr : &reading, WithColumns(*sample, columns),
               use, model, &problems);
      continue;
    }
    const ProblemRow row = ReadErrorRow(source.path(), i, sample.status().message());
    Problem problem;
    problem.kind = "unreadable_record";
    problem.remedy = "correct the record, or leave it out (drop)";
    problems.Add(std::move(problem), row.record, row.what);
  }
  if (problems.empty()) return absl::OkStatus();
  return InvalidArgument(source.path(), ": records do not fit the task; nothing was trained:\n",
                         absl::StripSuffix(ProblemText(problems.all()), "\n"));
}

std::vector<std::string> TaskWarnings(const LoadedPlan& plan,
                                      const std::vector<SharedTemplateSet>& sets,
                                      const Model& model) {
  const std::set<std::string> used = WithFurtherTasks(UsedTasks(plan.proto), sets);
  std::vector<std::string> warnings;
  for (const SharedTemplateSet& set : sets) {
    std::vector<std::string> unused;
    ProblemList problems;
    for (const LoadedTemplate& task : set->tasks) {
      if (used.count(task.proto.name()) == 0) {
        unused.push_back(UnusedName(task, model));
      } else {
        CheckAgainstModel(task, model.runtime(), model, &problems);
      }
    }
    for (const Problem& problem : problems.all()) {
      if (!absl::StartsWith(problem.kind, "label_")) continue;
      warnings.push_back(absl::StrCat(PlaceText(problem), problem.what, "; ", problem.remedy));
    }
    if (unused.empty()) continue;
    warnings.push_back(absl::StrCat(set->file, ": no source and no evaluation of the plan uses: ",
                                    absl::StrJoin(unused, ", ")));
  }
  return warnings;
}

}  // namespace unival
