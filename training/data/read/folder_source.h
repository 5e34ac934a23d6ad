// unival: folder_source.h - a folder of classes as records; see source.h.
#ifndef UNIVAL_TRAINING_DATA_READ_FOLDER_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_FOLDER_SOURCE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "training/data/read/class_record.h"
#include "training/data/read/source.h"

namespace unival {

class FolderSource : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<Source>> Open(const SourceOptions& options);

  const std::string& path() const override { return options_.path; }
  int64_t size() const override { return static_cast<int64_t>(files_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  // Its media are files of their own.
  std::vector<std::string> files() const override { return {}; }
  // Over names, sizes and times: the media themselves are not read.
  std::string fingerprint() const override;
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override;

 private:
  FolderSource(const SourceOptions& options, std::vector<ClassFile> files)
      : options_(options), files_(std::move(files)) {}

  const SourceOptions options_;
  const std::vector<ClassFile> files_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_FOLDER_SOURCE_H_
