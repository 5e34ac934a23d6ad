#include "training/data/import/record_writer.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/files.h"
#include "sdk/base/fresh_file.h"
#include "sdk/base/json_text.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/media_resolver.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kNoMedium[] = "the media file is not there";

void CountAs(const std::string& reason, const std::string& what, int64_t count,
             std::map<std::string, ImportReport::LeftOut>* reasons) {
  constexpr size_t kNamed = 3;
  ImportReport::LeftOut& counted = (*reasons)[reason];
  counted.count += count;
  if (counted.examples.size() < kNamed) counted.examples.push_back(what);
}

// The text before a path of the source folder in a record: the way from the destination's folder
// down to the source, or, where the source does not lie below it, the name of a media root.
std::string BeforePaths(const ImportOptions& options) {
  std::error_code error;
  const fs::path source = fs::canonical(options.source, error);
  const fs::path folder = fs::canonical(FolderOf(options.destination), error);
  if (error) return absl::StrCat(options.media_root, ":");
  const fs::path way = source.lexically_relative(folder);
  if (way == ".") return "";
  if (way.empty() || *way.begin() == "..") return absl::StrCat(options.media_root, ":");
  return absl::StrCat(way.string(), "/");
}

}  // namespace

RecordWriter::RecordWriter(const ImportOptions& options, std::string before)
    : options_(options), temporary_(options.destination + ".tmp"), before_(std::move(before)) {}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(const ImportOptions& options) {
  std::unique_ptr<RecordWriter> writer(new RecordWriter(options, BeforePaths(options)));
  UNIVAL_RETURN_IF_ERROR(MakeFreshFile(writer->temporary_));
  errno = 0;
  writer->stream_.open(writer->temporary_, std::ios::binary | std::ios::trunc);
  if (writer->stream_) return writer;
  return SystemError(options.destination, "cannot be written", errno == 0 ? EIO : errno);
}

RecordWriter::~RecordWriter() {
  stream_.close();
  if (!finished_) std::remove(temporary_.c_str());
}

std::string RecordWriter::FindMedia(const std::vector<std::string>& paths) const {
  if (paths == last_paths_) return last_found_;
  last_paths_ = paths;
  last_found_.clear();
  for (const std::string& path : paths) {
    std::error_code error;
    const auto found = ResolveBelowFolder(options_.source, path);
    if (!found.ok() || !fs::is_regular_file(*found, error)) continue;
    last_found_ = path;
    break;
  }
  return last_found_;
}

absl::Status RecordWriter::Add(const std::string& column, const std::vector<std::string>& paths,
                               nlohmann::ordered_json record) {
  const std::string found = FindMedia(paths);
  if (found.empty()) {
    LeaveOut(kNoMedium, paths.empty() ? "" : paths.front());
    return absl::OkStatus();
  }
  nlohmann::ordered_json line = {{column, absl::StrCat(before_, found)}};
  line.update(record);
  errno = 0;
  stream_ << JsonText(line) << '\n';
  if (!stream_) {
    return SystemError(options_.destination, "cannot be written", errno == 0 ? EIO : errno);
  }
  ++report_.samples;
  constexpr int64_t kOften = 256;
  if (options_.progress && report_.samples % kOften == 0) options_.progress(report_.samples);
  return absl::OkStatus();
}

void RecordWriter::LeaveOut(const std::string& reason, const std::string& what, int64_t records) {
  if (records > 0) CountAs(reason, what, records, &report_.left_out);
}

void RecordWriter::Change(const std::string& reason, const std::string& what) {
  CountAs(reason, what, 1, &report_.changed);
}

std::string RecordWriter::KeepText(absl::string_view text, const std::string& what) {
  std::string kept(absl::StripAsciiWhitespace(text));
  if (kept.empty()) LeaveOut(kBlankText, what);
  return kept;
}

std::vector<std::string> RecordWriter::KeepTexts(const std::vector<std::string>& texts,
                                                 const std::string& what) {
  if (texts.empty()) LeaveOut(kWithoutText, what);
  std::vector<std::string> kept;
  for (const std::string& text : texts) {
    std::string one = KeepText(text, what);
    if (!one.empty()) kept.push_back(std::move(one));
  }
  return kept;
}

bool RecordWriter::IsFirst(const std::string& what, std::unordered_set<std::string>* met) {
  if (met->insert(what).second) return true;
  LeaveOut(kRepeatedId, what);
  return false;
}

absl::StatusOr<ImportReport> RecordWriter::Finish() {
  if (report_.samples == 0) {
    const auto reason = [](std::string* out, const auto& left) {
      absl::StrAppend(out, left.first, " (", left.second.count, ": ",
                      absl::StrJoin(left.second.examples, ", "), ")");
    };
    return absl::NotFoundError(absl::StrCat(options_.source, ": no records of ", options_.dataset,
                                            ", split \"", options_.split, "\"",
                                            report_.left_out.empty() ? "" : "; left out: ",
                                            absl::StrJoin(report_.left_out, "; ", reason)));
  }
  errno = 0;
  stream_.close();
  if (!stream_) {
    return SystemError(options_.destination, "cannot be written", errno == 0 ? EIO : errno);
  }
  UNIVAL_RETURN_IF_ERROR(PublishFile(temporary_, options_.destination));
  finished_ = true;
  if (!before_.empty() && before_.back() == ':') report_.media_root = options_.media_root;
  if (options_.progress) options_.progress(report_.samples);
  return report_;
}

absl::Status UnknownSplit(const ImportOptions& options, const std::vector<std::string>& splits) {
  return InvalidArgument(options.dataset, " has no split \"", options.split, "\"; expected one of ",
                         absl::StrJoin(splits, ", "));
}

}  // namespace unival
