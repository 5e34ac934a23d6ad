// A report of a check of data as JSON, as text and as a page.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/beginning.h"
#include "training/data/check/data_check.h"
#include "training/report/html.h"

namespace unival {
namespace {

constexpr size_t kClassesShown = 20;

nlohmann::ordered_json SpreadJson(const Spread& spread) {
  return {{"count", spread.count},
          {"least", spread.least},
          {"mean", spread.mean()},
          {"most", spread.most}};
}

std::string SpreadText(const Spread& spread) {
  return absl::StrFormat("%d to %d, mean %.1f", spread.least, spread.most, spread.mean());
}

using Count = std::pair<std::string, int64_t>;

std::vector<Count> MostFirst(const std::map<std::string, int64_t>& values) {
  std::vector<Count> counts(values.begin(), values.end());
  std::stable_sort(counts.begin(), counts.end(),
                   [](const Count& a, const Count& b) { return a.second > b.second; });
  return counts;
}

// A list of texts, which has a line for each, as "yes | no".
std::string OneLine(const std::string& value) {
  return absl::StrReplaceAll(value, {{"\n", " | "}});
}

// Lines "name  text" of what the file holds, classes left out.
std::vector<std::pair<std::string, std::string>> Facts(const DataReport& report) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"records", absl::StrCat(report.records)},
      {"columns", absl::StrJoin(report.columns, ", ")},
      {"media items decoded", absl::StrCat(report.decoded)}};
  for (const auto& [column, spread] : report.words)
    facts.emplace_back(absl::StrCat("words in ", column), SpreadText(spread));
  if (report.prompt_tokens.count > 0)
    facts.emplace_back("tokens of a prompt, besides <s> and </s>",
                       SpreadText(report.prompt_tokens));
  if (report.target_tokens.count > 0)
    facts.emplace_back("tokens of a target", SpreadText(report.target_tokens));
  for (const std::string& remark : report.remarks) facts.emplace_back("beside the records", remark);
  if (!report.unused_labels.empty())
    facts.emplace_back("labels that no record has", absl::StrJoin(report.unused_labels, ", "));
  return facts;
}

std::string ClassesHtml(const DataReport& report) {
  std::string html;
  for (const auto& [column, values] : report.classes) {
    absl::StrAppend(&html, "<h2>", report::Escape(column), ": ", values.size(),
                    " values</h2><table>");
    const std::vector<Count> counts = MostFirst(values);
    for (size_t i = 0; i < counts.size() && i < kClassesShown; ++i) {
      const double share = 100.0 * counts[i].second / std::max<int64_t>(1, report.records);
      absl::StrAppend(&html, "<tr><td>", report::Escape(OneLine(counts[i].first)), "</td><td>",
                      counts[i].second,
                      "</td><td><div class=bar style=\"width:", absl::StrFormat("%.1f", 3 * share),
                      "px\"></div></td></tr>");
    }
    html += "</table>";
  }
  return html;
}

}  // namespace

nlohmann::ordered_json DataReportJson(const DataReport& report) {
  nlohmann::ordered_json json = {{"data", report.path},
                                 {"task", report.task},
                                 {"records", report.records},
                                 {"columns", report.columns},
                                 {"decoded", report.decoded},
                                 {"classes", report.classes},
                                 {"unused_labels", report.unused_labels}};
  json["words"] = nlohmann::ordered_json::object();
  for (const auto& [column, spread] : report.words) json["words"][column] = SpreadJson(spread);
  if (report.prompt_tokens.count > 0) json["prompt_tokens"] = SpreadJson(report.prompt_tokens);
  if (report.target_tokens.count > 0) json["target_tokens"] = SpreadJson(report.target_tokens);
  json["remarks"] = report.remarks;
  json["problems"] = ProblemsJson(report.problems);
  return json;
}

std::string DataSummary(const DataReport& report) {
  std::string text = absl::StrCat(report.path, ": ", report.records,
                                  " records; columns: ", absl::StrJoin(report.columns, ", "));
  if (report.plugin_decoded > 0)
    absl::StrAppend(&text, "; ", report.plugin_decoded, " media items of plugins decoded");
  text += "\n";
  if (report.task.empty()) {
    for (const std::string& remark : report.remarks) absl::StrAppend(&text, "  ", remark, "\n");
    return text;
  }
  for (const auto& [name, fact] : Facts(report))
    absl::StrAppend(&text, "  ", name, ": ", fact, "\n");
  for (const auto& [column, values] : report.classes) {
    absl::StrAppend(&text, "  ", column, ": ", values.size(), " values\n");
    const std::vector<Count> counts = MostFirst(values);
    for (size_t i = 0; i < counts.size() && i < kClassesShown; ++i) {
      absl::StrAppend(
          &text, absl::StrFormat("    %6d  %5.1f %%  %s\n", counts[i].second,
                                 100.0 * counts[i].second / std::max<int64_t>(1, report.records),
                                 BeginningOf(OneLine(counts[i].first))));
    }
    if (counts.size() > kClassesShown)
      absl::StrAppend(&text, "    and ", counts.size() - kClassesShown, " more\n");
  }
  return text;
}

std::string DataReportHtml(const DataReport& report) {
  std::string body = absl::StrCat("<h1>", report::Escape(report.path), "</h1><p>task ",
                                  report::Escape(report.task), "</p><table>");
  for (const auto& [name, fact] : Facts(report)) {
    absl::StrAppend(&body, "<tr><td>", report::Escape(name), "</td><td>", report::Escape(fact),
                    "</td></tr>");
  }
  absl::StrAppend(&body, "</table><h2>", report.problems.size(), " problems</h2>");
  for (const Problem& problem : report.problems) {
    absl::StrAppend(&body, "<h3>", report::Escape(problem.kind), "</h3><p>",
                    report::Escape(PlaceText(problem)), report::Escape(problem.what), "</p><ul>");
    for (const ProblemRow& row : problem.kept) {
      absl::StrAppend(&body, "<li><b>", report::Escape(row.record), "</b> ",
                      report::Escape(row.what), "</li>");
    }
    absl::StrAppend(&body, "</ul><p><i>", report::Escape(problem.remedy), "</i></p>");
  }
  return report::Page(report.path, body + ClassesHtml(report));
}

}  // namespace unival
