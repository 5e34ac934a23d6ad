#include "training/merging/merge_plan.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "training/config/plan.h"
#include "training/config/trainable_pattern.h"
#include "training/merging/merge_plan.pb.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<PartLambda> MakePart(const std::string& pattern, double lambda) {
  PartLambda part;
  part.pattern = pattern;
  part.lambda = lambda;
  UNIVAL_ASSIGN_OR_RETURN(part.matches, ParseTrainablePattern(pattern));
  return part;
}

absl::StatusOr<MergeOptions> OptionsOf(const MergePlan& plan, const std::string& folder) {
  MergeOptions merge;
  for (const MergeModelPlan& model : plan.model()) {
    merge.models.push_back(JoinPath(folder, model.path()));
    merge.weights.push_back(model.has_weight() ? model.weight() : 1);
  }
  const bool weighed = std::any_of(plan.model().begin(), plan.model().end(),
                                   [](const MergeModelPlan& model) { return model.has_weight(); });
  if (!weighed) merge.weights.clear();
  if (!plan.base().empty()) merge.base = JoinPath(folder, plan.base());
  if (!plan.method().empty()) merge.method = plan.method();
  if (plan.has_lambda()) merge.lambda = plan.lambda();
  for (int i = 0; i < plan.part_size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(
        merge.parts.emplace_back(),
        Annotate(MakePart(plan.part(i).pattern(), plan.part(i).lambda()), "part[", i, "].pattern"));
  }
  if (plan.has_density()) merge.density = plan.density();
  merge.seed = plan.seed();
  if (!plan.statistics().empty()) merge.statistics = plan.statistics();
  if (!plan.counters().empty()) merge.counters = plan.counters();
  merge.plan = plan.name();
  return merge;
}

absl::StatusOr<MeasuredTask> MeasureOf(const MergeMeasurePlan& plan, const std::string& folder) {
  if (plan.task().empty()) return FieldError("measure.task", "a task's name", "nothing");
  if (plan.path().empty()) return FieldError("measure.path", "a file of records", "nothing");
  MeasuredTask measured;
  measured.task = plan.task();
  measured.data = JoinPath(folder, plan.path());
  measured.metric = plan.metric();
  measured.limit = plan.limit();
  measured.columns = {plan.columns().begin(), plan.columns().end()};
  return measured;
}

absl::StatusOr<ReestimationData> ReestimationOf(const MergeReestimatePlan& plan,
                                                const std::string& folder) {
  if (plan.task().empty()) return FieldError("task", "a task's name", "nothing");
  if (plan.path().empty()) return FieldError("path", "a file of records", "nothing");
  if (plan.limit() < 0) return FieldError("limit", "0 or more", plan.limit());
  return ReestimationData{plan.task(),
                          JoinPath(folder, plan.path()),
                          plan.limit(),
                          {plan.columns().begin(), plan.columns().end()}};
}

absl::StatusOr<LoadedMergePlan> LoadedFrom(const MergePlan& plan, const std::string& folder,
                                           const std::string& data_root) {
  LoadedMergePlan loaded;
  UNIVAL_ASSIGN_OR_RETURN(loaded.merge, OptionsOf(plan, folder));
  const std::string& data_folder = data_root.empty() ? folder : data_root;
  if (plan.has_measure()) {
    UNIVAL_ASSIGN_OR_RETURN(loaded.measure, MeasureOf(plan.measure(), data_folder));
  }
  for (int i = 0; i < plan.reestimate_size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(
        loaded.reestimate.emplace_back(),
        Annotate(ReestimationOf(plan.reestimate(i), data_folder), "reestimate[", i, "]"));
  }
  const bool soup = loaded.merge.method == kGreedySoup;
  if (soup == loaded.measure.has_value()) return loaded;
  return FieldError("measure", soup ? "a task and records to rank models by" : "none",
                    soup ? "nothing" : "one",
                    absl::StrCat("it belongs to method \"", kGreedySoup, "\""));
}

}  // namespace

absl::StatusOr<LoadedMergePlan> LoadMergePlan(const std::string& file,
                                              const std::string& data_root) {
  MergePlan plan;
  UNIVAL_RETURN_IF_ERROR(ReadTextProto(file, &plan));
  const fs::path parent = fs::path(file).parent_path();
  return Annotate(LoadedFrom(plan, parent.empty() ? "." : parent.string(), data_root), file);
}

absl::StatusOr<PartLambda> ParsePartLambda(const std::string& text) {
  // The last "=": a regular expression may hold one.
  const size_t equals = text.rfind('=');
  double lambda = 0;
  if (equals == std::string::npos || !absl::SimpleAtod(text.substr(equals + 1), &lambda)) {
    return FieldError("part", "PATTERN=LAMBDA", absl::StrCat("\"", text, "\""),
                      "connection:depth=0.3, for example");
  }
  return MakePart(text.substr(0, equals), lambda);
}

absl::StatusOr<ReestimationData> ParseReestimationData(const std::string& text) {
  // The first "=": names of tasks hold none, names of files may.
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return FieldError("reestimate", "TASK=FILE", absl::StrCat("\"", text, "\""),
                      "image_caption=train.jsonl, for example");
  }
  return ReestimationData{text.substr(0, equals), text.substr(equals + 1), 0, {}};
}

}  // namespace unival
