#include "training/data/import/packer.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::StatusOr<Packer> Packer::Create(const ImportOptions& options) {
  Packer packer(options);
  UNIVAL_ASSIGN_OR_RETURN(packer.writer_, TarWriter::Create(options.destination));
  return packer;
}

absl::Status Packer::Add(const std::string& stem, const std::string& extension,
                         absl::string_view media, const nlohmann::json& record) {
  UNIVAL_RETURN_IF_ERROR(writer_->Add(absl::StrCat(stem, ".", extension), media));
  UNIVAL_RETURN_IF_ERROR(writer_->Add(absl::StrCat(stem, ".json"), JsonText(record)));
  ++report_.samples;
  report_.bytes += static_cast<int64_t>(media.size());
  if (options_.progress) options_.progress(report_.samples);
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> Packer::Finish() {
  if (report_.samples == 0) {
    const std::vector<std::string>& skipped = report_.skipped;
    return absl::NotFoundError(absl::StrCat(
        options_.source, ": no samples of ", options_.dataset, ", split \"", options_.split, "\"",
        skipped.empty() ? "" : absl::StrCat("; ", skipped.size(), " skipped, the first: "),
        skipped.empty() ? "" : skipped.front()));
  }
  UNIVAL_RETURN_IF_ERROR(writer_->Finish());
  return report_;
}

bool InSplit(const ImportOptions& options, bool test) {
  return options.split == "all" || (options.split == "test") == test;
}

absl::Status CheckTrainOrTest(const ImportOptions& options) {
  for (const char* split : {"all", "train", "test"}) {
    if (options.split == split) return absl::OkStatus();
  }
  return InvalidArgument("unknown split \"", options.split, "\"; expected one of all, train, test");
}

}  // namespace unival
