#include "training/data/read/media_resolver.h"

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sdk/base/names.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status_macros.h"

namespace unival {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

MediaResolver::Place MediaResolver::PlaceOf(const std::string& path) const {
  const size_t colon = path.find(':');
  const auto root = colon == std::string::npos ? roots_.end() : roots_.find(path.substr(0, colon));
  if (root == roots_.end()) return {nullptr, path};
  return {&root->second, path.substr(colon + 1)};
}

std::string MediaResolver::FullPath(const std::string& path) const {
  const Place place = PlaceOf(path);
  const std::string folder = place.root == nullptr ? FolderOf(file_) : *place.root;
  return folder == "." ? place.relative : absl::StrCat(folder, "/", place.relative);
}

absl::StatusOr<std::string> MediaResolver::FindFile(const std::string& path) const {
  const Place place = PlaceOf(path);
  absl::StatusOr<std::string> found = place.root == nullptr
                                          ? ResolveBelow(file_, place.relative)
                                          : ResolveBelowFolder(*place.root, place.relative);
  if (!absl::IsNotFound(found.status())) return found;
  const size_t colon = path.find(':');
  const std::string name = path.substr(0, colon);
  const bool is_root = colon != std::string::npos && IsLowerSnake(name) && roots_.count(name) == 0;
  return absl::NotFoundError(
      absl::StrCat("no such media file: ", FullPath(path),
                   is_root ? absl::StrCat(" (if \"", name,
                                          "\" is a media root: it is not given; say where it "
                                          "lies with --media_root ",
                                          name, "=FOLDER, or media_root in the plan)")
                           : ""));
}

absl::StatusOr<MediaSource> MediaResolver::Resolve(const std::string& path, bool with_bytes) const {
  // No file can have such a name, so it is not found. A path that leaves the folder is another
  // error.
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::NotFoundError(
        absl::StrCat("no such media file: ", CheckRelativePath(path).message()));
  }
  UNIVAL_RETURN_IF_ERROR(CheckRelativePath(path));
  constexpr absl::string_view kSeparator = ".tar:";
  const size_t split = path.find(kSeparator.data());
  if (split != std::string::npos) {
    return Member(path.substr(0, split + 4), path.substr(split + kSeparator.size()), with_bytes);
  }
  UNIVAL_ASSIGN_OR_RETURN(std::string found, FindFile(path));
  return MediaSource{path, std::move(found), nullptr};
}

absl::StatusOr<std::shared_ptr<const TarIndex>> MediaResolver::Tar(const std::string& path) const {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<const TarIndex>& tar = tars_[path];
  if (tar == nullptr) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string found, FindFile(path));
    UNIVAL_ASSIGN_OR_RETURN(tar, TarIndex::Open(found, index_));
  }
  return tar;
}

std::vector<std::shared_ptr<const TarIndex>> MediaResolver::OpenedTars() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<const TarIndex>> opened;
  for (const auto& entry : tars_) {
    if (entry.second != nullptr) opened.push_back(entry.second);
  }
  return opened;
}

absl::StatusOr<MediaSource> MediaResolver::Member(const std::string& tar, const std::string& member,
                                                  bool with_bytes) const {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<const TarIndex> index, Tar(tar));
  if (!index->Has(member)) {
    return absl::NotFoundError(absl::StrCat(FullPath(tar), " has no member \"", member, "\" (",
                                            index->members().size(), " members)"));
  }
  MediaSource media;
  media.name = absl::StrCat(FileName(tar), ":", member);
  if (!with_bytes) return media;
  UNIVAL_ASSIGN_OR_RETURN(const absl::string_view bytes, index->Find(member));
  media.bytes = std::make_shared<const std::string>(bytes);
  UNIVAL_RETURN_IF_ERROR(index->Check());
  return media;
}

}  // namespace unival
