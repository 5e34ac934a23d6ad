// unival: on_demand_source.h - a source whose files are open only while somebody needs them.
//
//   auto source = OnDemandSource::Create([options] { return OpenSource(options); });
//   (*source)->Close();          // its size stays known
//   (*source)->Read(7);          // opens the files again
#ifndef UNIVAL_TRAINING_DATA_READ_ON_DEMAND_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_ON_DEMAND_SOURCE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "training/data/read/source.h"

namespace unival {

// Thread-safe. Where the files are opened again and hold something else, FailedPrecondition names
// the path and both identities.
class OnDemandSource : public Source {
 public:
  using Opening = absl::StatusOr<std::unique_ptr<Source>>;
  using Opener = std::function<Opening()>;

  // Opens it. Standard input, which cannot be read again, is never closed.
  static absl::StatusOr<std::unique_ptr<OnDemandSource>> Create(Opener opener);

  // What reads at this moment goes on with what it has. Errors of Identity; it is open then.
  absl::Status Close();
  bool is_open() const;

  const std::string& path() const override { return path_; }
  int64_t size() const override { return size_; }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  absl::StatusOr<TaskSample> ReadFields(int64_t index) const override;
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override;
  // "" where it cannot be opened.
  std::string fingerprint() const override;
  std::vector<std::string> remarks() const override { return remarks_; }
  std::map<std::string, FileWarning> warnings() const override;
  std::vector<std::string> files() const override;

 private:
  explicit OnDemandSource(Opener opener) : opener_(std::move(opener)) {}
  absl::StatusOr<std::shared_ptr<const Source>> Opened() const;

  const Opener opener_;
  std::string path_;
  int64_t size_ = 0;
  std::vector<std::string> remarks_;
  mutable absl::Mutex mutex_;
  mutable std::shared_ptr<const Source> source_ ABSL_GUARDED_BY(mutex_);  // null: closed
  std::string identity_ ABSL_GUARDED_BY(mutex_);  // when it was closed; empty: never
  std::map<std::string, FileWarning> warnings_ ABSL_GUARDED_BY(mutex_);  // the same
  std::vector<std::string> files_ ABSL_GUARDED_BY(mutex_);               // the same
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_ON_DEMAND_SOURCE_H_
