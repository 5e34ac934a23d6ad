#include "training/report/run_report.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tasks/metrics/metrics.h"
#include "tasks/metrics/task_scores.h"
#include "training/report/html.h"
#include "training/report/line_chart.h"

namespace unival {
namespace {

using report::Element;
using report::Escape;
using report::LineChart;
using report::LineChartSvg;
using report::Table;

constexpr size_t kMostColumns = 6;  // steps of a table of answers
constexpr size_t kMostShown = 50;   // batches that were left out

// The validation that was the best so far, by its judge; null where there is none.
const ValidationPoint* BestOf(const RunHistory& history) {
  const ValidationPoint* best = nullptr;
  for (const ValidationPoint& point : history.validations) {
    if (point.is_best) best = &point;
  }
  return best;
}

std::map<std::string, double> PartSeconds(const RunHistory& history) {
  std::map<std::string, double> sums;
  for (const StepPoint& point : history.steps) {
    for (const auto& [part, seconds] : point.part_seconds) sums[part] += seconds;
  }
  return sums;
}

std::string StateOf(const RunHistory& history) {
  return absl::StrFormat("step %d of %d%s", history.last_step(), history.planned_steps,
                         history.finished ? ", finished" : "");
}

// As the log says it; of scores that ship, logs of earlier versions have no remark.
std::string LabelOf(const ValidationPoint& point, const std::string& score) {
  static const auto* const kShipped = new TaskScores(BuiltinMetrics());
  ScoreInfo info = kShipped->Of(score);
  info.order =
      point.less_is_better.count(score) > 0 ? ScoreOrder::kLessIsBetter : ScoreOrder::kMoreIsBetter;
  const auto remark = point.remarks.find(score);
  if (remark != point.remarks.end()) info.remark = remark->second;
  return ScoreLabel(score, info);
}

std::string JudgedText(const ValidationPoint& point) {
  const auto value = point.metrics.find(point.judged_by);
  return absl::StrFormat("%s %s %.4f at step %d", point.evaluation, LabelOf(point, point.judged_by),
                         value == point.metrics.end() ? 0 : value->second, point.step);
}

std::string Field(const std::string& name, const std::string& value) {
  return absl::StrFormat("%-24s %s\n", name, value);
}

std::string LastStepText(const RunHistory& history) {
  if (history.steps.empty()) return "";
  const StepPoint& last = history.steps.back();
  std::string text = Field("stage", last.stage);
  absl::StrAppend(&text, Field("loss", absl::StrFormat("%.4f", last.value("loss"))),
                  Field("token accuracy", absl::StrFormat("%.3f", last.value("token_accuracy"))),
                  Field("learning rate", absl::StrFormat("%.2e", last.value("learning_rate"))),
                  Field("tokens/s", absl::StrFormat("%.0f", last.value("tokens_per_second"))));
  for (const auto& [part, seconds] : last.part_seconds)
    absl::StrAppend(&text, Field("  " + part, absl::StrFormat("%.2f s", seconds)));
  return text;
}

std::string ValidationText(const RunHistory& history) {
  std::string text;
  for (auto point = history.validations.rbegin(); point != history.validations.rend(); ++point) {
    if (point->judged_by.empty()) continue;
    text = Field("last validation", JudgedText(*point));
    break;
  }
  const ValidationPoint* best = BestOf(history);
  return best == nullptr ? text : text + Field("best validation", JudgedText(*best));
}

// One line a value of the records, by name.
std::string ChartOf(const RunHistory& history, const std::string& label,
                    const std::vector<std::string>& names) {
  LineChart chart{"step", label, {}};
  for (const std::string& name : names) {
    report::LineSeries series{name, {}, name == names[0]};
    for (const StepPoint& point : history.steps) {
      if (point.values.count(name) > 0) {
        series.points.emplace_back(static_cast<double>(point.step), point.value(name));
      }
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return "";
  return Element("div", "panel", LineChartSvg(chart));
}

std::vector<std::string> LossNames(const RunHistory& history) {
  std::set<std::string> names;
  for (const StepPoint& point : history.steps) {
    for (const auto& [name, value] : point.values) {
      if (absl::StartsWith(name, "loss/")) names.insert(name);
    }
  }
  std::vector<std::string> ordered = {"loss"};
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

// Metrics of validations; counts, and the values of groups of records, are left to the log.
std::string ValidationCharts(const RunHistory& history) {
  std::map<std::string, std::map<std::string, report::LineSeries>> charts;
  for (const ValidationPoint& point : history.validations) {
    for (const auto& [metric, value] : point.metrics) {
      if (!IsOfAllRecords(metric)) continue;
      report::LineSeries& series = charts[point.evaluation][metric];
      series.name = LabelOf(point, metric);
      series.emphasis = metric == point.judged_by;
      series.points.emplace_back(static_cast<double>(point.step), value);
    }
  }
  std::string html;
  for (auto& [evaluation, lines] : charts) {
    LineChart chart{"step", evaluation, {}};
    for (auto& [name, series] : lines) chart.series.push_back(std::move(series));
    absl::StrAppend(&html, Element("div", "panel", LineChartSvg(chart)));
  }
  return html.empty() ? "" : Element("h2", "", "Validation") + html;
}

std::string PartsTable(const RunHistory& history) {
  const std::map<std::string, double> sums = PartSeconds(history);
  if (sums.empty()) return "";
  Table table({"part", "seconds"});
  for (const auto& [part, seconds] : sums)
    table.AddRow({Escape(part), absl::StrFormat("%.1f", seconds)});
  return absl::StrCat(
      Element("h2", "", "Where the seconds went"),
      Element("p", "note", "Reading and decoding are of the loader's threads, beside the others."),
      Element("div", "panel", table.Html()));
}

std::string SkippedTable(const RunHistory& history) {
  if (history.skipped.empty()) return "";
  Table table({"step", "why", "records"}, "text");
  for (size_t i = 0; i < std::min(kMostShown, history.skipped.size()); ++i) {
    const SkippedBatch& batch = history.skipped[i];
    table.AddRow(
        {absl::StrCat(batch.step), Escape(batch.what), Escape(absl::StrJoin(batch.records, ", "))});
  }
  return absl::StrCat(Element("h2", "", "Batches that were left out"),
                      Element("p", "", absl::StrCat(history.skipped.size(), " in all.")),
                      Element("div", "panel", table.Html()));
}

// The first and the last step and those evenly between.
std::vector<int64_t> ShownSteps(const std::vector<RecordOverTime>& records) {
  std::set<int64_t> all;
  for (const RecordOverTime& record : records) {
    for (const auto& [step, answer] : record.answers) all.insert(step);
  }
  const std::vector<int64_t> steps(all.begin(), all.end());
  if (steps.size() <= kMostColumns) return steps;
  std::vector<int64_t> shown;
  for (size_t i = 0; i < kMostColumns; ++i)
    shown.push_back(steps[i * (steps.size() - 1) / (kMostColumns - 1)]);
  return shown;
}

std::string AnswerCell(const RecordOverTime& record, int64_t step) {
  const auto answer = record.answers.find(step);
  if (answer == record.answers.end()) return "";
  const bool is_right = !answer->second.is_error && answer->second.text == record.reference;
  const char* css = is_right ? "right" : answer->second.is_error ? "wrong" : "";
  return Element("span", css, Escape(answer->second.text));
}

std::string SamplesTable(const std::string& evaluation,
                         const std::vector<RecordOverTime>& records) {
  const std::vector<int64_t> steps = ShownSteps(records);
  if (steps.empty()) return "";
  std::vector<std::string> header = {"record", "right answer"};
  for (const int64_t step : steps) header.push_back(absl::StrCat("step ", step));
  Table table(header, "text");
  for (const RecordOverTime& record : records) {
    std::vector<std::string> cells = {Escape(record.key), Escape(record.reference)};
    for (const int64_t step : steps) cells.push_back(AnswerCell(record, step));
    table.AddRow(std::move(cells));
  }
  return absl::StrCat(Element("h2", "", Escape("Answers over time: " + evaluation)),
                      Element("div", "panel", table.Html()));
}

std::string ResultsTable(const RunHistory& history) {
  if (history.results.empty()) return "";
  Table table({"evaluation", "value"});
  for (const auto& [name, value] : history.results)
    table.AddRow({Escape(name), absl::StrFormat("%.4f", value)});
  return Element("h2", "", "Results") + Element("div", "panel", table.Html());
}

}  // namespace

std::string RunText(const RunHistory& history) {
  std::string text = absl::StrCat(Field("plan", history.plan), Field("run", StateOf(history)),
                                  LastStepText(history), ValidationText(history));
  if (!history.skipped.empty()) {
    const SkippedBatch& last = history.skipped.back();
    absl::StrAppend(&text, Field("batches left out",
                                 absl::StrCat(history.skipped.size(), ", the last at step ",
                                              last.step, ": ", absl::StrJoin(last.records, ", "))));
  }
  if (history.decode_failures > 0)
    absl::StrAppend(&text, Field("unreadable records", absl::StrCat(history.decode_failures)));
  for (const auto& [name, value] : history.results)
    absl::StrAppend(&text, Field(name, absl::StrFormat("%.4f", value)));
  return text;
}

std::string RenderRun(const RunHistory& history, const RunSamples& samples) {
  const ValidationPoint* best = BestOf(history);
  std::string body = absl::StrCat(
      Element("h1", "", Escape("Training run " + history.plan)),
      Element("p", "lead", Escape(StateOf(history))),
      best == nullptr ? "" : Element("p", "", Escape("Best validation: " + JudgedText(*best))),
      Element("h2", "", "Training"), ChartOf(history, "loss per token", LossNames(history)),
      ChartOf(history, "learning rate", {"learning_rate"}),
      ChartOf(history, "target tokens per second", {"tokens_per_second"}),
      ValidationCharts(history), ResultsTable(history), PartsTable(history), SkippedTable(history));
  for (const auto& [evaluation, records] : samples)
    absl::StrAppend(&body, SamplesTable(evaluation, records));
  return report::Page("Training run " + history.plan, body);
}

}  // namespace unival
