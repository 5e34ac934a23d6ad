#include "training/data/source.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/native/status_macros.h"
#include "training/data/jsonl_source.h"
#include "training/data/tar_source.h"

namespace unival {

Source::~Source() = default;

absl::StatusOr<std::unique_ptr<Source>> OpenSource(const SourceOptions& options) {
  if (absl::EndsWith(options.path, ".jsonl")) return JsonlSource::Open(options);
  if (absl::EndsWith(options.path, ".tar")) return TarSource::Open(options);
  return absl::InvalidArgumentError(
      absl::StrCat(options.path, ": unknown kind of data file; expected *.jsonl or *.tar"));
}

absl::StatusOr<std::vector<std::string>> SourceColumns(const Source& source) {
  UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(0));
  std::vector<std::string> columns;
  for (const auto& field : sample.fields) columns.push_back(field.first);
  return columns;
}

absl::Status CheckSource(const Source& source) {
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(source.Read(i).status());
  }
  return absl::OkStatus();
}

}  // namespace unival
