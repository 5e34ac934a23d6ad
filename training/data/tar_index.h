// unival: tar_index.h
//
// Where the members of a tar lie: ustar, with pax and GNU long names and large sizes. Reads the
// headers only, so a shard of 50 MB is indexed in milliseconds, and not even these where an index
// is kept (kept_index.h). A tar packed with gzip or zstd is unpacked first (unpacked_file.h).
//
//   UNIVAL_ASSIGN_OR_RETURN(auto tar, TarIndex::Open("dev.tar"));
//   absl::optional<absl::string_view> bytes = tar->Find("0_george_5.wav");
#ifndef UNIVAL_TRAINING_DATA_TAR_INDEX_H_
#define UNIVAL_TRAINING_DATA_TAR_INDEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "sdk/base/mapped_file.h"
#include "training/data/data_identity.h"
#include "training/data/kept_index.h"

namespace unival {

struct TarMember {
  std::string name;
  absl::string_view bytes;  // into the archive
};

// The regular files of `archive`, in order. InvalidArgument "NAME: byte 1024: what": compressed,
// truncated, a wrong checksum, a name that is absolute or leaves the folder, the same name twice.
absl::StatusOr<std::vector<TarMember>> ReadTarMembers(absl::string_view archive,
                                                      const std::string& name);

// Thread-safe after creation.
class TarIndex {
 public:
  // `file`: the bytes of `path`, "-" for standard input; null: they are opened here.
  static absl::StatusOr<std::shared_ptr<const TarIndex>> Open(
      const std::string& path, const IndexOptions& options = {},
      std::shared_ptr<const MappedFile> file = nullptr);

  const std::vector<TarMember>& members() const { return members_; }
  // Views stay valid as long as the index.
  absl::optional<absl::string_view> Find(absl::string_view member) const;
  // DataLoss when the file was cut while it was in use: call it after bytes of a member were
  // copied.
  absl::Status Check() const { return file_->Check(); }
  // Over names and bytes of the members, in their order. Reads all of a tar of at most kWholeTar
  // bytes, and of a larger one where `read_all`, unless that is in its index. Errors as Check.
  absl::StatusOr<DataIdentity> Identity(bool read_all) const;

 private:
  TarIndex(const std::string& path, const IndexOptions& options) : kept_(path, options) {}
  // False where none is kept of this file.
  bool TakeIndex();
  void KeepIndex() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const KeptIndex kept_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<TarMember> members_;
  absl::flat_hash_map<absl::string_view, absl::string_view> by_name_;
  mutable absl::Mutex mutex_;
  // Hashes over the members, empty until they are asked for.
  mutable std::string content_ ABSL_GUARDED_BY(mutex_), sampled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_TAR_INDEX_H_
