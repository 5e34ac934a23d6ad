// unival: joined_source.h - the records of several files as one source; see source.h.
#ifndef UNIVAL_TRAINING_DATA_READ_JOINED_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_JOINED_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/data/read/source.h"

namespace unival {

class JoinedSource : public Source {
 public:
  // `parts` in the order of their records; at least one.
  JoinedSource(const std::string& path, std::vector<std::unique_ptr<Source>> parts);

  const std::string& path() const override { return path_; }
  int64_t size() const override { return ends_.back(); }
  // Where two files have the same name, a record's key begins with the folder of its file.
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  absl::StatusOr<TaskSample> ReadFields(int64_t index) const override;
  std::string fingerprint() const override;
  // The remarks of all parts, each with the name of its file.
  std::vector<std::string> remarks() const override;
  std::map<std::string, FileWarning> warnings() const override;
  std::vector<std::string> files() const override;
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override;

 private:
  absl::StatusOr<TaskSample> ReadOne(int64_t index,
                                     absl::StatusOr<TaskSample> (Source::*read)(int64_t)
                                         const) const;

  const std::string path_;
  const std::vector<std::unique_ptr<Source>> parts_;
  std::vector<int64_t> ends_;  // of the parts' records
  bool names_repeat_ = false;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_JOINED_SOURCE_H_
