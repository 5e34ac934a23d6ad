#include "training/data/read/joined_source.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/fingerprint.h"
#include "training/data/read/media_resolver.h"

namespace unival {

JoinedSource::JoinedSource(const std::string& path, std::vector<std::unique_ptr<Source>> parts)
    : path_(path), parts_(std::move(parts)) {
  std::set<std::string> names;
  int64_t end = 0;
  for (const auto& part : parts_) {
    ends_.push_back(end += part->size());
    names_repeat_ |= !names.insert(FileName(part->path())).second;
  }
}

absl::StatusOr<TaskSample> JoinedSource::Read(int64_t index) const {
  return ReadOne(index, &Source::Read);
}

absl::StatusOr<TaskSample> JoinedSource::ReadFields(int64_t index) const {
  return ReadOne(index, &Source::ReadFields);
}

absl::StatusOr<TaskSample> JoinedSource::ReadOne(int64_t index,
                                                 absl::StatusOr<TaskSample> (Source::*read)(int64_t)
                                                     const) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(path_, ": record ", index, " of ", size(), " was asked for"));
  }
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), index);
  const Source& part = *parts_[static_cast<size_t>(end - ends_.begin())];
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, (part.*read)(index - (*end - part.size())));
  if (names_repeat_) sample.key = absl::StrCat(FolderOf(part.path()), "/", sample.key);
  return sample;
}

std::vector<std::string> JoinedSource::remarks() const {
  std::vector<std::string> remarks;
  for (const auto& part : parts_) {
    for (const std::string& remark : part->remarks())
      remarks.push_back(absl::StrCat(FileName(part->path()), ": ", remark));
  }
  return remarks;
}

std::map<std::string, FileWarning> JoinedSource::warnings() const {
  std::map<std::string, FileWarning> warnings;
  for (const auto& part : parts_) warnings.merge(part->warnings());
  return warnings;
}

std::vector<std::string> JoinedSource::files() const {
  std::vector<std::string> files;
  for (const auto& part : parts_) {
    for (std::string& file : part->files()) files.push_back(std::move(file));
  }
  return files;
}

std::string JoinedSource::fingerprint() const {
  ContentHash hash;
  for (const auto& part : parts_) hash.Add(part->fingerprint());
  return hash.Hex();
}

absl::StatusOr<DataIdentity> JoinedSource::Identity(bool read_all) const {
  std::vector<std::string> contents, samples;
  for (const auto& part : parts_) {
    UNIVAL_ASSIGN_OR_RETURN(DataIdentity identity, part->Identity(read_all));
    if (identity.content) contents.push_back(*std::move(identity.content));
    samples.push_back(std::move(identity.sampled));
  }
  DataIdentity identity;
  if (contents.size() == parts_.size()) identity.content = HashOfParts(contents);
  identity.sampled = HashOfParts(samples);
  return identity;
}

}  // namespace unival
