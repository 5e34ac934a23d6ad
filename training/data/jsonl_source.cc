#include "training/data/jsonl_source.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/fingerprint.h"
#include "training/data/record.h"

namespace unival {
namespace {

constexpr absl::string_view kTarMark = ".tar:";

// The next line of `rest`, without blanks around it, is taken off.
absl::string_view TakeLine(absl::string_view* rest) {
  const size_t end = rest->find('\n');
  const absl::string_view line = absl::StripAsciiWhitespace(rest->substr(0, end));
  rest->remove_prefix(end == absl::string_view::npos ? rest->size() : end + 1);
  return line;
}

}  // namespace

JsonlSource::JsonlSource(const SourceOptions& options)
    : options_(options),
      media_columns_({"audio", "depth", "image", "video"}),
      needed_(NeededRecordColumns(options)),
      media_(options.path) {
  media_columns_.insert(options.media_columns.begin(), options.media_columns.end());
}

absl::StatusOr<std::unique_ptr<Source>> JsonlSource::Open(const SourceOptions& options) {
  std::unique_ptr<JsonlSource> source(new JsonlSource(options));
  UNIVAL_ASSIGN_OR_RETURN(source->file_, MappedFile::Open(options.path));
  UNIVAL_RETURN_IF_ERROR(source->IndexLines());
  UNIVAL_RETURN_IF_ERROR(source->file_->Check());
  if (source->lines_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.path, ": no records"));
  }
  return std::unique_ptr<Source>(std::move(source));
}

absl::Status JsonlSource::IndexLines() {
  absl::string_view rest = file_->bytes();
  for (int64_t number = 1; !rest.empty(); ++number) {
    if (rest.size() > kMaxLine && rest.substr(0, kMaxLine).find('\n') == absl::string_view::npos) {
      return InvalidArgument(options_.path, ":", number, ": the line is longer than ", kMaxLine,
                             " bytes; expected one JSON object a line");
    }
    const absl::string_view line = TakeLine(&rest);
    if (!line.empty()) lines_.push_back({line, number});
    if (options_.limit > 0 && size() == options_.limit) return absl::OkStatus();
  }
  return absl::OkStatus();
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
  UNIVAL_ASSIGN_OR_RETURN(auto fields,
                          ParseRecord(line, needed_.has_value() ? &*needed_ : nullptr));
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

std::set<std::string> JsonlSource::NamedTars() const {
  std::set<std::string> columns;
  for (const std::string& column : media_columns_) {
    const auto mapped = options_.columns.find(column);
    columns.insert(mapped == options_.columns.end() ? column : mapped->second);
  }
  std::set<std::string> tars;
  for (absl::string_view rest = file_->bytes(); !rest.empty();) {
    const absl::string_view line = TakeLine(&rest);
    // Most lines of most files are not read as JSON.
    if (line.find(kTarMark) == absl::string_view::npos) continue;
    const auto record = nlohmann::json::parse(line.begin(), line.end(), /*cb=*/nullptr,
                                              /*allow_exceptions=*/false);
    if (!record.is_object()) continue;
    for (const std::string& column : columns) {
      const auto field = record.find(column);
      if (field == record.end() || !field->is_string()) continue;
      const auto& path = field->get_ref<const std::string&>();
      const size_t mark = path.find(kTarMark.data());
      if (mark != std::string::npos) tars.insert(path.substr(0, mark + kTarMark.size() - 1));
    }
  }
  return tars;
}

std::string JsonlSource::fingerprint() const {
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  hash.Add(file_->bytes());
  for (const std::string& tar : NamedTars()) {
    const auto path = ResolveBelow(options_.path, tar);
    if (!path.ok()) continue;
    const auto opened = MappedFile::Open(*path);
    if (!opened.ok()) continue;
    hash.Add(tar);
    hash.Add((*opened)->bytes());
  }
  return hash.Hex();
}

}  // namespace unival
