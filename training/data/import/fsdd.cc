// Free Spoken Digit Dataset: a folder of {digit}_{speaker}_{take}.wav.

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/layouts.h"
#include "training/data/import/packer.h"
#include "training/data/read/class_record.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr std::array<absl::string_view, 10> kDigits = {"zero", "one", "two",   "three", "four",
                                                       "five", "six", "seven", "eight", "nine"};

struct Recording {
  int digit = 0, take = 0;
  std::string speaker;
};

absl::StatusOr<Recording> ParseFsddName(const fs::path& file) {
  const std::vector<std::string> parts = absl::StrSplit(file.stem().string(), '_');
  Recording recording;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &recording.digit) || recording.digit < 0 ||
      recording.digit > 9 || !absl::SimpleAtoi(parts[2], &recording.take) || recording.take < 0) {
    return InvalidArgument(file.string(),
                           ": expected a name like 7_george_12.wav (digit, speaker, take)");
  }
  recording.speaker = parts[1];
  return recording;
}

absl::StatusOr<ImportReport> PackFsdd(const ImportOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckTrainOrTest(options));
  UNIVAL_ASSIGN_OR_RETURN(Packer packer, Packer::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          ListFolder(options.source, Wanted::kFiles, packer.skipped()));
  for (const fs::path file : files) {
    if (file.extension() != ".wav") continue;
    UNIVAL_ASSIGN_OR_RETURN(const Recording recording, ParseFsddName(file));
    if (!InSplit(options, recording.take < 5)) continue;
    UNIVAL_ASSIGN_OR_RETURN(const auto media, MappedFile::Open(file.string()));
    const nlohmann::json record = {{"digit", kDigits[recording.digit]},
                                   {"speaker", recording.speaker},
                                   {"take", recording.take}};
    UNIVAL_RETURN_IF_ERROR(packer.Add(file.stem().string(), "wav", media->bytes(), record));
    UNIVAL_RETURN_IF_ERROR(media->Check());
  }
  return packer.Finish();
}

}  // namespace

ImportLayout FsddLayout() {
  return {{"fsdd", ".tar", "train (takes 5 and up), test (takes 0 to 4)",
           "{digit}_{speaker}_{take}.wav, as in its folder recordings",
           "audio, digit (\"seven\"), speaker, take"},
          "",
          &PackFsdd};
}

}  // namespace unival
