// unival: tar_source.h - samples of a tar shard in WebDataset layout; see source.h.
#ifndef UNIVAL_TRAINING_DATA_READ_TAR_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_TAR_SOURCE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "training/data/files/tar_index.h"
#include "training/data/read/source.h"

namespace unival {

// What a member of a tar contributes to its sample, by its extension: one of a media format
// (KindOfExtension), of `SourceOptions::media`, or another.
struct MemberRole {
  // kOther: media of an unknown extension. Its column is called like the extension, and is read
  // only when somebody asks for it.
  enum class Kind { kRecord, kText, kMedia, kOther } kind = Kind::kMedia;
  std::string column;  // of all but kRecord
};

// By the tar's file: that it ends without the block that ends an archive.
std::map<std::string, FileWarning> WarningsOf(const TarIndex& tar);

class TarSource : public Source {
 public:
  // `file`: the bytes of `options.path`; null: they are opened here.
  static absl::StatusOr<std::unique_ptr<Source>> Open(const SourceOptions& options,
                                                      std::shared_ptr<const MappedFile> file);

  const std::string& path() const override { return options_.path; }
  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  absl::StatusOr<TaskSample> Read(int64_t index) const override;
  absl::StatusOr<TaskSample> ReadFields(int64_t index) const override;
  std::string fingerprint() const override;
  std::vector<std::string> remarks() const override;
  std::map<std::string, FileWarning> warnings() const override { return WarningsOf(*tar_); }
  absl::StatusOr<DataIdentity> Identity(bool read_all) const override;

 private:
  struct Part {
    MemberRole role;
    const TarPlace* member;
  };
  struct Sample {
    std::string stem;
    std::vector<Part> parts;
  };

  explicit TarSource(const SourceOptions& options)
      : options_(options), needed_(NeededRecordColumns(options)) {}
  absl::Status Group();
  MemberRole RoleOf(const std::string& extension) const;
  bool IsAskedFor(const MemberRole& role) const;
  absl::Status NoSamples() const;
  absl::Status CheckComplete() const;
  absl::StatusOr<TaskSample> ReadParts(int64_t index, bool with_bytes) const;
  // `bytes`: of the member; null where nobody wants those of media.
  absl::Status AddPart(const Part& part, const absl::optional<absl::string_view>& bytes,
                       std::map<std::string, FieldValue>* fields) const;

  const SourceOptions options_;
  const absl::optional<std::set<std::string>> needed_;  // columns of the records
  std::shared_ptr<const TarIndex> tar_;
  std::vector<Sample> samples_;
  std::map<std::string, int64_t> left_out_;  // by column: members of kOther that nobody reads
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_TAR_SOURCE_H_
