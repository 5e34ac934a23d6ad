#include "training/report/evaluation_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/scored_metric.h"
#include "training/report/html.h"
#include "training/report/media_pictures.h"

namespace unival::report {
namespace {

std::string ScoreCell(const EvaluationResult& result, const std::string& name) {
  const auto found = result.metrics.find(name);
  if (found == result.metrics.end()) return "&ndash;";
  std::string cell = absl::StrFormat("%.4f", found->second);
  const auto interval = result.intervals.find(name);
  if (interval != result.intervals.end()) {
    cell += Element("small", "",
                    absl::StrFormat("%.4f to %.4f", interval->second.low, interval->second.high));
  }
  return cell;
}

std::string ScoreTable(const EvaluationResult& result) {
  Table table({"score", "value, 95 % interval", "always the most frequent answer"});
  for (const auto& [name, value] : result.metrics) {
    if (!IsOfAllRecords(name)) continue;
    std::string constant = "&ndash;";
    if (result.constant && result.constant->metrics.count(name) > 0)
      constant = absl::StrFormat("%.4f", result.constant->metrics.at(name));
    table.AddRow({Escape(result.scores.Label(name)), ScoreCell(result, name), constant});
  }
  return Element("div", "panel", table.Html());
}

// For every kind, a list with 1 for each record of this kind and 0 for all others.
std::map<std::string, std::vector<double>> RecordsOfKinds(const ScoredMetric& metric) {
  std::map<std::string, std::vector<double>> kinds;
  for (const auto& [name, values] : metric.PerSample()) {
    const size_t at = name.find("/kind=");
    if (at == std::string::npos) continue;
    std::vector<double>& own = kinds[name.substr(at + 6)];
    own.assign(values.size(), 0);
    for (size_t i = 0; i < values.size(); ++i) own[i] = std::isnan(values[i]) ? 0 : 1;
  }
  return kinds;
}

// Every score over the records of each kind. Empty where records have no kinds.
std::string KindTable(const EvaluationResult& result) {
  const ScoredMetric* metric = AsScored(result.metric.get());
  if (metric == nullptr) return "";
  const auto kinds = RecordsOfKinds(*metric);
  if (kinds.empty()) return "";
  std::vector<std::string> header = {"kind", "records"}, scores;
  for (const auto& [name, value] : result.metrics) {
    if (!IsOfAllRecords(name)) continue;
    scores.push_back(name);
    header.push_back(Escape(result.scores.Label(name)));
  }
  Table table(header);
  for (const auto& [kind, records] : kinds) {
    const std::map<std::string, double> own = metric->Scores(records);
    std::vector<std::string> row = {
        Escape(kind),
        absl::StrFormat("%.0f", std::accumulate(records.begin(), records.end(), 0.0))};
    for (const std::string& score : scores) {
      std::string cell = ScoreCell(result, absl::StrCat(score, "/kind=", kind));
      const auto found = own.find(score);
      if (cell == "&ndash;" && found != own.end()) cell = absl::StrFormat("%.4f", found->second);
      row.push_back(std::move(cell));
    }
    table.AddRow(std::move(row));
  }
  return absl::StrCat("<h2>By kind</h2>", Element("div", "panel", table.Html()));
}

// Bars of how often answers of each confidence are right, with the diagonal of a sound model.
std::string ConfidencePlot(const Calibration& calibration) {
  constexpr double kLeft = 50, kTop = 12, kSize = 240;
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 320 300\" role=\"img\" style=\"max-width:420px\" font-size=\"11\" "
      "fill=\"#5d6878\"><rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" fill=\"none\" "
      "stroke=\"#e2e6ec\"/>",
      kLeft, kTop, kSize, kSize);
  for (const ConfidenceBin& bin : calibration.bins) {
    if (bin.count == 0) continue;
    absl::StrAppendFormat(&svg,
                          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                          "fill=\"#2458c5\" fill-opacity=\"0.75\"><title>%d answers, confidence "
                          "%.3f, right %.3f</title></rect>",
                          kLeft + bin.low * kSize + 1, kTop + (1 - bin.right) * kSize,
                          kSize / 10 - 2, std::max(1.0, bin.right * kSize), bin.count,
                          bin.confidence, bin.right);
  }
  absl::StrAppendFormat(&svg,
                        "<line x1=\"%.0f\" y1=\"%.0f\" x2=\"%.0f\" y2=\"%.0f\" stroke=\"#b23a2e\" "
                        "stroke-dasharray=\"4 4\"/>",
                        kLeft, kTop + kSize, kLeft + kSize, kTop);
  for (const double tick : {0.0, 0.5, 1.0}) {
    absl::StrAppendFormat(&svg, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"middle\">%.1f</text>",
                          kLeft + tick * kSize, kTop + kSize + 16, tick);
    absl::StrAppendFormat(&svg, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"end\">%.1f</text>",
                          kLeft - 6, kTop + (1 - tick) * kSize + 4, tick);
  }
  return svg +
         "<text x=\"170\" y=\"290\" text-anchor=\"middle\">confidence</text>"
         "<text x=\"14\" y=\"132\" transform=\"rotate(-90 14 132)\" "
         "text-anchor=\"middle\">share right</text></svg>";
}

std::string CalibrationSection(const Calibration& calibration) {
  Table table({"answers above", "share answered", "share right"});
  for (const Abstention& one : calibration.abstentions) {
    table.AddRow({absl::StrFormat("%.4f", one.threshold),
                  absl::StrFormat("%.1f %%", 100 * one.coverage),
                  absl::StrFormat("%.1f %%", 100 * one.right)});
  }
  return absl::StrCat(
      "<h2>How sure, how right</h2>",
      Element("p", "note",
              absl::StrFormat("Calibration error (ECE, ten bins): %.4f. The broken line is a model "
                              "that is right as often as it is sure.",
                              calibration.expected_error)),
      Element("div", "two",
              absl::StrCat(Element("div", "panel", ConfidencePlot(calibration)),
                           Element("div", "panel", table.Html()))));
}

std::string BoxSvg(const std::array<double, 4>& box, int width, int height, const char* style) {
  return absl::StrFormat(
      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" %s/>",
      box[0] * width, box[1] * height, (box[2] - box[0]) * width, (box[3] - box[1]) * height,
      style);
}

// One answer with what stands beside it.
struct Case {
  TaskSample sample;
  absl::optional<Prediction> answer;
  References right;
  double value = 0;  // of the score that sorts
};

std::string PictureHtml(const MediaPicture& picture, const Case& one) {
  std::string boxes;
  if (picture.kind == "picture" && one.right.box) {
    boxes += BoxSvg(*one.right.box, picture.width, picture.height,
                    "vector-effect=\"non-scaling-stroke\" stroke=\"#17764a\" stroke-width=\"2\" "
                    "stroke-dasharray=\"6 4\"");
  }
  if (picture.kind == "picture" && one.answer && one.answer->box) {
    boxes += BoxSvg(*one.answer->box, picture.width, picture.height,
                    "vector-effect=\"non-scaling-stroke\" stroke=\"#b23a2e\" stroke-width=\"2\"");
  }
  return absl::StrFormat(
      "<svg viewBox=\"0 0 %d %d\" style=\"display:block;width:100%%\" role=\"img\"><title>%s"
      "</title><image href=\"%s\" width=\"%d\" height=\"%d\"/>%s</svg>",
      picture.width, picture.height, picture.kind, PngDataUri(picture.png), picture.width,
      picture.height, boxes);
}

// The record's texts, apart from its answers.
std::string QuestionHtml(const Task& task, const TaskSample& sample) {
  std::string html;
  for (const std::string& column : task.info().prediction_columns) {
    if (const std::string* text = TextColumn(sample, column))
      html += Element("p", "note", absl::StrCat(Escape(column), ": ", Escape(*text)));
  }
  return html;
}

std::string CaseHtml(const Task& task, const Case& one, const MediaDecoder& decoder) {
  std::string html;
  for (const auto& [column, value] : one.sample.fields) {
    const auto* media = std::get_if<MediaSource>(&value);
    if (media == nullptr) continue;
    for (const MediaPicture& picture : PicturesOf(decoder, *media))
      html += PictureHtml(picture, one);
  }
  std::string words = QuestionHtml(task, one.sample);
  const std::string said = !one.answer ? "(not answered)" : one.answer->text;
  words += Element("p", "caption", Escape(said.empty() && one.right.box ? "(box)" : said));
  if (!one.right.texts.empty() && !one.right.box)
    words += Element("p", "note",
                     absl::StrCat("right: ", Escape(absl::StrJoin(one.right.texts, " | "))));
  const double sure = one.answer ? std::exp(std::min(0.0, one.answer->score)) : 0;
  words += Element(
      "p", "note",
      absl::StrFormat("score %.3f, confidence %.3f, %s", one.value, sure, Escape(one.sample.key)));
  return Element("div", "card", absl::StrCat(html, Element("div", "words", words)));
}

absl::StatusOr<std::string> CaseCards(const EvaluationPage& page, const std::string& title,
                                      const std::vector<size_t>& order,
                                      const std::vector<double>& values, const Source& source,
                                      const MediaDecoder& decoder) {
  std::string cards;
  for (size_t k = 0; k < order.size() && k < static_cast<size_t>(page.cases); ++k) {
    Case one;
    UNIVAL_ASSIGN_OR_RETURN(one.sample, source.Read(static_cast<int64_t>(order[k])));
    one.answer = page.result->answers[order[k]];
    one.value = values[order[k]];
    const absl::StatusOr<References> right = page.task->ReferencesOf(one.sample);
    if (right.ok()) one.right = *right;
    cards += CaseHtml(*page.task, one, decoder);
  }
  return absl::StrCat(Element("h2", "", title), Element("div", "cards", cards));
}

// For each record the merits of its answer: first by `name`, then by the other scores, for answers
// that are equal in the first.
std::vector<std::vector<double>> MeritsOf(const SampleValues& values, const std::string& name,
                                          const TaskScores& scores) {
  std::vector<std::vector<double>> merits(values.at(name).size());
  const auto add = [&](const std::string& score, const std::vector<double>& own) {
    for (size_t i = 0; i < merits.size() && i < own.size(); ++i)
      merits[i].push_back(scores.Merit(score, own[i]));
  };
  add(name, values.at(name));
  for (const auto& [other, own] : values) {
    if (other != name && IsOfAllRecords(other)) add(other, own);
  }
  return merits;
}

// The lowest first, or the highest.
template <typename Key>
std::vector<size_t> OrderBy(const std::vector<Key>& keys, bool highest_first = false) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return highest_first ? keys[b] < keys[a] : keys[a] < keys[b];
  });
  return order;
}

absl::StatusOr<std::string> AllCases(const EvaluationPage& page, const Source& source,
                                     const MediaDecoder& decoder) {
  const ScoredMetric* metric = AsScored(page.result->metric.get());
  if (metric == nullptr) return std::string();
  const SampleValues all = metric->PerSample();
  const TaskScores& scores = page.result->scores;
  const std::string name = scores.Main(all);
  if (name.empty()) return std::string();
  const std::vector<double>& values = all.at(name);
  const auto merits = MeritsOf(all, name, scores);
  const std::string label = Escape(scores.Label(name));
  std::vector<double> certain;
  for (const auto& answer : page.result->answers)
    certain.push_back(answer ? answer->score : -std::numeric_limits<double>::infinity());
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string worst,
      CaseCards(page, absl::StrCat("Worst by ", label), OrderBy(merits), values, source, decoder));
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string unsure,
      CaseCards(page, "Least certain", OrderBy(certain), values, source, decoder));
  UNIVAL_ASSIGN_OR_RETURN(const std::string best, CaseCards(page, absl::StrCat("Best by ", label),
                                                            OrderBy(merits, /*highest_first=*/true),
                                                            values, source, decoder));
  return absl::StrCat(worst, unsure, best);
}

}  // namespace

absl::StatusOr<std::string> RenderEvaluation(const EvaluationPage& page, const Source& source,
                                             const MediaDecoder& decoder) {
  const EvaluationResult& result = *page.result;
  std::string body =
      absl::StrCat(Element("h1", "", Escape(result.task)),
                   Element("p", "lead",
                           absl::StrFormat("%s on %s: %d records, %d without an answer, %.1f s",
                                           Escape(page.model), Escape(page.data), result.samples,
                                           result.failures.size(), result.seconds)),
                   ScoreTable(result), KindTable(result));
  if (result.calibration) body += CalibrationSection(*result.calibration);
  UNIVAL_ASSIGN_OR_RETURN(const std::string cases, AllCases(page, source, decoder));
  body += cases;
  body += Element("p", "note", "In pictures: what was said in red, what is right in broken green.");
  return Page(absl::StrCat(result.task, " on ", page.data), body);
}

}  // namespace unival::report
