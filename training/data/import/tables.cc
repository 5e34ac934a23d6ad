// Descriptions in tables: AudioCaps, Clotho, Conceptual Captions.

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "modalities/io/formats.h"
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
        MediaPaths({"audio/" + split, split, "audio", ""}, name, ExtensionsOfKind("audio"));
    paths.insert(paths.end(), more.begin(), more.end());
  }
  return paths;
}

absl::Status AddAudioCaps(const std::string& file, const std::string& split, RecordWriter& writer) {
  std::vector<AudioClipText> clips;
  std::map<std::string, size_t> known;  // validation and test have five captions of a sound
  UNIVAL_RETURN_IF_ERROR(ForEachCsvRow(
      file, {"audiocap_id", "youtube_id", "start_time", "caption"}, [&](const CsvRow& row) {
        const std::string key = absl::StrCat(row.at("youtube_id"), "_", row.at("start_time"));
        const auto inserted = known.emplace(key, clips.size());
        if (inserted.second) {
          clips.push_back({row.at("audiocap_id"), row.at("youtube_id"), row.at("start_time"), {}});
        }
        clips[inserted.first->second].captions.push_back(row.at("caption"));
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

// `files`: a split, and the names under which the file that holds it is met.
template <typename Add>
absl::Status ForEachSplit(
    const ImportOptions& options,
    const std::vector<std::pair<std::string, std::vector<std::string>>>& files, Add add) {
  std::vector<std::string> known = {"all"};
  bool is_known = false;
  for (const auto& [split, names] : files) {
    known.push_back(split);
    if (options.split != "all" && options.split != split) continue;
    is_known = true;
    std::vector<std::string> paths = names;
    for (const std::string& name : names) paths.push_back("dataset/" + name);
    const auto file = FindFirst(options, paths);
    if (options.split == "all" && absl::IsNotFound(file.status())) continue;
    UNIVAL_RETURN_IF_ERROR(file.status());
    UNIVAL_RETURN_IF_ERROR(add(*file, split));
  }
  return is_known ? absl::OkStatus() : UnknownSplit(options, known);
}

absl::StatusOr<ImportReport> ImportAudioCaps(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_RETURN_IF_ERROR(ForEachSplit(
      options, {{"train", {"train.csv"}}, {"val", {"val.csv"}}, {"test", {"test.csv"}}},
      [&](const std::string& file, const std::string& split) {
        return AddAudioCaps(file, split, *writer);
      }));
  return writer->Finish();
}

absl::Status AddClotho(const std::string& file, const std::string& split, RecordWriter& writer) {
  constexpr int kCaptions = 5;
  return ForEachCsvRow(file, {"file_name", "caption_1"}, [&](const CsvRow& row) {
    std::vector<std::string> captions;
    for (int i = 1; i <= kCaptions; ++i) {
      const auto found = row.find(absl::StrCat("caption_", i));
      if (found != row.end() && !found->second.empty()) captions.push_back(found->second);
    }
    const std::string& name = row.at("file_name");
    const Record record = {{"caption", captions}, {"split", split}, {"file_name", name}};
    return writer.Add("audio",
                      {absl::StrCat(split, "/", name), absl::StrCat("audio/", split, "/", name),
                       absl::StrCat("clotho_audio_", split, "/", split, "/", name),
                       absl::StrCat("clotho_audio_", split, "/", name)},
                      record);
  });
}

absl::StatusOr<ImportReport> ImportClotho(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_RETURN_IF_ERROR(ForEachSplit(options,
                                      {{"development", {"clotho_captions_development.csv"}},
                                       {"validation", {"clotho_captions_validation.csv"}},
                                       {"evaluation", {"clotho_captions_evaluation.csv"}}},
                                      [&](const std::string& file, const std::string& split) {
                                        return AddClotho(file, split, *writer);
                                      }));
  return writer->Finish();
}

// Where the picture of a row lies: the path in a third column, or by the row's number as programs
// that fetch such lists name it, alone or in shards of ten thousand.
std::vector<std::string> RowPaths(const std::vector<std::string>& fields, int64_t row,
                                  const std::string& split) {
  if (fields.size() > 2) return {fields[2]};
  const std::string in_shard = absl::StrFormat("%05d/%09d", row / 10000, row);
  const std::string by_shard =
      absl::StrFormat("%05d/%05d%04d", row / 10000, row / 10000, row % 10000);
  std::vector<std::string> paths;
  for (const std::string& name : {by_shard, in_shard, absl::StrCat(row)}) {
    const auto more =
        MediaPaths({split, "images/" + split, "images", ""}, name, ExtensionsOfKind("image"));
    paths.insert(paths.end(), more.begin(), more.end());
  }
  return paths;
}

bool IsUrl(absl::string_view text) {
  return absl::StartsWith(text, "http://") || absl::StartsWith(text, "https://");
}

absl::Status AddPairs(const std::string& file, const std::string& split, RecordWriter& writer) {
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
    const Record record = {{"caption", fields[0]}, {"url", fields[1]}, {"row", row}};
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", RowPaths(fields, row, split), record));
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
  UNIVAL_RETURN_IF_ERROR(ForEachSplit(options,
                                      {{"train", FileNames("Train", "GCC-training.tsv")},
                                       {"val", FileNames("Validation", "GCC-1.1.0-Validation.tsv")},
                                       {"cc12m", {"cc12m.tsv"}}},
                                      [&](const std::string& file, const std::string& split) {
                                        return AddPairs(file, split, *writer);
                                      }));
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
           "URL, or URL first; also Train_GCC-..., GCC-...); pictures as images/ROW.jpg, or "
           "images/SHARD/SHARDROW.jpg with five and four "
           "digits, or with another extension of pictures, or as a third column says",
           "image, caption, url, row"},
          "cc",
          &ImportConceptual};
}

}  // namespace unival
