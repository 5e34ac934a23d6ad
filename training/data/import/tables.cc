// Descriptions in tables: AudioCaps, Clotho, Conceptual Captions.

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/csv_rows.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

struct AudioClipText {
  std::string first_id, youtube_id, start;
  std::vector<std::string> captions;
};

// Sounds are named as those who fetched them liked: by YouTube's id, with or without the second
// where they begin, or by the row.
std::vector<std::string> AudioCapsPaths(const AudioClipText& clip, const std::string& split) {
  std::vector<std::string> paths;
  for (const std::string& name : {absl::StrCat(clip.youtube_id, "_", clip.start), clip.youtube_id,
                                  absl::StrCat("Y", clip.youtube_id), clip.first_id}) {
    const auto more =
        MediaPaths({"audio/" + split, split, "audio", ""}, name, ExtensionsFrom("wav", "audio"));
    paths.insert(paths.end(), more.begin(), more.end());
  }
  return paths;
}

absl::Status AddAudioCaps(const std::string& file, const std::string& split, RecordWriter& writer) {
  std::vector<AudioClipText> clips;
  std::map<std::string, size_t> known;  // validation and test have five captions of a sound
  std::unordered_set<std::string> met;
  UNIVAL_RETURN_IF_ERROR(ForEachCsvRow(
      file, {"audiocap_id", "youtube_id", "start_time", "caption"}, [&](const CsvRow& row) {
        const std::string what = absl::StrCat("audiocap_id ", row.at("audiocap_id"));
        if (!writer.IsFirst(what, &met)) return absl::OkStatus();
        const std::string caption = writer.KeepText(row.at("caption"), what);
        if (caption.empty()) return absl::OkStatus();
        const std::string key = absl::StrCat(row.at("youtube_id"), "_", row.at("start_time"));
        const auto inserted = known.emplace(key, clips.size());
        if (inserted.second) {
          clips.push_back({row.at("audiocap_id"), row.at("youtube_id"), row.at("start_time"), {}});
        }
        clips[inserted.first->second].captions.push_back(caption);
        return absl::OkStatus();
      }));
  for (const AudioClipText& clip : clips) {
    const Record record = {{"caption", clip.captions},
                           {"split", split},
                           {"youtube_id", clip.youtube_id},
                           {"start", clip.start}};
    UNIVAL_RETURN_IF_ERROR(writer.Add("audio", AudioCapsPaths(clip, split), record));
  }
  return absl::OkStatus();
}

// The tables may lie in the folder "dataset" of their publisher's repository.
KnownSplit TableOf(const std::string& split, std::vector<std::string> names) {
  const size_t count = names.size();
  for (size_t i = 0; i < count; ++i) names.push_back("dataset/" + names[i]);
  return {split, names};
}

absl::StatusOr<ImportReport> ImportAudioCaps(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, FindKnownSplits(options,
                                                            {TableOf("train", {"train.csv"}),
                                                             TableOf("val", {"val.csv"}),
                                                             TableOf("test", {"test.csv"})},
                                                            *writer));
  for (const SplitFile& file : files) {
    UNIVAL_RETURN_IF_ERROR(AddAudioCaps(file.path, file.split, *writer));
  }
  return writer->Finish();
}

absl::Status AddClotho(const std::string& file, const std::string& split, RecordWriter& writer) {
  constexpr int kCaptions = 5;
  std::unordered_set<std::string> met;
  return ForEachCsvRow(file, {"file_name", "caption_1"}, [&](const CsvRow& row) -> absl::Status {
    std::vector<std::string> captions;
    for (int i = 1; i <= kCaptions; ++i) {
      const auto found = row.find(absl::StrCat("caption_", i));
      if (found != row.end()) captions.push_back(found->second);
    }
    const std::string& name = row.at("file_name");
    if (!writer.IsFirst(name, &met)) return absl::OkStatus();
    const auto texts = writer.KeepTexts(captions, name);
    if (texts.empty()) return absl::OkStatus();
    const Record record = {{"caption", texts}, {"split", split}, {"file_name", name}};
    return writer.Add("audio",
                      {absl::StrCat(split, "/", name), absl::StrCat("audio/", split, "/", name),
                       absl::StrCat("clotho_audio_", split, "/", split, "/", name),
                       absl::StrCat("clotho_audio_", split, "/", name)},
                      record);
  });
}

absl::StatusOr<ImportReport> ImportClotho(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(
      const auto files,
      FindKnownSplits(options,
                      {TableOf("development", {"clotho_captions_development.csv"}),
                       TableOf("validation", {"clotho_captions_validation.csv"}),
                       TableOf("evaluation", {"clotho_captions_evaluation.csv"})},
                      *writer));
  for (const SplitFile& file : files) {
    UNIVAL_RETURN_IF_ERROR(AddClotho(file.path, file.split, *writer));
  }
  return writer->Finish();
}

// Where the picture of a row lies: the path in a third column, or by the row's number as programs
// that fetch such lists name it, alone or in shards of ten thousand. A folder for all lists is
// looked at only where one list is imported: another one's rows have the same numbers.
std::vector<std::string> RowPaths(const std::vector<std::string>& fields, int64_t row,
                                  const std::string& split, bool is_only_list) {
  if (fields.size() > 2) return {fields[2]};
  const std::string in_shard = absl::StrFormat("%05d/%09d", row / 10000, row);
  const std::string by_shard =
      absl::StrFormat("%05d/%05d%04d", row / 10000, row / 10000, row % 10000);
  std::vector<std::string> paths, folders = {"images/" + split, split};
  if (is_only_list) {
    folders.push_back("images");
    folders.push_back("");
  }
  for (const std::string& folder : folders) {
    for (const std::string& name : {absl::StrCat(row), by_shard, in_shard}) {
      const auto more = MediaPaths({folder}, name, ExtensionsFrom("jpg", "image"));
      paths.insert(paths.end(), more.begin(), more.end());
    }
  }
  return paths;
}

bool IsUrl(absl::string_view text) {
  return absl::StartsWith(text, "http://") || absl::StartsWith(text, "https://");
}

absl::Status AddPairs(const std::string& file, const std::string& split, bool is_only_list,
                      RecordWriter& writer) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, MappedFile::Open(file));
  absl::string_view rest = opened->bytes();
  for (int64_t row = 0; !rest.empty(); ++row) {
    const size_t end = rest.find('\n');
    const absl::string_view line = absl::StripSuffix(rest.substr(0, end), "\r");
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end + 1);
    std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() < 2) {
      return InvalidArgument(file, ":", row + 1, ": expected CAPTION, tab, URL, got no tab");
    }
    // The lists of twelve million have the address first.
    if (IsUrl(fields[0]) && !IsUrl(fields[1])) std::swap(fields[0], fields[1]);
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckTableText(line), file, ":", row + 1));
    const std::string caption = writer.KeepText(fields[0], absl::StrCat("row ", row));
    if (caption.empty()) continue;
    const Record record = {{"caption", caption}, {"url", fields[1]}, {"row", row}};
    const auto paths = RowPaths(fields, row, split, is_only_list);
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", paths, record));
  }
  return opened->Check();
}

// The publisher's folder is part of the name; browsers and programs join them in their own ways.
std::vector<std::string> FileNames(const std::string& folder, const std::string& name) {
  return {absl::StrCat(folder, "-", name), absl::StrCat(folder, "_", name),
          absl::StrCat(folder, "/", name), absl::StrCat(folder, "%2F", name), name};
}

absl::StatusOr<ImportReport> ImportConceptual(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(
      const auto files,
      FindKnownSplits(options,
                      {TableOf("train", FileNames("Train", "GCC-training.tsv")),
                       TableOf("val", FileNames("Validation", "GCC-1.1.0-Validation.tsv")),
                       TableOf("cc12m", {"cc12m.tsv"})},
                      *writer));
  const bool is_only_list = files.size() == 1;
  for (const SplitFile& file : files) {
    UNIVAL_RETURN_IF_ERROR(AddPairs(file.path, file.split, is_only_list, *writer));
  }
  return writer->Finish();
}

}  // namespace

ImportLayout AudioCapsLayout() {
  return {{"audiocaps", ".jsonl", "train, val, test",
           "train.csv, val.csv, test.csv; audio/SPLIT/ID_START.wav (also ID.wav, YID.wav, or the "
           "row's audiocap_id; or with another extension of sounds)",
           "audio, caption (list of all), split, youtube_id, start"},
          "audiocaps",
          &ImportAudioCaps};
}

ImportLayout ClothoLayout() {
  return {{"clotho", ".jsonl", "development, validation, evaluation",
           "clotho_captions_development.csv, ...; development/*.wav, ...",
           "audio, caption (list of five), split, file_name"},
          "clotho",
          &ImportClotho};
}

ImportLayout ConceptualCaptionsLayout() {
  return {{"cc", ".jsonl", "train, val, cc12m",
           "Train-GCC-training.tsv, Validation-GCC-1.1.0-Validation.tsv, cc12m.tsv (CAPTION, tab, "
           "URL, or URL first; also Train_GCC-..., GCC-...); pictures as images/SPLIT/ROW.jpg, or "
           "images/SPLIT/SHARD/SHARDROW.jpg with five and four digits, without SPLIT where one "
           "list is imported, or with another extension of pictures, or as a third column says",
           "image, caption, url, row"},
          "cc",
          &ImportConceptual};
}

}  // namespace unival
