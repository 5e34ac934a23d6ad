#include "training/data/source.h"

#include <iterator>
#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"
#include "training/data/jsonl_source.h"
#include "training/data/tar_source.h"

namespace unival {
namespace {

// Some records of another source.
class FilteredSource : public Source {
 public:
  FilteredSource(std::unique_ptr<Source> all, std::vector<int64_t> kept, std::string rule)
      : all_(std::move(all)), kept_(std::move(kept)), rule_(std::move(rule)) {}
  const std::string& path() const override { return all_->path(); }
  int64_t size() const override { return static_cast<int64_t>(kept_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override {
    if (index < 0 || index >= size()) {
      return absl::OutOfRangeError(
          absl::StrCat(path(), ": record ", index, " of ", size(), " ", rule_));
    }
    return all_->Read(kept_[index]);
  }
  std::string fingerprint() const override { return absl::StrCat(all_->fingerprint(), " ", rule_); }

 private:
  const std::unique_ptr<Source> all_;
  const std::vector<int64_t> kept_;
  const std::string rule_;
};

bool Holds(const TaskSample& sample, const std::string& column, const std::string& text) {
  auto found = sample.fields.find(column);
  if (found == sample.fields.end()) return false;
  if (const auto* value = std::get_if<std::string>(&found->second)) return *value == text;
  const auto* number = std::get_if<double>(&found->second);
  return number != nullptr && absl::StrCat(*number) == text;
}

bool TakesPart(const TaskSample& sample, const SourceOptions& options) {
  const auto holds = [&](const auto& rule) { return Holds(sample, rule.first, rule.second); };
  return absl::c_all_of(options.keep, holds) && absl::c_none_of(options.drop, holds);
}

std::string RuleText(const SourceOptions& options) {
  const auto joined = [](const std::map<std::string, std::string>& rules) {
    return absl::StrJoin(rules, ", ", absl::PairFormatter("="));
  };
  return absl::StrCat("keep {", joined(options.keep), "} drop {", joined(options.drop), "} limit ",
                      options.limit);
}

// Notes which of the rules in `keep` and `drop` ever applied. A rule whose column no record has, or
// that drops nothing, is a typing error, and would let held-out records through.
class RuleCheck {
 public:
  explicit RuleCheck(const SourceOptions& options) : options_(options) {
    for (const auto* rules : {&options.keep, &options.drop}) {
      for (const auto& rule : *rules) unseen_.insert(rule.first);
    }
    unused_ = options.drop;
  }

  bool Settled() const { return unseen_.empty() && unused_.empty(); }

  void See(const TaskSample& sample) {
    if (Settled()) return;
    for (const auto& field : sample.fields) unseen_.erase(field.first);
    for (auto rule = unused_.begin(); rule != unused_.end();) {
      rule = Holds(sample, rule->first, rule->second) ? unused_.erase(rule) : std::next(rule);
    }
  }

  absl::Status Result(const Source& all) const {
    if (!unseen_.empty()) {
      UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, SourceColumns(all));
      return absl::InvalidArgumentError(absl::StrCat(
          options_.path, ": keep and drop: expected columns of its records, got \"",
          *unseen_.begin(), "\", which none of the ", all.size(),
          " has (the first has: ", absl::StrJoin(columns, ", "), "); correct the column"));
    }
    if (unused_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        options_.path, ": drop: expected records to drop, got none of ", all.size(), " with ",
        unused_.begin()->first, "=", unused_.begin()->second, "; correct or remove the rule"));
  }

 private:
  const SourceOptions& options_;
  std::set<std::string> unseen_;
  std::map<std::string, std::string> unused_;
};

// Which records take part. The rules speak of the records' own columns, so none are renamed here;
// their media need not be there.
absl::StatusOr<std::vector<int64_t>> ChooseRecords(const SourceOptions& options) {
  SourceOptions plain;
  plain.path = options.path;
  plain.media = options.media;
  plain.missing_media = true;
  plain.needed.emplace();
  for (const auto* rules : {&options.keep, &options.drop}) {
    for (const auto& rule : *rules) plain.needed->insert(rule.first);
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> all, OpenSource(plain));
  RuleCheck check(options);
  std::vector<int64_t> kept;
  const auto full = [&] {
    return options.limit > 0 && static_cast<int64_t>(kept.size()) >= options.limit;
  };
  for (int64_t i = 0; i < all->size() && !(full() && check.Settled()); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, all->Read(i));
    check.See(sample);
    if (!full() && TakesPart(sample, options)) kept.push_back(i);
  }
  UNIVAL_RETURN_IF_ERROR(check.Result(*all));
  if (!kept.empty()) return kept;
  return absl::InvalidArgumentError(absl::StrCat(options.path, ": none of its ", all->size(),
                                                 " records fits ", RuleText(options),
                                                 "; correct keep and drop"));
}

absl::StatusOr<std::unique_ptr<Source>> OpenFiltered(const SourceOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> kept, ChooseRecords(options));
  SourceOptions whole = options;
  whole.keep.clear();
  whole.drop.clear();
  whole.limit = 0;
  UNIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Source> all, OpenSource(whole));
  return std::unique_ptr<Source>(
      new FilteredSource(std::move(all), std::move(kept), RuleText(options)));
}

}  // namespace

Source::~Source() = default;

absl::optional<std::set<std::string>> NeededRecordColumns(const SourceOptions& options) {
  if (!options.needed.has_value()) return absl::nullopt;
  std::set<std::string> columns;
  for (const std::string& column : *options.needed) {
    const auto mapped = options.columns.find(column);
    columns.insert(mapped == options.columns.end() ? column : mapped->second);
  }
  // What is given another name is asked for, too.
  for (const auto& mapped : options.columns) columns.insert(mapped.second);
  return columns;
}

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const SourceOptions& options) {
  if (!options.keep.empty() || !options.drop.empty()) return OpenFiltered(options);
  if (absl::EndsWith(options.path, ".jsonl")) return JsonlSource::Open(options);
  if (absl::EndsWith(options.path, ".tar")) return TarSource::Open(options);
  return absl::InvalidArgumentError(
      absl::StrCat(options.path, ": unknown kind of data file; expected *.jsonl or *.tar"));
}

absl::StatusOr<std::vector<std::string>> SourceColumns(const Source& source) {
  UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(0));
  std::vector<std::string> columns;
  for (const auto& field : sample.fields) columns.push_back(field.first);
  return columns;
}

absl::StatusOr<std::vector<std::string>> AllColumns(const Source& source) {
  std::set<std::string> columns;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    for (const auto& [name, value] : sample.fields) columns.insert(name);
  }
  return std::vector<std::string>(columns.begin(), columns.end());
}

}  // namespace unival
