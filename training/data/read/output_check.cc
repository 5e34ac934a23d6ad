#include "training/data/read/output_check.h"

#include <cstdint>
#include <variant>

#include "absl/status/statusor.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/media.h"
#include "sdk/native/task.h"
#include "training/data/files/output_file.h"

namespace unival {
namespace {

absl::Status CheckFilesOf(const Source& source, const ExistingFiles& existing) {
  for (const std::string& file : source.files()) {
    UNIVAL_RETURN_IF_ERROR(CheckNotRead(existing, file));
  }
  return absl::OkStatus();
}

absl::Status CheckMediaOf(const TaskSample& sample, const ExistingFiles& existing) {
  for (const auto& field : sample.fields) {
    const auto* media = std::get_if<MediaSource>(&field.second);
    if (media == nullptr || media->path.empty()) continue;
    UNIVAL_RETURN_IF_ERROR(CheckNotRead(existing, media->path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOutputFiles(const std::vector<std::string>& files, const Source& source) {
  UNIVAL_RETURN_IF_ERROR(CheckOutputFiles(files, std::vector<std::string>()));
  const ExistingFiles existing(files);
  if (existing.empty()) return absl::OkStatus();
  // The plain case first: it needs no record.
  UNIVAL_RETURN_IF_ERROR(CheckFilesOf(source, existing));
  for (int64_t i = 0; i < source.size(); ++i) {
    const absl::StatusOr<TaskSample> sample = source.ReadFields(i);
    if (sample.ok()) UNIVAL_RETURN_IF_ERROR(CheckMediaOf(*sample, existing));
  }
  // Lines open the tars that they name.
  return CheckFilesOf(source, existing);
}

}  // namespace unival
