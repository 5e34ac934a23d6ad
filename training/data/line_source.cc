#include "training/data/line_source.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/fingerprint.h"

namespace unival {
namespace {

constexpr absl::string_view kTarMark = ".tar:";
constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

absl::string_view WithoutBlanks(absl::string_view line, absl::string_view blanks) {
  const size_t first = line.find_first_not_of(blanks);
  if (first == absl::string_view::npos) return line.substr(0, 0);
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

// The next line of `rest`, without blanks around it, is taken off.
absl::string_view TakeLine(absl::string_view* rest, absl::string_view blanks) {
  const size_t end = rest->find('\n');
  const absl::string_view line = WithoutBlanks(rest->substr(0, end), blanks);
  rest->remove_prefix(end == absl::string_view::npos ? rest->size() : end + 1);
  return line;
}

// How a file begins that is in UTF-16 or UTF-32, with a mark of its byte order or without.
bool IsWide(absl::string_view text) {
  if (absl::StartsWith(text, "\xff\xfe") || absl::StartsWith(text, "\xfe\xff")) return true;
  return text.size() >= 4 &&
         ((text[0] == '\0' && text[2] == '\0') != (text[1] == '\0' && text[3] == '\0'));
}

// Whether all that looks like a member of a tar in `line` is of one of `tars`, as far as its text
// says: "TAR.tar:", from a quote or a tab on.
bool NamesOnly(absl::string_view line, const std::set<std::string>& tars) {
  for (size_t mark = line.find(kTarMark); mark != absl::string_view::npos;
       mark = line.find(kTarMark, mark + 1)) {
    const size_t before = line.find_last_of("\"\t", mark);
    const size_t begin = before == absl::string_view::npos ? 0 : before + 1;
    if (begin > 1 && line[begin - 2] == '\\') return false;  // the quote is one of the path
    const absl::string_view tar = line.substr(begin, mark + kTarMark.size() - 1 - begin);
    if (tars.count(std::string(tar)) == 0) return false;
  }
  return true;
}

}  // namespace

LineSource::LineSource(const SourceOptions& options, const LineFormat& format,
                       std::shared_ptr<const MappedFile> file)
    : options_(options),
      parser_(options_, format),
      file_(std::move(file)),
      text_(absl::StripPrefix(file_->bytes(), kByteOrderMark)) {}

absl::StatusOr<std::unique_ptr<Source>> LineSource::Open(const SourceOptions& options,
                                                         const LineFormat& format,
                                                         std::shared_ptr<const MappedFile> file) {
  if (IsWide(file->bytes())) {
    return InvalidArgument(options.path,
                           ": the text is UTF-16 or UTF-32; expected UTF-8: convert it with `iconv "
                           "-f UTF-16 -t UTF-8`");
  }
  std::unique_ptr<LineSource> source(new LineSource(options, format, std::move(file)));
  UNIVAL_RETURN_IF_ERROR(source->IndexLines());
  UNIVAL_RETURN_IF_ERROR(source->file_->Check());
  if (source->lines_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(options.path, ": no records"));
  }
  return std::unique_ptr<Source>(std::move(source));
}

absl::Status LineSource::IndexLines() {
  absl::string_view rest = text_;
  for (int64_t number = 1; !rest.empty(); ++number) {
    if (rest.size() > kMaxLine && rest.substr(0, kMaxLine).find('\n') == absl::string_view::npos) {
      return InvalidArgument(options_.path, ":", number, ": the line is longer than ", kMaxLine,
                             " bytes; expected one record a line");
    }
    const absl::string_view line = TakeLine(&rest, parser_.format().blanks);
    if (!line.empty()) lines_.push_back({line, number});
    if (options_.limit > 0 && size() == options_.limit) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<TaskSample> LineSource::Read(int64_t index) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(options_.path, ": record ", index, " of ", size(), " was asked for"));
  }
  const Line& line = lines_[static_cast<size_t>(index)];
  auto parsed = Annotate(parser_.Fields(line.text), options_.path, ":", line.number);
  UNIVAL_RETURN_IF_ERROR(file_->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto fields, std::move(parsed));
  return TaskSample{absl::StrCat(FileName(options_.path), ":", line.number), std::move(fields)};
}

std::set<std::string> LineSource::NamedTars() const {
  std::set<std::string> columns;
  for (const std::string& column : parser_.media_columns()) {
    const auto mapped = options_.columns.find(column);
    columns.insert(mapped == options_.columns.end() ? column : mapped->second);
  }
  std::set<std::string> tars;
  for (absl::string_view rest = text_; !rest.empty();) {
    const absl::string_view line = TakeLine(&rest, parser_.format().blanks);
    // Most lines of most files are not read as records.
    if (NamesOnly(line, tars)) continue;
    const auto record = parser_.format().parse(line, &columns);
    if (!record.ok()) continue;
    for (const std::string& column : columns) {
      const auto field = record->find(column);
      if (field == record->end()) continue;
      const auto* path = std::get_if<std::string>(&field->second);
      const size_t mark = path == nullptr ? std::string::npos : path->find(kTarMark.data());
      if (mark != std::string::npos) tars.insert(path->substr(0, mark + kTarMark.size() - 1));
    }
  }
  return tars;
}

std::string LineSource::fingerprint() const {
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  hash.Add(file_->bytes());
  for (const std::string& tar : NamedTars()) {
    const auto path = parser_.media().FindFile(tar);
    if (!path.ok()) continue;
    const auto opened = MappedFile::Open(*path);
    if (!opened.ok()) continue;
    hash.Add(tar);
    hash.Add((*opened)->bytes());
  }
  return hash.Hex();
}

}  // namespace unival
