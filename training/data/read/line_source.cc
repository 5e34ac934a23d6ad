#include "training/data/read/line_source.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/unpacked_file.h"
#include "training/data/read/fingerprint.h"
#include "training/data/read/tar_source.h"

namespace unival {
namespace {

constexpr absl::string_view kTarMark = ".tar:";

// How a file begins that is in UTF-16 or UTF-32, with a mark of its byte order or without.
bool IsWide(absl::string_view text) {
  if (absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff")) return true;
  return text.size() >= 4 &&
         ((text[0] == '\0' && text[2] == '\0') != (text[1] == '\0' && text[3] == '\0'));
}

// Whether everything in `line` that looks like a member of a tar ("TAR.tar:" behind a quote or a
// tab) is of one of `tars`. It looks at the text only, so a line need not be parsed to find out.
bool NamesOnly(absl::string_view line, const std::set<std::string>& tars) {
  for (size_t mark = line.find(kTarMark); mark != absl::string_view::npos;
       mark = line.find(kTarMark, mark + 1)) {
    const size_t before = line.find_last_of("\"\t", mark);
    const size_t begin = before == absl::string_view::npos ? 0 : before + 1;
    if (begin > 1 && line[begin - 2] == '\\') return false;  // an escaped quote is part of the path
    const absl::string_view tar = line.substr(begin, mark + kTarMark.size() - 1 - begin);
    if (tars.count(std::string(tar)) == 0) return false;
  }
  return true;
}

// The columns of records that may name tars, which are part of the data's identity. The usual media
// columns always are among them, also where the task reads no media there: identities that runs
// have written down were made so.
std::set<std::string> TarColumns(const SourceOptions& options) {
  std::set<std::string> columns;
  for (const auto* const some : {&options.media_columns, &UsualMediaColumns()}) {
    for (const std::string& column : *some) {
      const auto mapped = options.columns.find(column);
      columns.insert(mapped == options.columns.end() ? column : mapped->second);
    }
  }
  return columns;
}

}  // namespace

LineSource::LineSource(const SourceOptions& options, const LineFormat& format,
                       std::shared_ptr<const MappedFile> file)
    : options_(options),
      parser_(options_, format),
      kept_(options_.path, options_.index),
      record_columns_(TarColumns(options_)),
      content_([this, file]() -> absl::StatusOr<DataContent::File> {
        if (file != nullptr) return file;
        return OpenContent();
      }) {}

absl::StatusOr<std::unique_ptr<Source>> LineSource::Open(const SourceOptions& options,
                                                         const LineFormat& format,
                                                         std::shared_ptr<const MappedFile> file) {
  std::unique_ptr<LineSource> source(new LineSource(options, format, std::move(file)));
  if (!source->TakeIndex()) {
    UNIVAL_RETURN_IF_ERROR(source->FindLines());
  } else if (!source->is_packed_) {
    UNIVAL_RETURN_IF_ERROR(source->content_.Get().status());
  }
  return std::unique_ptr<Source>(std::move(source));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> LineSource::OpenContent() const {
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, OpenUnpacked(options_.path));
  const auto size = static_cast<int64_t>(file->bytes().size());
  if (!content_size_ || (size == *content_size_ && kept_.IsUnchanged())) return file;
  return absl::DataLossError(
      absl::StrCat(options_.path,
                   ": the file has changed since it was opened; start again with the file that "
                   "is meant"));
}

bool LineSource::TakeIndex() {
  const absl::optional<SourceIndex> index = kept_.Load();
  if (!index || !index->has_lines()) return false;
  if (index->lines().blanks() != parser_.format().blanks) return false;  // of another format
  lines_ = RecordLines::Of(index->lines(), options_.limit);
  content_size_ = index->content_size();
  is_packed_ = index->content_size() != index->size();
  const absl::MutexLock lock(&mutex_);
  content_hash_ = index->content();
  for (const NamedTars& named : index->lines().named_tars()) {
    named_tars_[{named.columns().begin(), named.columns().end()}] = {named.tars().begin(),
                                                                     named.tars().end()};
  }
  return true;
}

absl::Status LineSource::FindLines() {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, content_.Get());
  if (IsWide(file->bytes())) {
    return InvalidArgument(options_.path,
                           ": the text is UTF-16 or UTF-32; expected UTF-8: convert it with `iconv "
                           "-f UTF-16 -t UTF-8`");
  }
  UNIVAL_ASSIGN_OR_RETURN(lines_, RecordLines::Find(file->bytes(), parser_.format().blanks,
                                                    options_.limit, options_.path));
  UNIVAL_RETURN_IF_ERROR(file->Check());
  if (lines_.size() == 0) return absl::InvalidArgumentError(options_.path + ": no records");
  // With a limit only the beginning was read.
  if (options_.limit > 0 || !kept_.IsOn()) return absl::OkStatus();
  const absl::MutexLock lock(&mutex_);
  content_hash_ = HashOfBytes(file->bytes());
  UNIVAL_RETURN_IF_ERROR(file->Check());
  KeepIndex();
  return absl::OkStatus();
}

void LineSource::KeepIndex() const {
  const bool is_whole = options_.limit == 0 && content_.Get().ok();
  if (!kept_.IsOn() || !is_whole) return;
  SourceIndex index;
  index.set_content_size(static_cast<int64_t>((*content_.Get())->bytes().size()));
  index.set_content(content_hash_);
  lines_.AddTo(index.mutable_lines());
  index.mutable_lines()->set_blanks(std::string(parser_.format().blanks));
  for (const auto& [columns, tars] : named_tars_) {
    NamedTars* const named = index.mutable_lines()->add_named_tars();
    *named->mutable_columns() = {columns.begin(), columns.end()};
    *named->mutable_tars() = {tars.begin(), tars.end()};
  }
  kept_.Keep(std::move(index));
}

absl::StatusOr<TaskSample> LineSource::Read(int64_t index) const {
  return ReadLine(index, /*with_bytes=*/true);
}

absl::StatusOr<TaskSample> LineSource::ReadFields(int64_t index) const {
  return ReadLine(index, /*with_bytes=*/false);
}

absl::StatusOr<TaskSample> LineSource::ReadLine(int64_t index, bool with_bytes) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(options_.path, ": record ", index, " of ", size(), " was asked for"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, content_.Get());
  const int64_t number = lines_.NumberOf(index);
  const auto line = lines_.LineOf(index, file->bytes(), parser_.format().blanks);
  auto parsed = line.ok() ? parser_.Fields(*line, with_bytes) : line.status();
  UNIVAL_RETURN_IF_ERROR(file->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto fields, Annotate(std::move(parsed), options_.path, ":", number));
  return TaskSample{absl::StrCat(FileName(options_.path), ":", number), std::move(fields)};
}

std::vector<std::string> LineSource::FindNamedTars(const MappedFile& file) const {
  std::set<std::string> tars;
  for (absl::string_view rest = WithoutByteOrderMark(file.bytes()); !rest.empty();) {
    const absl::string_view line = TakeLine(&rest, parser_.format().blanks);
    // Only a line that may name another tar is parsed: most lines of most files name none.
    if (NamesOnly(line, tars)) continue;
    const auto record = parser_.format().parse(line, &record_columns_);
    if (!record.ok()) continue;
    for (const std::string& column : record_columns_) {
      const auto field = record->find(column);
      if (field == record->end()) continue;
      const auto* path = std::get_if<std::string>(&field->second);
      const size_t mark = path == nullptr ? std::string::npos : path->find(kTarMark.data());
      if (mark != std::string::npos) tars.insert(path->substr(0, mark + kTarMark.size() - 1));
    }
  }
  return {tars.begin(), tars.end()};
}

std::map<std::string, FileWarning> LineSource::warnings() const {
  std::map<std::string, FileWarning> warnings;
  for (const auto& tar : parser_.media().OpenedTars()) warnings.merge(WarningsOf(*tar));
  return warnings;
}

std::vector<std::string> LineSource::files() const {
  std::vector<std::string> files = {options_.path};
  for (const auto& tar : parser_.media().OpenedTars()) files.push_back(tar->path());
  return files;
}

std::string LineSource::fingerprint() const {
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  const auto& file = content_.Get();
  if (!file.ok()) return hash.Hex();
  hash.Add((*file)->bytes());
  for (const std::string& tar : FindNamedTars(**file)) {
    const auto path = parser_.media().FindFile(tar);
    if (!path.ok()) continue;
    const auto opened = MappedFile::Open(*path);
    if (!opened.ok()) continue;
    hash.Add(tar);
    hash.Add((*opened)->bytes());
  }
  return hash.Hex();
}

absl::Status LineSource::FillIdentity(const std::vector<std::string>& columns) const {
  if (!content_hash_.empty() && named_tars_.count(columns) > 0) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, content_.Get());
  if (content_hash_.empty()) content_hash_ = HashOfBytes(file->bytes());
  constexpr size_t kMostColumnSets = 16;
  if (named_tars_.size() >= kMostColumnSets) named_tars_.clear();
  named_tars_[columns] = FindNamedTars(*file);
  UNIVAL_RETURN_IF_ERROR(file->Check());
  KeepIndex();
  return absl::OkStatus();
}

absl::StatusOr<DataIdentity> LineSource::Identity(bool read_all) const {
  const std::vector<std::string> columns(record_columns_.begin(), record_columns_.end());
  const absl::MutexLock lock(&mutex_);
  UNIVAL_RETURN_IF_ERROR(FillIdentity(columns));
  std::vector<std::string> contents = {FingerprintOf(options_), content_hash_}, samples = contents;
  bool is_known = true;
  for (const std::string& name : named_tars_[columns]) {
    const auto tar = parser_.media().Tar(name);
    if (!tar.ok()) continue;  // its records say so
    UNIVAL_ASSIGN_OR_RETURN(const DataIdentity identity, (*tar)->Identity(read_all));
    is_known &= identity.content.has_value();
    contents.insert(contents.end(), {name, identity.content.value_or("")});
    samples.insert(samples.end(), {name, identity.sampled});
  }
  DataIdentity identity;
  if (is_known) identity.content = HashOfParts(contents);
  identity.sampled = HashOfParts(samples);
  return identity;
}

}  // namespace unival
