#include "training/data/read/source.h"

#include <sys/stat.h>

#include <iterator>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/data_files.h"
#include "training/data/files/unpacked_file.h"
#include "training/data/read/folder_source.h"
#include "training/data/read/joined_source.h"
#include "training/data/read/line_source.h"
#include "training/data/read/tar_source.h"

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
  absl::StatusOr<TaskSample> ReadFields(int64_t index) const override {
    return index < 0 || index >= size() ? Read(index) : all_->ReadFields(kept_[index]);
  }
  std::string fingerprint() const override { return absl::StrCat(all_->fingerprint(), " ", rule_); }
  std::vector<std::string> remarks() const override { return all_->remarks(); }
  std::map<std::string, FileWarning> warnings() const override { return all_->warnings(); }
  std::vector<std::string> files() const override { return all_->files(); }
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override {
    UNIVAL_ASSIGN_OR_RETURN(DataIdentity identity, all_->Identity(read_all));
    if (identity.content) absl::StrAppend(&*identity.content, " ", rule_);
    absl::StrAppend(&identity.sampled, " ", rule_);
    return identity;
  }

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
  double wanted = 0;
  return number != nullptr && absl::SimpleAtod(text, &wanted) && *number == wanted;
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
  if (options.path == "-") {
    return absl::InvalidArgumentError(
        "keep and drop read the records twice, which standard input does not allow; write them to "
        "a file first");
  }
  SourceOptions plain;
  plain.path = options.path;
  plain.media = options.media;
  plain.media_roots = options.media_roots;
  plain.missing_media = true;
  plain.usual_media = false;  // a rule may speak of a number in column "depth"
  plain.index = options.index;
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
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, all->ReadFields(i));
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

enum class DataKind { kUnknown, kJsonl, kTsv, kTar };

// What a file holds, by its name without the ending of a packed file.
DataKind KindOfName(absl::string_view path) {
  if (!absl::ConsumeSuffix(&path, ".gz")) absl::ConsumeSuffix(&path, ".zst");
  if (absl::EndsWith(path, ".jsonl")) return DataKind::kJsonl;
  if (absl::EndsWith(path, ".tsv")) return DataKind::kTsv;
  const bool is_tar = absl::EndsWith(path, ".tar") || absl::EndsWith(path, ".tgz");
  return is_tar ? DataKind::kTar : DataKind::kUnknown;
}

// The same by its first bytes, for standard input, which has no name.
DataKind KindOfBytes(absl::string_view bytes) {
  constexpr size_t kTarMagic = 257;
  if (bytes.size() > kTarMagic && absl::StartsWith(bytes.substr(kTarMagic), "ustar")) {
    return DataKind::kTar;
  }
  absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");
  const absl::string_view line = absl::StripLeadingAsciiWhitespace(bytes);
  if (absl::StartsWith(line, "{")) return DataKind::kJsonl;
  return absl::StrContains(line.substr(0, line.find('\n')), '\t') ? DataKind::kTsv
                                                                  : DataKind::kUnknown;
}

bool IsFolder(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

// One file or folder.
absl::StatusOr<std::unique_ptr<Source>> OpenFile(const SourceOptions& options) {
  const std::string& path = options.path;
  DataKind kind = KindOfName(path);
  // A folder that is called like a file is refused as one.
  if (kind == DataKind::kUnknown && IsFolder(path)) return FolderSource::Open(options);
  if (kind == DataKind::kUnknown && path != "-") {
    return InvalidArgument(path,
                           ": unknown kind of data file; expected *.jsonl or *.tar, *.tsv, "
                           "one of these with .gz or .zst behind it, or a folder of classes");
  }
  std::shared_ptr<const MappedFile> file;
  if (path == "-") {
    UNIVAL_ASSIGN_OR_RETURN(file, OpenUnpacked(path));
    kind = KindOfBytes(file->bytes());
  }
  switch (kind) {
    case DataKind::kJsonl:
      return LineSource::Open(options, JsonlFormat(), std::move(file));
    case DataKind::kTsv:
      return LineSource::Open(options, TsvFormat(), std::move(file));
    case DataKind::kTar:
      return TarSource::Open(options, std::move(file));
    case DataKind::kUnknown:
      break;
  }
  return InvalidArgument("standard input: expected JSONL, TSV or a tar, got ",
                         file->bytes().empty() ? "nothing" : "something else");
}

}  // namespace

Source::~Source() = default;

const std::vector<std::string>& UsualMediaColumns() {
  static const auto* const kColumns =
      new std::vector<std::string>{"audio", "depth", "image", "video"};
  return *kColumns;
}

bool IsDataFileName(absl::string_view path) { return KindOfName(path) != DataKind::kUnknown; }

absl::optional<std::set<std::string>> NeededRecordColumns(const SourceOptions& options) {
  if (!options.needed.has_value()) return absl::nullopt;
  std::set<std::string> columns;
  for (const std::string& column : *options.needed) {
    const auto mapped = options.columns.find(column);
    columns.insert(mapped == options.columns.end() ? column : mapped->second);
  }
  // Renamed columns are always read, also where `needed` does not name them.
  for (const auto& mapped : options.columns) columns.insert(mapped.second);
  return columns;
}

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const SourceOptions& options) {
  if (!options.keep.empty() || !options.drop.empty()) return OpenFiltered(options);
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandDataPath(options.path));
  SourceOptions part = options;
  std::vector<std::unique_ptr<Source>> parts;
  for (const std::string& file : files) {
    part.path = file;
    UNIVAL_ASSIGN_OR_RETURN(parts.emplace_back(), OpenFile(part));
    if (options.limit > 0 && (part.limit -= parts.back()->size()) <= 0) break;
  }
  if (files.size() == 1) return std::move(parts.front());
  return std::unique_ptr<Source>(new JoinedSource(options.path, std::move(parts)));
}

absl::StatusOr<std::vector<std::string>> SourceColumns(const Source& source,
                                                       const std::vector<std::string>& wanted) {
  std::set<std::string> columns;
  absl::Status unreadable;
  const auto are_all_seen = [&] {
    return !columns.empty() && absl::c_all_of(wanted, [&columns](const std::string& column) {
      return columns.count(column) > 0;
    });
  };
  for (int64_t i = 0; i < source.size() && !are_all_seen(); ++i) {
    const absl::StatusOr<TaskSample> sample = source.ReadFields(i);
    unreadable.Update(sample.status());
    if (!sample.ok()) continue;
    for (const auto& field : sample->fields) columns.insert(field.first);
  }
  if (columns.empty()) UNIVAL_RETURN_IF_ERROR(unreadable);
  return std::vector<std::string>(columns.begin(), columns.end());
}

}  // namespace unival
