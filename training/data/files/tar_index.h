// unival: tar_index.h
//
// Where the members of a tar lie: ustar, with pax and GNU long names and large sizes. Reads the
// headers only, so a shard of 50 MB is indexed in milliseconds, and not even these where an index
// is kept (kept_index.h). A tar packed with gzip or zstd is unpacked (unpacked_file.h) to find its
// members, or, where an index is kept, when the first bytes of one are asked for.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto tar, TarIndex::Open("dev.tar"));
//   absl::StatusOr<absl::string_view> bytes = tar->Find("0_george_5.wav");
#ifndef UNIVAL_TRAINING_DATA_FILES_TAR_INDEX_H_
#define UNIVAL_TRAINING_DATA_FILES_TAR_INDEX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "sdk/base/mapped_file.h"
#include "training/data/files/data_content.h"
#include "training/data/files/data_identity.h"
#include "training/data/files/kept_index.h"

namespace unival {

struct TarMember {
  std::string name;
  absl::string_view bytes;  // into the archive
};

// The regular files of `archive`, in order. InvalidArgument "NAME: byte 1024: what": compressed,
// truncated, a wrong checksum, a name that is absolute or leaves the folder, the same name twice.
// `has_end`, where given: whether a blank block stands behind the last member, as the end of an
// archive has it. One that was cut between two members lacks it, and some writers leave it out.
absl::StatusOr<std::vector<TarMember>> ReadTarMembers(absl::string_view archive,
                                                      const std::string& name,
                                                      bool* has_end = nullptr);

// Where a member lies in the archive, as it is when it is not packed.
struct TarPlace {
  std::string name;
  uint64_t offset = 0, size = 0;  // bytes
};

// Thread-safe after creation.
class TarIndex {
 public:
  // `file`: the bytes of `path`, "-" for standard input; null: they are opened here.
  static absl::StatusOr<std::shared_ptr<const TarIndex>> Open(
      const std::string& path, const IndexOptions& options = {},
      std::shared_ptr<const MappedFile> file = nullptr);

  const std::string& path() const { return path_; }
  const std::vector<TarPlace>& members() const { return members_; }
  // As ReadTarMembers says it.
  bool has_end() const { return has_end_; }
  bool Has(absl::string_view member) const { return by_name_.contains(member); }
  // The bytes of one of `members()`, and of a member by its name: NotFound for none. Views stay
  // valid as long as the index. DataLoss where a packed file has changed since it was opened; else
  // errors of OpenUnpacked.
  absl::StatusOr<absl::string_view> Bytes(const TarPlace& member) const;
  absl::StatusOr<absl::string_view> Find(absl::string_view member) const;
  // DataLoss when the file was cut while it was in use: call it after bytes of a member were
  // copied.
  absl::Status Check() const;
  // Over names and bytes of the members, in their order. Reads all of a tar of at most kWholeTar
  // bytes, and of a larger one where `read_all`, unless that is in its index. Errors as Check.
  absl::StatusOr<DataIdentity> Identity(bool read_all) const;

 private:
  TarIndex(const std::string& path, const IndexOptions& options,
           std::shared_ptr<const MappedFile> file);
  // False where none is kept of this file.
  bool TakeIndex();
  absl::Status ReadMembers();
  void KeepIndex() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const MappedFile>> OpenContent() const;
  // Names with sizes, and beside them the members' bytes, or some of the archive's.
  absl::StatusOr<std::string> HashOfMembers() const;
  absl::StatusOr<std::string> SampleOfMembers() const;

  const std::string path_;
  const KeptIndex kept_;
  const DataContent file_;
  int64_t content_size_ = 0;  // bytes of the archive
  // Whether an index told that, and the members; whether the file is packed, as far as it told.
  bool is_of_index_ = false, is_packed_ = false;
  bool has_end_ = false;
  std::vector<TarPlace> members_;
  absl::flat_hash_map<absl::string_view, size_t> by_name_;  // places in members_
  mutable absl::Mutex mutex_;
  // Hashes over the members, empty until they are asked for.
  mutable std::string content_ ABSL_GUARDED_BY(mutex_), sampled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_TAR_INDEX_H_
