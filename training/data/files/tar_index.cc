#include "training/data/files/tar_index.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/content_hash.h"
#include "training/data/files/unpacked_file.h"

namespace unival {

TarIndex::TarIndex(const std::string& path, const IndexOptions& options,
                   std::shared_ptr<const MappedFile> file)
    : path_(path), kept_(path, options), file_([this, file]() -> absl::StatusOr<DataContent::File> {
        if (file != nullptr) return file;
        return OpenContent();
      }) {}

absl::StatusOr<std::shared_ptr<const TarIndex>> TarIndex::Open(
    const std::string& path, const IndexOptions& options, std::shared_ptr<const MappedFile> file) {
  std::shared_ptr<TarIndex> index(new TarIndex(path, options, std::move(file)));
  if (!index->TakeIndex()) {
    UNIVAL_RETURN_IF_ERROR(index->ReadMembers());
  } else if (!index->is_packed_) {
    UNIVAL_RETURN_IF_ERROR(index->file_.Get().status());
  }
  index->by_name_.reserve(index->members_.size());
  for (size_t i = 0; i < index->members_.size(); ++i) index->by_name_[index->members_[i].name] = i;
  return std::shared_ptr<const TarIndex>(std::move(index));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> TarIndex::OpenContent() const {
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, OpenUnpacked(path_));
  const bool is_same = static_cast<int64_t>(file->bytes().size()) == content_size_;
  if (!is_of_index_ || (is_same && kept_.IsUnchanged())) return file;
  return absl::DataLossError(absl::StrCat(
      path_,
      ": the file has changed since it was opened; start again with the file that is meant"));
}

bool TarIndex::TakeIndex() {
  const absl::optional<SourceIndex> index = kept_.Load();
  if (!index || !index->has_members()) return false;
  if (index->members().ending() == MemberIndex::UNKNOWN) return false;  // of an earlier version
  content_size_ = index->content_size();
  is_of_index_ = true;
  is_packed_ = index->content_size() != index->size();
  has_end_ = index->members().ending() == MemberIndex::MARKED;
  members_.reserve(static_cast<size_t>(index->members().members_size()));
  for (const IndexedMember& member : index->members().members()) {
    members_.push_back({member.name(), member.offset(), member.size()});
  }
  const absl::MutexLock lock(&mutex_);
  content_ = index->content();
  sampled_ = index->sampled_content();
  return true;
}

absl::Status TarIndex::ReadMembers() {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, file_.Get());
  const absl::string_view archive = file->bytes();
  const auto members = ReadTarMembers(archive, path_, &has_end_);
  UNIVAL_RETURN_IF_ERROR(file->Check());
  UNIVAL_RETURN_IF_ERROR(members.status());
  members_.reserve(members->size());
  for (const TarMember& member : *members) {
    const auto offset = static_cast<uint64_t>(member.bytes.data() - archive.data());
    members_.push_back({member.name, offset, member.bytes.size()});
  }
  content_size_ = static_cast<int64_t>(archive.size());
  const absl::MutexLock lock(&mutex_);
  KeepIndex();
  return absl::OkStatus();
}

void TarIndex::KeepIndex() const {
  if (!kept_.IsOn()) return;
  SourceIndex index;
  index.set_content_size(content_size_);
  index.set_content(content_);
  index.set_sampled_content(sampled_);
  MemberIndex* const members = index.mutable_members();
  members->set_ending(has_end_ ? MemberIndex::MARKED : MemberIndex::UNMARKED);
  for (const TarPlace& member : members_) {
    IndexedMember* const added = members->add_members();
    added->set_name(member.name);
    added->set_offset(member.offset);
    added->set_size(member.size);
  }
  kept_.Keep(std::move(index));
}

absl::StatusOr<std::string> TarIndex::HashOfMembers() const {
  ContentHash hash;
  for (const TarPlace& member : members_) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view bytes, Bytes(member));
    hash.Add(member.name);
    hash.Add(bytes);
  }
  UNIVAL_RETURN_IF_ERROR(Check());
  return hash.Hex();
}

// Over names, sizes, and pieces of the archive at even distances.
absl::StatusOr<std::string> TarIndex::SampleOfMembers() const {
  constexpr size_t kPieces = 64, kPiece = size_t{64} << 10;
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, file_.Get());
  const absl::string_view archive = file->bytes();
  ContentHash hash;
  for (const TarPlace& member : members_) {
    hash.Add(member.name);
    hash.Add(absl::StrCat(member.size));
  }
  const size_t distance = archive.size() / kPieces;
  for (size_t i = 0; i < kPieces; ++i) hash.Add(archive.substr(i * distance, kPiece));
  UNIVAL_RETURN_IF_ERROR(file->Check());
  return hash.Hex();
}

absl::StatusOr<DataIdentity> TarIndex::Identity(bool read_all) const {
  const absl::MutexLock lock(&mutex_);
  const bool is_small = content_size_ <= kWholeTar;
  const bool is_complete = !sampled_.empty() && !(content_.empty() && (read_all || is_small));
  if (content_.empty() && (read_all || is_small)) {
    UNIVAL_ASSIGN_OR_RETURN(content_, HashOfMembers());
  }
  if (sampled_.empty() && is_small) sampled_ = content_;
  if (sampled_.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(sampled_, SampleOfMembers());
  }
  UNIVAL_RETURN_IF_ERROR(Check());
  if (!is_complete) KeepIndex();
  return DataIdentity{content_.empty() ? absl::nullopt : absl::optional<std::string>(content_),
                      sampled_};
}

absl::StatusOr<absl::string_view> TarIndex::Bytes(const TarPlace& member) const {
  const auto& file = file_.Get();
  UNIVAL_RETURN_IF_ERROR(file.status());
  return (*file)->bytes().substr(member.offset, member.size);
}

absl::StatusOr<absl::string_view> TarIndex::Find(absl::string_view member) const {
  const auto found = by_name_.find(member);
  if (found == by_name_.end()) {
    return absl::NotFoundError(absl::StrCat(path_, " has no member \"", member, "\""));
  }
  return Bytes(members_[found->second]);
}

absl::Status TarIndex::Check() const {
  const absl::StatusOr<DataContent::File>* file = file_.IfOpened();
  if (file == nullptr || !file->ok()) return absl::OkStatus();
  return (**file)->Check();
}

}  // namespace unival
