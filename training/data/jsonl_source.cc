#include "training/data/jsonl_source.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/fingerprint.h"
#include "training/data/record.h"

namespace unival {
namespace {

// "images.tar" of every "images.tar:7.png", without reading the records as JSON.
std::set<std::string> NamedTars(absl::string_view text) {
  constexpr absl::string_view kMark = ".tar:";
  std::set<std::string> tars;
  for (size_t at = text.find(kMark); at != absl::string_view::npos; at = text.find(kMark, at + 1)) {
    const size_t quote = text.rfind('"', at);
    if (quote == absl::string_view::npos) continue;
    tars.insert(absl::StrReplaceAll(text.substr(quote + 1, at + 3 - quote), {{"\\/", "/"}}));
  }
  return tars;
}

}  // namespace

JsonlSource::JsonlSource(const SourceOptions& options)
    : options_(options),
      media_columns_({"audio", "depth", "image", "video"}),
      media_(FolderOf(options.path)) {
  media_columns_.insert(options.media_columns.begin(), options.media_columns.end());
}

absl::StatusOr<std::unique_ptr<Source>> JsonlSource::Open(const SourceOptions& options) {
  std::unique_ptr<JsonlSource> source(new JsonlSource(options));
  UNIVAL_ASSIGN_OR_RETURN(source->file_, MappedFile::Open(options.path));
  source->IndexLines();
  UNIVAL_RETURN_IF_ERROR(source->file_->Check());
  if (source->lines_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.path, ": no records"));
  }
  return std::unique_ptr<Source>(std::move(source));
}

void JsonlSource::IndexLines() {
  absl::string_view rest = file_->bytes();
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    const absl::string_view line = absl::StripAsciiWhitespace(rest.substr(0, end));
    if (!line.empty()) lines_.push_back({line, number});
    if (options_.limit > 0 && size() == options_.limit) return;
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
  }
}

absl::StatusOr<TaskSample> JsonlSource::Read(int64_t index) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(options_.path, ": record ", index, " of ", size(), " was asked for"));
  }
  const Line& line = lines_[static_cast<size_t>(index)];
  auto parsed = Annotate(Fields(line.text), options_.path, ":", line.number);
  UNIVAL_RETURN_IF_ERROR(file_->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto fields, std::move(parsed));
  return TaskSample{absl::StrCat(FileName(options_.path), ":", line.number), std::move(fields)};
}

absl::StatusOr<std::map<std::string, FieldValue>> JsonlSource::Fields(
    absl::string_view line) const {
  UNIVAL_ASSIGN_OR_RETURN(auto fields, ParseRecord(line));
  UNIVAL_ASSIGN_OR_RETURN(fields, RenameColumns(std::move(fields), options_.columns));
  for (const std::string& column : media_columns_) {
    const auto field = fields.find(column);
    if (field == fields.end()) continue;
    const std::string* path = std::get_if<std::string>(&field->second);
    if (path == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("column \"", column, "\": expected the path of a media file"));
    }
    absl::StatusOr<MediaSource> media = media_.Resolve(*path);
    if (options_.missing_media && absl::IsNotFound(media.status())) {
      field->second = media_.Missing(*path);
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(field->second, Annotate(std::move(media), "column \"", column, "\""));
  }
  return fields;
}

std::string JsonlSource::fingerprint() const {
  Fingerprint hash;
  hash.Add(FingerprintOf(options_));
  hash.Add(file_->bytes());
  // The tars that records name; a text that only looks like such a name is no tar, and adds
  // nothing.
  for (const std::string& tar : NamedTars(file_->bytes())) {
    const auto opened = MappedFile::Open(media_.FullPath(tar));
    if (!CheckRelativePath(tar).ok() || !opened.ok()) continue;
    hash.Add(tar);
    hash.Add((*opened)->bytes());
  }
  return hash.Hex();
}

}  // namespace unival
