#include "training/data/tar_index.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/data/content_hash.h"
#include "training/data/unpacked_file.h"

namespace unival {
namespace {

std::string HashOfMembers(const std::vector<TarMember>& members) {
  ContentHash hash;
  for (const TarMember& member : members) {
    hash.Add(member.name);
    hash.Add(member.bytes);
  }
  return hash.Hex();
}

// Over names, sizes, and pieces of the archive at even distances.
std::string SampleOfMembers(const std::vector<TarMember>& members, absl::string_view archive) {
  constexpr size_t kPieces = 64, kPiece = size_t{64} << 10;
  ContentHash hash;
  for (const TarMember& member : members) {
    hash.Add(member.name);
    hash.Add(absl::StrCat(member.bytes.size()));
  }
  const size_t distance = archive.size() / kPieces;
  for (size_t i = 0; i < kPieces; ++i) hash.Add(archive.substr(i * distance, kPiece));
  return hash.Hex();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TarIndex>> TarIndex::Open(
    const std::string& path, const IndexOptions& options, std::shared_ptr<const MappedFile> file) {
  std::shared_ptr<TarIndex> index(new TarIndex(path, options));
  index->file_ = std::move(file);
  if (index->file_ == nullptr) {
    UNIVAL_ASSIGN_OR_RETURN(index->file_, OpenUnpacked(path));
  }
  if (!index->TakeIndex()) {
    auto members = ReadTarMembers(index->file_->bytes(), path);
    UNIVAL_RETURN_IF_ERROR(index->Check());
    UNIVAL_ASSIGN_OR_RETURN(index->members_, std::move(members));
    const absl::MutexLock lock(&index->mutex_);
    index->KeepIndex();
  }
  index->by_name_.reserve(index->members_.size());
  for (const TarMember& member : index->members_) index->by_name_[member.name] = member.bytes;
  return std::shared_ptr<const TarIndex>(std::move(index));
}

bool TarIndex::TakeIndex() {
  const absl::optional<SourceIndex> index = kept_.Load();
  const absl::string_view archive = file_->bytes();
  if (!index || !index->has_members() ||
      static_cast<size_t>(index->content_size()) != archive.size()) {
    return false;
  }
  members_.reserve(static_cast<size_t>(index->members().members_size()));
  for (const IndexedMember& member : index->members().members()) {
    members_.push_back({member.name(), archive.substr(member.offset(), member.size())});
  }
  const absl::MutexLock lock(&mutex_);
  content_ = index->content();
  sampled_ = index->sampled_content();
  return true;
}

void TarIndex::KeepIndex() const {
  if (!kept_.IsOn()) return;
  SourceIndex index;
  index.set_content_size(static_cast<int64_t>(file_->bytes().size()));
  index.set_content(content_);
  index.set_sampled_content(sampled_);
  MemberIndex* const members = index.mutable_members();
  for (const TarMember& member : members_) {
    IndexedMember* const added = members->add_members();
    added->set_name(member.name);
    added->set_offset(static_cast<uint64_t>(member.bytes.data() - file_->bytes().data()));
    added->set_size(member.bytes.size());
  }
  kept_.Keep(std::move(index));
}

absl::StatusOr<DataIdentity> TarIndex::Identity(bool read_all) const {
  const absl::MutexLock lock(&mutex_);
  const bool is_small = file_->bytes().size() <= static_cast<size_t>(kWholeTar);
  const bool is_complete = !sampled_.empty() && !(content_.empty() && (read_all || is_small));
  if (content_.empty() && (read_all || is_small)) content_ = HashOfMembers(members_);
  if (sampled_.empty()) {
    sampled_ = is_small ? content_ : SampleOfMembers(members_, file_->bytes());
  }
  UNIVAL_RETURN_IF_ERROR(Check());
  if (!is_complete) KeepIndex();
  return DataIdentity{content_.empty() ? absl::nullopt : absl::optional<std::string>(content_),
                      sampled_};
}

absl::optional<absl::string_view> TarIndex::Find(absl::string_view member) const {
  const auto found = by_name_.find(member);
  if (found == by_name_.end()) return absl::nullopt;
  return found->second;
}

}  // namespace unival
