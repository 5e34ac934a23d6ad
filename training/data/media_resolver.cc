#include "training/data/media_resolver.h"

#include "absl/strings/str_cat.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status_macros.h"

namespace unival {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

absl::StatusOr<MediaSource> MediaResolver::Resolve(const std::string& path) const {
  UNIVAL_RETURN_IF_ERROR(CheckRelativePath(path));
  constexpr absl::string_view kSeparator = ".tar:";
  const size_t split = path.find(kSeparator.data());
  if (split != std::string::npos) {
    return Member(path.substr(0, split + 4), path.substr(split + kSeparator.size()));
  }
  MediaSource media;
  media.name = path;
  media.path = FullPath(path);
  const absl::Status found = ResolveBelow(file_, path).status();
  if (absl::IsNotFound(found)) {
    return absl::NotFoundError(absl::StrCat("no such media file: ", media.path));
  }
  UNIVAL_RETURN_IF_ERROR(found);
  return media;
}

std::string MediaResolver::FullPath(absl::string_view relative) const {
  return folder_ == "." ? std::string(relative) : absl::StrCat(folder_, "/", relative);
}

absl::StatusOr<std::shared_ptr<const TarIndex>> MediaResolver::Tar(
    const std::string& relative) const {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<const TarIndex>& tar = tars_[relative];
  if (tar == nullptr) {
    UNIVAL_RETURN_IF_ERROR(ResolveBelow(file_, relative).status());
    UNIVAL_ASSIGN_OR_RETURN(tar, TarIndex::Open(FullPath(relative)));
  }
  return tar;
}

absl::StatusOr<MediaSource> MediaResolver::Member(const std::string& tar,
                                                  const std::string& member) const {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const TarIndex> index, Tar(tar));
  const absl::optional<absl::string_view> bytes = index->Find(member);
  if (!bytes.has_value()) {
    return absl::NotFoundError(absl::StrCat(FullPath(tar), " has no member \"", member, "\" (",
                                            index->members().size(), " members)"));
  }
  MediaSource media;
  media.name = absl::StrCat(FileName(tar), ":", member);
  media.bytes = std::make_shared<const std::string>(*bytes);
  UNIVAL_RETURN_IF_ERROR(index->Check());
  return media;
}

}  // namespace unival
