#include "training/data/read/line_parser.h"

#include <utility>

#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/embedded_media.h"
#include "training/data/read/record.h"
#include "training/data/read/record_kinds.h"

namespace unival {

LineFormat JsonlFormat() { return {&ParseRecord, " \t\r\n\v\f", false}; }

namespace {

std::set<std::string> MediaColumnsOf(const SourceOptions& options) {
  std::set<std::string> columns = {options.media_columns.begin(), options.media_columns.end()};
  if (options.usual_media) columns.insert(UsualMediaColumns().begin(), UsualMediaColumns().end());
  return columns;
}

}  // namespace

LineParser::LineParser(const SourceOptions& options, const LineFormat& format)
    : options_(options),
      format_(format),
      media_columns_(MediaColumnsOf(options)),
      needed_(NeededRecordColumns(options)),
      media_(options.path, options.media_roots, options.index) {}

absl::StatusOr<std::map<std::string, FieldValue>> LineParser::Fields(absl::string_view line,
                                                                     bool with_bytes) const {
  UNIVAL_ASSIGN_OR_RETURN(auto fields,
                          format_.parse(line, needed_.has_value() ? &*needed_ : nullptr));
  UNIVAL_ASSIGN_OR_RETURN(fields, RenameColumns(std::move(fields), options_.columns));
  for (const std::string& column : media_columns_) {
    const auto field = fields.find(column);
    if (field == fields.end()) continue;
    const std::string* text = std::get_if<std::string>(&field->second);
    if (text == nullptr) {
      return kWrongColumnType.Mark(
          InvalidArgument("column \"", column, "\": expected the path of a media file"));
    }
    absl::StatusOr<MediaSource> media = Media(*text, with_bytes);
    if (!media.ok()) return kBadPath.Mark(Annotate(media.status(), "column \"", column, "\""));
    field->second = *std::move(media);
  }
  return fields;
}

absl::StatusOr<MediaSource> LineParser::Media(const std::string& text, bool with_bytes) const {
  if (format_.embedded_media && LooksEmbedded(text)) {
    return DecodeEmbedded(text, FileName(options_.path));
  }
  absl::StatusOr<MediaSource> media = media_.Resolve(text, with_bytes);
  if (options_.missing_media && absl::IsNotFound(media.status())) return media_.Missing(text);
  return media;
}

}  // namespace unival
