#include "training/data/read/folder_source.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/fingerprint.h"
#include "training/data/read/record.h"

namespace unival {

absl::StatusOr<std::unique_ptr<Source>> FolderSource::Open(const SourceOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(std::vector<ClassFile> files, ListClasses(options.path));
  if (files.empty()) {
    return InvalidArgument(options.path,
                           ": a folder without media; expected one sub-folder per "
                           "class with pictures, sounds or videos in it");
  }
  const auto limit = static_cast<size_t>(options.limit);
  if (limit > 0 && files.size() > limit) files.resize(limit);
  return std::unique_ptr<Source>(new FolderSource(options, std::move(files)));
}

absl::StatusOr<TaskSample> FolderSource::Read(int64_t index) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(options_.path, ": file ", index, " of ", size(), " was asked for"));
  }
  const ClassFile& file = files_[static_cast<size_t>(index)];
  const std::string key = absl::StrCat(file.folder, "/", file.name);
  const std::string path = absl::StrCat(options_.path, "/", key);
  const std::string name = ClassName(file.folder);
  std::map<std::string, FieldValue> fields = {{file.column, MediaSource{key, path, nullptr}},
                                              {"class", name},
                                              {"caption", ClassCaption(name)}};
  UNIVAL_ASSIGN_OR_RETURN(fields,
                          Annotate(RenameColumns(std::move(fields), options_.columns), path));
  return TaskSample{key, std::move(fields)};
}

std::string FolderSource::fingerprint() const {
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  for (const ClassFile& file : files_) {
    const std::string key = absl::StrCat(file.folder, "/", file.name);
    struct stat about = {};
    stat(absl::StrCat(options_.path, "/", key).c_str(), &about);
    hash.Add(key);
    hash.Add(absl::StrCat(about.st_size, " ", about.st_mtim.tv_sec, ".", about.st_mtim.tv_nsec));
  }
  return hash.Hex();
}

absl::StatusOr<DataIdentity> FolderSource::Identity(bool read_all) const {
  DataIdentity identity;
  identity.sampled = fingerprint();
  if (!read_all) return identity;
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  for (const ClassFile& file : files_) {
    const std::string key = absl::StrCat(file.folder, "/", file.name);
    UNIVAL_ASSIGN_OR_RETURN(const auto media,
                            MappedFile::Open(absl::StrCat(options_.path, "/", key)));
    hash.Add(key);
    hash.Add(media->bytes());
    UNIVAL_RETURN_IF_ERROR(media->Check());
  }
  identity.content = hash.Hex();
  return identity;
}

}  // namespace unival
