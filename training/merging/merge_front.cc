#include "training/merging/merge_front.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/task_scores.h"
#include "training/report/svg_chart.h"

namespace unival {
namespace {

constexpr int kMostPoints = 1001;

// How good a point is in each task: of each the larger one is the better one.
std::vector<double> MeritsOf(const std::vector<MeasuredTask>& tasks, const FrontPoint& point) {
  std::vector<double> merits;
  for (size_t i = 0; i < point.values.size(); ++i)
    merits.push_back(MeritOf(tasks[i], point.values[i]));
  return merits;
}

bool Dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] < b[i]) return false;
    better = better || a[i] > b[i];
  }
  return better;
}

double Mean(const std::vector<double>& merits) {
  return std::accumulate(merits.begin(), merits.end(), 0.0) / static_cast<double>(merits.size());
}

bool IsBetterChoice(const std::vector<MeasuredTask>& tasks, const FrontPoint& a,
                    const FrontPoint& b) {
  const double of_a = Mean(MeritsOf(tasks, a)), of_b = Mean(MeritsOf(tasks, b));
  return of_a != of_b ? of_a > of_b : std::abs(a.lambda - 0.5) < std::abs(b.lambda - 0.5);
}

bool MeetsFloors(const std::vector<MeasuredTask>& tasks,
                 const std::map<std::string, double>& floors, const FrontPoint& point) {
  for (size_t i = 0; i < tasks.size(); ++i) {
    const auto floor = floors.find(tasks[i].task);
    if (floor == floors.end()) continue;
    if (MeritOf(tasks[i], point.values[i]) < MeritOf(tasks[i], floor->second)) return false;
  }
  return true;
}

absl::Status CheckFront(int points, const std::map<std::string, double>& floors,
                        const Measurer& measurer) {
  if (points < 2 || points > kMostPoints) {
    return FieldError("grid", absl::StrCat("2 to ", kMostPoints, " points"), points,
                      "0 and 1 are two of them");
  }
  for (const auto& floor : floors) {
    const auto& tasks = measurer.tasks();
    if (std::any_of(tasks.begin(), tasks.end(),
                    [&](const MeasuredTask& task) { return task.task == floor.first; })) {
      continue;
    }
    return FieldError("floor", "a task that is measured", absl::StrCat("\"", floor.first, "\""),
                      "name it by --task too");
  }
  return absl::OkStatus();
}

// A field of CSV as RFC 4180 writes it.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string MetricName(const MeasuredTask& task) {
  return absl::StrCat(task.task, " ", task.metric);
}

std::string LabelOf(const MeasuredTask& task) {
  return ScoreLabel(MetricName(task), task.scores.Of(task.metric));
}

void JudgeFront(const std::map<std::string, double>& floors, MergeFront* front) {
  front->chosen.reset();
  const std::vector<MeasuredTask>& tasks = front->tasks;
  for (size_t i = 0; i < front->points.size(); ++i) {
    FrontPoint& point = front->points[i];
    point.is_pareto =
        std::none_of(front->points.begin(), front->points.end(), [&](const FrontPoint& other) {
          return Dominates(MeritsOf(tasks, other), MeritsOf(tasks, point));
        });
    point.meets_floors = MeetsFloors(tasks, floors, point);
    if (!point.meets_floors) continue;
    if (!front->chosen || IsBetterChoice(tasks, point, front->points[*front->chosen]))
      front->chosen = i;
  }
}

absl::StatusOr<MergeFront> MeasureFront(const MergeOptions& merge, int points,
                                        const std::map<std::string, double>& floors,
                                        Measurer& measurer) {
  UNIVAL_RETURN_IF_ERROR(CheckFront(points, floors, measurer));
  UNIVAL_RETURN_IF_ERROR(measurer.CheckTasks(merge.models));
  MergeFront front;
  for (int i = 0; i < points; ++i) {
    MergeOptions candidate = merge;
    candidate.lambda = static_cast<double>(i) / (points - 1);
    const std::string what = absl::StrFormat("lambda %.4g", *candidate.lambda);
    UNIVAL_ASSIGN_OR_RETURN(std::vector<double> values, measurer.MeasureMerge(candidate, what));
    front.points.push_back({*candidate.lambda, std::move(values)});
  }
  front.tasks = measurer.tasks();
  JudgeFront(floors, &front);
  return front;
}

std::string FrontCsv(const MergeFront& front) {
  std::vector<std::string> names = {"lambda"};
  for (const MeasuredTask& task : front.tasks) names.push_back(CsvField(MetricName(task)));
  std::string csv = absl::StrCat(absl::StrJoin(names, ","), ",pareto,meets_floors,chosen\n");
  for (size_t i = 0; i < front.points.size(); ++i) {
    const FrontPoint& point = front.points[i];
    absl::StrAppendFormat(&csv, "%.10g", point.lambda);
    for (double value : point.values) absl::StrAppendFormat(&csv, ",%.10g", value);
    absl::StrAppend(&csv, ",", point.is_pareto, ",", point.meets_floors, ",", front.chosen == i,
                    "\n");
  }
  return csv;
}

std::string FrontSvg(const MergeFront& front) {
  SvgChart chart;
  chart.title = "lambda of the first model, 1 - lambda of the second";
  chart.x_label = "lambda";
  chart.with_dots = true;
  if (front.chosen) chart.marks = {front.points[*front.chosen].lambda};
  for (size_t task = 0; task < front.tasks.size(); ++task) {
    SvgSeries& series = chart.series.emplace_back();
    series.name = LabelOf(front.tasks[task]);
    for (const FrontPoint& point : front.points) {
      series.points.emplace_back(point.lambda, point.values[task]);
    }
  }
  return SvgText(chart);
}

}  // namespace unival
