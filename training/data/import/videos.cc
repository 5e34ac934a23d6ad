// Descriptions of videos: MSRVTT, MSVD, ActivityNet Captions.

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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

// `met`: the videos of files before this one, of which some hold all videos and some a part.
absl::Status AddMsrvtt(const ImportOptions& options, const std::string& file, RecordWriter& writer,
                       std::unordered_set<std::string>* met) {
  std::vector<MsrvttVideo> videos;
  std::set<std::string> listed;  // of all splits
  std::map<std::string, std::vector<std::string>> captions;
  UNIVAL_RETURN_IF_ERROR(
      ForEachElement(file, {"videos", "sentences"}, [&](const JsonElement& element) {
        const JsonFields fields(element.value);
        const std::string id = fields.Text("video_id");
        if (element.list == "sentences") {
          captions[id].push_back(fields.Text("caption"));
        } else {
          const MsrvttVideo video = {id, fields.Text("split"), fields.IntegerOr("category", 0)};
          listed.insert(id);
          if (IsInVideoSplit(options.split, video.split)) videos.push_back(video);
        }
        return fields.status();
      }));
  for (const auto& [id, texts] : captions) {
    if (listed.count(id) > 0) continue;
    writer.LeaveOut("the video of the sentence is not in the file", id,
                    static_cast<int64_t>(texts.size()));
  }
  for (const MsrvttVideo& video : videos) {
    if (!writer.IsFirst(video.id, met)) continue;
    const auto texts = writer.KeepTexts(captions[video.id], video.id);
    if (texts.empty()) continue;
    const Record record = {{"caption", texts},
                           {"split", video.split},
                           {"category", video.category},
                           {"video_id", video.id}};
    const auto paths = MediaPaths({"TrainValVideo", "TestVideo", "videos", "videos/all", "video"},
                                  video.id, ExtensionsFrom("mp4", "video"));
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
  std::unordered_set<std::string> met;
  for (const char* name : {"train_val_videodatainfo.json", "test_videodatainfo.json",
                           "videodatainfo.json", "MSRVTT_data.json"}) {
    const auto file = FindFirst(options, {name});
    if (!file.ok()) continue;
    is_any_there = true;
    UNIVAL_RETURN_IF_ERROR(AddMsrvtt(options, *file, *writer, &met));
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
absl::Status ReadMsvdLines(const std::string& file, Descriptions* captions) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> lines, TextLines(file));
  for (const std::string& line : lines) {
    const size_t blank = std::min(line.find_first_of(" \t"), line.size());
    (*captions)[line.substr(0, blank)].push_back(line.substr(blank));
  }
  return absl::OkStatus();
}

// The table that the lines were made of: clips of videos, described in many languages.
absl::Status ReadMsvdTable(const std::string& file,
                           const std::function<bool(const std::string&)>& is_wanted,
                           RecordWriter& writer, Descriptions* captions) {
  return ForEachCsvRow(
      file, {"VideoID", "Start", "End", "Language", "Description"}, [&](const CsvRow& row) {
        const std::string name =
            absl::StrCat(row.at("VideoID"), "_", row.at("Start"), "_", row.at("End"));
        if (row.at("Language") == "English") {
          (*captions)[name].push_back(row.at("Description"));
        } else if (is_wanted(name)) {
          writer.LeaveOut("the description is not in English", name);
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
  const auto is_wanted = [&](const std::string& name) {
    return options.split == "all" || wanted.count(name) > 0;
  };
  Descriptions captions;
  UNIVAL_RETURN_IF_ERROR(absl::EndsWith(file, ".csv")
                             ? ReadMsvdTable(file, is_wanted, *writer, &captions)
                             : ReadMsvdLines(file, &captions));
  for (const std::string& name : wanted) {
    if (captions.count(name) == 0)
      writer->LeaveOut("no description of the video in the list", name);
  }
  for (const auto& [name, said] : captions) {
    if (!is_wanted(name)) continue;
    const auto texts = writer->KeepTexts(said, name);
    if (texts.empty()) continue;
    const Record record = {{"caption", texts}, {"video_id", name}};
    const auto paths =
        MediaPaths({"YouTubeClips", "videos", "video"}, name, ExtensionsFrom("avi", "video"));
    UNIVAL_RETURN_IF_ERROR(writer->Add("video", paths, record));
  }
  return writer->Finish();
}

// What is said of a video, and from which second to which.
struct Events {
  std::vector<std::string> sentences;
  std::vector<double> starts, ends;
};

// As boxes end at the edges of their picture, events end with the video; what has no length then,
// or runs backwards, is left out.
Events EventsInside(const std::vector<std::string>& texts,
                    const std::vector<std::vector<double>>& times, double duration,
                    const std::string& video, RecordWriter& writer) {
  Events events;
  const double last = std::max(duration, 0.0);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string what = absl::StrCat("event ", i, " of ", video);
    const double start = std::clamp(times[i][0], 0.0, last);
    const double end = std::clamp(times[i][1], 0.0, last);
    if (start >= end) {
      writer.LeaveOut("the event has no length in the video", what);
      continue;
    }
    const std::string text = writer.KeepText(texts[i], what);
    if (text.empty()) continue;
    const bool is_cut = start != times[i][0] || end != times[i][1];
    if (is_cut) writer.Change("the event reaches out of the video, and is cut at its ends", what);
    events.sentences.push_back(text);
    events.starts.push_back(start);
    events.ends.push_back(end);
  }
  return events;
}

absl::Status AddActivity(const JsonElement& element, const std::string& split,
                         RecordWriter& writer) {
  const JsonFields video(element.value);
  const std::vector<std::string> texts = video.Texts("sentences");
  const std::vector<std::vector<double>> times = video.NumberLists("timestamps", 2);
  if (times.size() != texts.size()) {
    video.Refuse("timestamps", absl::StrCat(texts.size(), ", one for each of \"sentences\""),
                 absl::StrCat(times.size()));
  }
  const double duration = video.Number("duration");
  UNIVAL_RETURN_IF_ERROR(video.status());
  if (texts.empty()) writer.LeaveOut(kWithoutText, element.name);
  const Events events = EventsInside(texts, times, duration, element.name, writer);
  if (events.sentences.empty()) return absl::OkStatus();
  const Record record = {{"caption", absl::StrJoin(events.sentences, " ")},
                         {"sentences", events.sentences},
                         {"starts", events.starts},
                         {"ends", events.ends},
                         {"duration", duration},
                         {"split", split},
                         {"video_id", element.name}};
  const auto paths =
      MediaPaths({"videos", "video", ""}, element.name, ExtensionsFrom("mp4", "video"));
  return writer.Add("video", paths, record);
}

absl::StatusOr<ImportReport> ImportActivityNet(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindKnownSplits(options,
                                          {{"train", {"train.json", "captions/train.json"}},
                                           {"val_1", {"val_1.json", "captions/val_1.json"}},
                                           {"val_2", {"val_2.json", "captions/val_2.json"}}},
                                          *writer));
  for (const SplitFile& file : files) {
    std::unordered_set<std::string> met;
    UNIVAL_RETURN_IF_ERROR(ForEachElement(file.path, {kMembers}, [&](const JsonElement& element) {
      return writer->IsFirst(element.name, &met) ? AddActivity(element, file.split, *writer)
                                                 : absl::OkStatus();
    }));
  }
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
