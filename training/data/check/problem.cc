#include "training/data/check/problem.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace unival {
namespace {

constexpr size_t kRowsShown = 10;

std::string Plural(int64_t count, const char* noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string RowsText(const Problem& problem) {
  std::string text;
  for (size_t i = 0; i < problem.kept.size() && i < kRowsShown; ++i) {
    absl::StrAppend(&text, "    ", problem.kept[i].record, ": ", problem.kept[i].what, "\n");
  }
  const int64_t more = problem.rows - static_cast<int64_t>(kRowsShown);
  if (more > 0) absl::StrAppend(&text, "    and ", more, " more\n");
  return text;
}

}  // namespace

Problem& ProblemList::Add(Problem problem, const std::string& record, const std::string& what) {
  const Key key(problem.kind, problem.file, problem.line, problem.task, problem.field,
                problem.slot);
  const auto [place, is_new] = places_.emplace(key, all_.size());
  if (is_new) all_.push_back(std::move(problem));
  Problem& same = all_[place->second];
  if (same.what.empty()) same.what = what;
  ++same.rows;
  if (same.kept.size() < kMaxRowsKept) same.kept.push_back({record, what});
  return same;
}

ProblemRow ReadErrorRow(const std::string& path, int64_t index, absl::string_view message) {
  const std::string file = path.substr(path.rfind('/') + 1);
  if (absl::ConsumePrefix(&message, path + ":")) {
    const size_t end = message.find(": ");
    if (end != absl::string_view::npos && message.find_first_not_of("0123456789") == end) {
      return {absl::StrCat(file, ":", message.substr(0, end)),
              std::string(message.substr(end + 2))};
    }
  }
  return {absl::StrCat(file, " record ", index + 1), std::string(message)};
}

nlohmann::ordered_json ProblemsJson(const std::vector<Problem>& problems) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Problem& problem : problems) {
    nlohmann::ordered_json json = {{"kind", problem.kind}};
    const auto add = [&json](const char* key, const std::string& text) {
      if (!text.empty()) json[key] = text;
    };
    add("file", problem.file);
    if (problem.line > 0) json["line"] = problem.line;
    add("task", problem.task);
    add("field", problem.field);
    add("slot", problem.slot);
    add("what", problem.what);
    add("remedy", problem.remedy);
    if (problem.rows > 0) {
      json["rows"] = problem.rows;
      json["records"] = nlohmann::ordered_json::array();
      for (const ProblemRow& row : problem.kept)
        json["records"].push_back({{"record", row.record}, {"what", row.what}});
    }
    all.push_back(std::move(json));
  }
  return all;
}

std::string PlaceText(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) absl::StrAppend(&text, ":", problem.line);
  if (!text.empty()) text += ": ";
  if (!problem.task.empty()) absl::StrAppend(&text, "task \"", problem.task, "\": ");
  if (!problem.field.empty()) absl::StrAppend(&text, problem.field, ": ");
  return text;
}

std::string ProblemText(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    absl::StrAppend(&text, problem.kind, "  ", PlaceText(problem));
    if (problem.rows == 0) {
      absl::StrAppend(&text, problem.what, "\n");
    } else {
      if (!problem.slot.empty()) absl::StrAppend(&text, "column \"", problem.slot, "\": ");
      absl::StrAppend(&text, Plural(problem.rows, "record"), "\n", RowsText(problem));
    }
    if (!problem.remedy.empty()) absl::StrAppend(&text, "    remedy: ", problem.remedy, "\n");
  }
  absl::StrAppend(&text, Plural(static_cast<int64_t>(problems.size()), "problem"), "\n");
  return text;
}

}  // namespace unival
