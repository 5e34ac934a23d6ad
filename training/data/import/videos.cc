// Descriptions of videos: MSRVTT, MSVD, ActivityNet Captions.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "modalities/io/formats.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/csv_rows.h"
#include "training/data/import/json_elements.h"
#include "training/data/import/json_fields.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

struct MsrvttVideo {
  std::string id, split;
  int64_t category = 0;
};

// The publisher calls one of the splits "validate".
bool IsInVideoSplit(const std::string& asked, const std::string& split) {
  return asked == "all" || asked == split || (asked == "val" && split == "validate");
}

absl::Status AddMsrvtt(const ImportOptions& options, const std::string& file,
                       RecordWriter& writer) {
  std::vector<MsrvttVideo> videos;
  std::map<std::string, std::vector<std::string>> captions;
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file, {"videos", "sentences"}, [&](const JsonElement& element) {
        const JsonFields fields(element.value);
        const std::string id = fields.Text("video_id");
        if (element.list == "sentences") {
          captions[id].push_back(fields.Text("caption"));
        } else {
          const MsrvttVideo video = {id, fields.Text("split"), fields.IntegerOr("category", 0)};
          if (IsInVideoSplit(options.split, video.split)) videos.push_back(video);
        }
        return fields.status();
      }));
  for (const MsrvttVideo& video : videos) {
    const auto found = captions.find(video.id);
    if (found == captions.end()) {
      writer.LeaveOut("the video has no sentence", video.id);
      continue;
    }
    const Record record = {{"caption", found->second},
                           {"split", video.split},
                           {"category", video.category},
                           {"video_id", video.id}};
    const auto paths = MediaPaths({"TrainValVideo", "TestVideo", "videos", "videos/all", "video"},
                                  video.id, ExtensionsOfKind("video"));
    UNIVAL_RETURN_IF_ERROR(writer.Add("video", paths, record));
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> ImportMsrvtt(const ImportOptions& options) {
  const std::vector<std::string> splits = {"all", "train", "val", "validate", "test"};
  if (std::find(splits.begin(), splits.end(), options.split) == splits.end()) {
    return UnknownSplit(options, splits);
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  bool is_any_there = false;
  for (const char* name : {"train_val_videodatainfo.json", "test_videodatainfo.json",
                           "videodatainfo.json", "MSRVTT_data.json"}) {
    const auto file = FindFirst(options, {name});
    if (!file.ok()) continue;
    is_any_there = true;
    UNIVAL_RETURN_IF_ERROR(AddMsrvtt(options, *file, *writer));
  }
  if (!is_any_there) {
    return absl::NotFoundError(
        absl::StrCat(options.source,
                     ": expected train_val_videodatainfo.json, "
                     "test_videodatainfo.json or videodatainfo.json; none is there"));
  }
  return writer->Finish();
}

// Lines without blanks around them, and without those that are empty or comments.
absl::StatusOr<std::vector<std::string>> TextLines(const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, MappedFile::Open(file));
  std::vector<std::string> lines;
  int64_t number = 0;
  for (absl::string_view line : absl::StrSplit(opened->bytes(), '\n')) {
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckTableText(line), file, ":", ++number));
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty() && line[0] != '#') lines.emplace_back(line);
  }
  UNIVAL_RETURN_IF_ERROR(opened->Check());
  return lines;
}

// The videos of a split by the lists that are usual for MSVD: one name a line, with or without an
// extension. Nothing for "all".
absl::StatusOr<std::set<std::string>> MsvdSplit(const ImportOptions& options) {
  std::set<std::string> names;
  if (options.split == "all") return names;
  UNIVAL_ASSIGN_OR_RETURN(const std::string file,
                          FindFirst(options, {options.split + "_list.txt"}));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> lines, TextLines(file));
  for (const std::string& line : lines) names.insert(line.substr(0, line.rfind(".avi")));
  return names;
}

using Descriptions = std::map<std::string, std::vector<std::string>>;

// Lines "NAME description".
absl::Status ReadMsvdLines(const std::string& file, RecordWriter& writer, Descriptions* captions) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> lines, TextLines(file));
  for (const std::string& line : lines) {
    const size_t blank = line.find_first_of(" \t");
    if (blank == std::string::npos) {
      writer.LeaveOut("the line has no description", line);
    } else {
      (*captions)[line.substr(0, blank)].push_back(
          std::string(absl::StripAsciiWhitespace(line.substr(blank))));
    }
  }
  return absl::OkStatus();
}

// The table that the lines were made of: clips of videos, described in many languages.
absl::Status ReadMsvdTable(const std::string& file, RecordWriter& writer, Descriptions* captions) {
  return ForEachCsvRow(
      file, {"VideoID", "Start", "End", "Language", "Description"}, [&](const CsvRow& row) {
        const std::string name =
            absl::StrCat(row.at("VideoID"), "_", row.at("Start"), "_", row.at("End"));
        const std::string text(absl::StripAsciiWhitespace(row.at("Description")));
        if (row.at("Language") != "English") {
          writer.LeaveOut("the description is not in English", name);
        } else if (text.empty()) {
          writer.LeaveOut("the line has no description", name);
        } else {
          (*captions)[name].push_back(text);
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<ImportReport> ImportMsvd(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::set<std::string> wanted, MsvdSplit(options));
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string file,
      FindFirst(options, {"AllVideoDescriptions.txt", "MSR Video Description Corpus.csv",
                          "video_corpus.csv"}));
  Descriptions captions;
  UNIVAL_RETURN_IF_ERROR(absl::EndsWith(file, ".csv") ? ReadMsvdTable(file, *writer, &captions)
                                                      : ReadMsvdLines(file, *writer, &captions));
  for (const auto& [name, texts] : captions) {
    if (options.split != "all" && wanted.count(name) == 0) continue;
    const Record record = {{"caption", texts}, {"video_id", name}};
    UNIVAL_RETURN_IF_ERROR(writer->Add(
        "video", MediaPaths({"YouTubeClips", "videos", "video"}, name, ExtensionsOfKind("video")),
        record));
  }
  return writer->Finish();
}

absl::Status AddActivity(const JsonElement& element, const std::string& split,
                         RecordWriter& writer) {
  const JsonFields video(element.value);
  std::vector<std::string> sentences;
  for (const std::string& text : video.Texts("sentences")) {
    sentences.emplace_back(absl::StripAsciiWhitespace(text));
  }
  std::vector<double> starts, ends;
  for (const std::vector<double>& times : video.NumberLists("timestamps", 2)) {
    starts.push_back(times[0]);
    ends.push_back(times[1]);
  }
  if (starts.size() != sentences.size()) {
    video.Refuse("timestamps", absl::StrCat(sentences.size(), ", one for each of \"sentences\""),
                 absl::StrCat(starts.size()));
  }
  const Record record = {{"caption", absl::StrJoin(sentences, " ")},
                         {"sentences", sentences},
                         {"starts", starts},
                         {"ends", ends},
                         {"duration", video.Number("duration")},
                         {"split", split},
                         {"video_id", element.name}};
  UNIVAL_RETURN_IF_ERROR(video.status());
  return writer.Add("video",
                    MediaPaths({"videos", "video", ""}, element.name, ExtensionsOfKind("video")),
                    record);
}

absl::StatusOr<ImportReport> ImportActivityNet(const ImportOptions& options) {
  const std::vector<std::string> splits = {"train", "val_1", "val_2"};
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  bool is_known = false;
  for (const std::string& split : splits) {
    if (options.split != "all" && options.split != split) continue;
    is_known = true;
    const auto file = FindFirst(options, {split + ".json", "captions/" + split + ".json"});
    if (options.split == "all" && absl::IsNotFound(file.status())) continue;
    UNIVAL_RETURN_IF_ERROR(file.status());
    UNIVAL_RETURN_IF_ERROR(ForEachElement(*file, {kMembers}, [&](const JsonElement& element) {
      return AddActivity(element, split, *writer);
    }));
  }
  if (!is_known) return UnknownSplit(options, {"all", "train", "val_1", "val_2"});
  return writer->Finish();
}

}  // namespace

ImportLayout MsrvttLayout() {
  return {
      {"msrvtt", ".jsonl", "train, val, test",
       "train_val_videodatainfo.json and test_videodatainfo.json, or videodatainfo.json; "
       "TrainValVideo/video0.mp4, TestVideo/*.mp4, or videos/*.mp4, or with another extension of "
       "videos",
       "video, caption (list of all), split, category, video_id"},
      "msrvtt",
      &ImportMsrvtt};
}

ImportLayout MsvdLayout() {
  return {{"msvd", ".jsonl", "train, val, test, where train_list.txt, ... say which",
           "AllVideoDescriptions.txt, or the table \"MSR Video Description Corpus.csv\" "
           "(video_corpus.csv), of which English is taken; YouTubeClips/*.avi; train_list.txt, "
           "val_list.txt, "
           "test_list.txt with a name a line",
           "video, caption (list of all), video_id"},
          "msvd",
          &ImportMsvd};
}

ImportLayout ActivityNetLayout() {
  return {
      {"activitynet", ".jsonl", "train, val_1, val_2",
       "train.json, val_1.json, val_2.json; videos/v_ID.mp4, or with another extension of videos",
       "video, caption (all sentences), sentences, starts, ends (seconds), duration, split, "
       "video_id"},
      "activitynet",
      &ImportActivityNet};
}

}  // namespace unival
