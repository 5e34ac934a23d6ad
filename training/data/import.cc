#include "training/data/import.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "modalities/io/encode.h"
#include "sdk/base/english.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/system_files.h"
#include "training/data/tar_source.h"
#include "training/data/tar_writer.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array<absl::string_view, 10> kDigits = {"zero", "one", "two",   "three", "four",
                                                       "five", "six", "seven", "eight", "nine"};
constexpr std::array<absl::string_view, 10> kCifarClasses = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

using Skipped = std::vector<std::string>;

// Why an entry is neither a file nor a folder; empty for both.
std::string WhyNoData(const fs::directory_entry& entry) {
  std::error_code error;
  const fs::file_status status = entry.status(error);
  if (fs::is_regular_file(status) || fs::is_directory(status)) return "";
  if (fs::is_fifo(status)) return "a named pipe";
  if (fs::is_socket(status)) return "a socket";
  if (fs::is_block_file(status) || fs::is_character_file(status)) return "a device";
  return entry.is_symlink(error) ? "a link to nothing" : "no file that can be examined";
}

enum class Wanted { kFiles, kFolders };

// Files or folders directly inside `folder`, sorted by name; not what systems leave there.
absl::StatusOr<std::vector<fs::path>> List(const fs::path& folder, Wanted wanted,
                                           Skipped* skipped) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (IsSystemPath(entry->path().filename().string())) continue;
    std::error_code ignored;
    const bool is_folder = entry->is_directory(ignored);
    std::string why = WhyNoData(*entry);
    if (why.empty() && wanted == Wanted::kFiles && is_folder) why = "a folder where files are read";
    if (!why.empty()) skipped->push_back(absl::StrCat(entry->path().string(), ": ", why));
    if (!why.empty() || is_folder != (wanted == Wanted::kFolders)) continue;
    const std::string name = entry->path().filename().string();
    if (entry->is_symlink(ignored) && !ResolveBelow((folder / "any").string(), name).ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(entry->path().string(),
                       ": a link that leads out of its folder; put the file itself there"));
    }
    found.push_back(entry->path());
  }
  if (error) return SystemError(folder.string(), "cannot be listed", error.value());
  std::sort(found.begin(), found.end());
  std::sort(skipped->begin(), skipped->end());
  return found;
}

// Packs samples: one media member and one record each.
class Packer {
 public:
  static absl::StatusOr<Packer> Create(const std::string& destination) {
    Packer packer;
    UNIVAL_ASSIGN_OR_RETURN(packer.writer_, TarWriter::Create(destination));
    return packer;
  }
  absl::Status Add(const std::string& stem, const std::string& extension, absl::string_view media,
                   const Json& record) {
    UNIVAL_RETURN_IF_ERROR(writer_->Add(absl::StrCat(stem, ".", extension), media));
    UNIVAL_RETURN_IF_ERROR(writer_->Add(absl::StrCat(stem, ".json"), JsonText(record)));
    ++report_.samples;
    report_.bytes += static_cast<int64_t>(media.size());
    return absl::OkStatus();
  }
  Skipped* skipped() { return &report_.skipped; }
  absl::StatusOr<ImportReport> Finish(const ImportOptions& options) {
    if (report_.samples == 0) {
      return absl::NotFoundError(absl::StrCat(options.source, ": no samples of ", options.dataset,
                                              ", split \"", options.split, "\""));
    }
    UNIVAL_RETURN_IF_ERROR(writer_->Finish());
    return report_;
  }

 private:
  std::unique_ptr<TarWriter> writer_;
  ImportReport report_;
};

bool InSplit(const ImportOptions& options, bool test) {
  return options.split == "all" || (options.split == "test") == test;
}

struct Recording {
  int digit = 0, take = 0;
  std::string speaker;
};

absl::StatusOr<Recording> ParseFsddName(const fs::path& file) {
  const std::vector<std::string> parts = absl::StrSplit(file.stem().string(), '_');
  Recording recording;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &recording.digit) || recording.digit < 0 ||
      recording.digit > 9 || !absl::SimpleAtoi(parts[2], &recording.take) || recording.take < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.string(), ": expected a name like 7_george_12.wav (digit, speaker, take)"));
  }
  recording.speaker = parts[1];
  return recording;
}

absl::Status PackFsdd(const ImportOptions& options, Packer& packer) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<fs::path> files,
                          List(options.source, Wanted::kFiles, packer.skipped()));
  for (const fs::path& file : files) {
    if (file.extension() != ".wav") continue;
    UNIVAL_ASSIGN_OR_RETURN(const Recording recording, ParseFsddName(file));
    if (!InSplit(options, recording.take < 5)) continue;
    UNIVAL_ASSIGN_OR_RETURN(const auto media, MappedFile::Open(file.string()));
    const Json record = {{"digit", kDigits[recording.digit]},
                         {"speaker", recording.speaker},
                         {"take", recording.take}};
    UNIVAL_RETURN_IF_ERROR(packer.Add(file.stem().string(), "wav", media->bytes(), record));
    UNIVAL_RETURN_IF_ERROR(media->Check());
  }
  return absl::OkStatus();
}

Json ClassRecord(absl::string_view name) {
  return {{"class", name}, {"caption", absl::StrCat("a photo of ", WithArticle(name))}};
}

// One record of the binary version: a label byte, then 32 x 32 pixels as three planes.
constexpr size_t kCifarSide = 32, kCifarPlane = kCifarSide * kCifarSide;
constexpr size_t kCifarRecord = 1 + 3 * kCifarPlane;

absl::StatusOr<std::string> CifarPng(absl::string_view planes) {
  std::vector<uint8_t> pixels(3 * kCifarPlane);
  for (size_t i = 0; i < kCifarPlane; ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = static_cast<uint8_t>(planes[channel * kCifarPlane + i]);
    }
  }
  return EncodePng(pixels, kCifarSide, kCifarSide, 3);
}

absl::Status PackCifarBatch(const fs::path& file, Packer& packer) {
  UNIVAL_ASSIGN_OR_RETURN(const auto batch, MappedFile::Open(file.string()));
  const absl::string_view bytes = batch->bytes();
  if (bytes.empty() || bytes.size() % kCifarRecord != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.string(), ": ", bytes.size(), " bytes are not a whole number of ",
                     kCifarRecord, "-byte records; expected the binary version of CIFAR-10"));
  }
  for (size_t i = 0; i < bytes.size() / kCifarRecord; ++i) {
    const absl::string_view record = bytes.substr(i * kCifarRecord, kCifarRecord);
    const auto label = static_cast<unsigned char>(record[0]);
    if (label >= kCifarClasses.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.string(), ": record ", i, " has label ", label, "; expected 0 to 9"));
    }
    UNIVAL_ASSIGN_OR_RETURN(const std::string png, CifarPng(record.substr(1)));
    const std::string stem = absl::StrFormat("%s_%05d", file.stem().string(), i);
    UNIVAL_RETURN_IF_ERROR(packer.Add(stem, "png", png, ClassRecord(kCifarClasses[label])));
  }
  return batch->Check();
}

absl::Status PackCifar10(const ImportOptions& options, Packer& packer) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<fs::path> files,
                          List(options.source, Wanted::kFiles, packer.skipped()));
  for (const fs::path& file : files) {
    const std::string name = file.filename().string();
    const bool test = name == "test_batch.bin";
    const bool train = absl::StartsWith(name, "data_batch_") && absl::EndsWith(name, ".bin");
    if ((!test && !train) || !InSplit(options, test)) continue;
    UNIVAL_RETURN_IF_ERROR(PackCifarBatch(file, packer));
  }
  return absl::OkStatus();
}

// The shard's stems end at their first dot, and each names one sample: of "1.jpg" and "1.png", or
// "a.b.png" and "a_b.png", the later one is counted on.
std::string StemFor(const fs::path& file, std::set<std::string>* taken) {
  const std::string stem = absl::StrReplaceAll(file.stem().string(), {{".", "_"}});
  std::string unique = stem;
  for (int count = 2; !taken->insert(unique).second; ++count) {
    unique = absl::StrCat(stem, "-", count);
  }
  return unique;
}

// Lower-case extension of a file that a shard holds as media; empty for a text about the data.
absl::StatusOr<std::string> MediaExtension(const fs::path& file) {
  const std::string extension = absl::AsciiStrToLower(file.extension().string());
  const std::string bare = extension.empty() ? "" : extension.substr(1);
  const auto role = RoleOfExtension(bare, {});
  if (role.ok() && role->kind == MemberRole::Kind::kMedia) return bare;
  if (IsAboutData(file.filename().string())) return std::string();
  return InvalidArgument(file.string(),
                         ": expected a picture, a sound or a video by its extension ",
                         "(docs/formats/data.md lists them), got \"", extension,
                         "\"; convert the file, or take it out of the folder");
}

absl::Status PackClass(const fs::path& folder, Packer& packer) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<fs::path> files,
                          List(folder, Wanted::kFiles, packer.skipped()));
  const std::string directory = folder.filename().string();
  const std::string name = absl::StrReplaceAll(directory, {{"_", " "}});
  std::set<std::string> taken;
  for (const fs::path& file : files) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string extension, MediaExtension(file));
    if (extension.empty()) continue;
    const std::string stem = StemFor(file, &taken);
    UNIVAL_ASSIGN_OR_RETURN(const auto media, MappedFile::Open(file.string()));
    UNIVAL_RETURN_IF_ERROR(packer.Add(absl::StrCat(directory, "/", stem), extension, media->bytes(),
                                      ClassRecord(name)));
    UNIVAL_RETURN_IF_ERROR(media->Check());
  }
  return absl::OkStatus();
}

absl::Status PackFolder(const ImportOptions& options, Packer& packer) {
  if (options.split != "all") {
    return absl::InvalidArgumentError("a folder has no splits; use split \"all\"");
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<fs::path> classes,
                          List(options.source, Wanted::kFolders, packer.skipped()));
  for (const fs::path& folder : classes) {
    UNIVAL_RETURN_IF_ERROR(PackClass(folder, packer));
  }
  return absl::OkStatus();
}

// A shard that lay among the files of a class would be taken for one of them.
absl::Status CheckDestination(const ImportOptions& options) {
  if (options.dataset != "folder") return absl::OkStatus();
  std::error_code error;
  const fs::path source = fs::weakly_canonical(options.source, error);
  const fs::path parent = fs::weakly_canonical(options.destination, error).parent_path();
  const fs::path within = parent.lexically_relative(source);
  if (error || within.empty() || within == "." || *within.begin() == "..") return absl::OkStatus();
  return InvalidArgument(options.destination, ": lies in the folder of a class of ", options.source,
                         ", which is imported; choose a place beside the classes or elsewhere");
}

using Pack = absl::Status (*)(const ImportOptions&, Packer&);

constexpr std::pair<const char*, Pack> kDatasets[] = {
    {"fsdd", &PackFsdd}, {"cifar10", &PackCifar10}, {"folder", &PackFolder}};

absl::Status Unknown(const char* what, const std::string& value,
                     const std::vector<std::string>& known) {
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown ", what, " \"", value, "\"; expected one of ", absl::StrJoin(known, ", ")));
}

}  // namespace

std::vector<std::string> ImportDatasets() {
  std::vector<std::string> names;
  for (const auto& entry : kDatasets) names.emplace_back(entry.first);
  return names;
}

std::vector<std::string> ImportSplits() { return {"all", "train", "test"}; }

absl::StatusOr<ImportReport> ImportDataset(const ImportOptions& options) {
  const std::vector<std::string> splits = ImportSplits();
  if (std::find(splits.begin(), splits.end(), options.split) == splits.end()) {
    return Unknown("split", options.split, splits);
  }
  for (const auto& [name, pack] : kDatasets) {
    if (options.dataset != name) continue;
    UNIVAL_RETURN_IF_ERROR(CheckDestination(options));
    UNIVAL_ASSIGN_OR_RETURN(Packer packer, Packer::Create(options.destination));
    UNIVAL_RETURN_IF_ERROR(pack(options, packer));
    return packer.Finish(options);
  }
  return Unknown("data set", options.dataset, ImportDatasets());
}

}  // namespace unival
