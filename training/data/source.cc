#include "training/data/source.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/native/status_macros.h"
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
      return absl::OutOfRangeError(absl::StrCat(path(), ": record ", index, " of ", size(), " ", rule_));
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
  return absl::StrCat("keep {", joined(options.keep), "} drop {", joined(options.drop), "} limit ", options.limit);
}

absl::StatusOr<std::unique_ptr<Source>> OpenFiltered(const SourceOptions& options) {
  SourceOptions whole = options;
  whole.keep.clear();
  whole.drop.clear();
  whole.limit = 0;
  UNIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Source> all, OpenSource(whole));
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < all->size() && (options.limit == 0 || static_cast<int64_t>(kept.size()) < options.limit); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, all->Read(i));
    if (TakesPart(sample, options)) kept.push_back(i);
  }
  if (kept.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.path, ": none of its ", all->size(), " records fits ",
                                                   RuleText(options), "; correct keep and drop"));
  }
  return std::unique_ptr<Source>(new FilteredSource(std::move(all), std::move(kept), RuleText(options)));
}

}  // namespace

Source::~Source() = default;

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

absl::Status CheckSource(const Source& source) {
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(source.Read(i).status());
  }
  return absl::OkStatus();
}

}  // namespace unival
