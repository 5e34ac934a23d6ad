// unival: packer.h - packs samples into a tar: one media member and one record each.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_PACKER_H_
#define UNIVAL_TRAINING_DATA_IMPORT_PACKER_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "training/data/files/tar_writer.h"
#include "training/data/import/import.h"

namespace unival {

class Packer {
 public:
  static absl::StatusOr<Packer> Create(const ImportOptions& options);
  absl::Status Add(const std::string& stem, const std::string& extension, absl::string_view media,
                   const nlohmann::json& record);
  // Receives "PATH: why" for what was found and is no data.
  std::vector<std::string>* skipped() { return &report_.skipped; }
  // NotFound when nothing was added.
  absl::StatusOr<ImportReport> Finish();

 private:
  explicit Packer(const ImportOptions& options) : options_(options) {}

  ImportOptions options_;
  std::unique_ptr<TarWriter> writer_;
  ImportReport report_;
};

// Whether `options` ask for files of the official test split (`test`), or for those outside it.
bool InSplit(const ImportOptions& options, bool test);
// InvalidArgument unless the split is "all", "train" or "test".
absl::Status CheckTrainOrTest(const ImportOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_PACKER_H_
