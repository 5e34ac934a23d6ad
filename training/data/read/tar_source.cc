#include "training/data/read/tar_source.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/io/formats.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/utf8.h"
#include "training/data/files/system_files.h"
#include "training/data/read/fingerprint.h"
#include "training/data/read/media_resolver.h"
#include "training/data/read/record.h"
#include "training/data/read/record_kinds.h"

namespace unival {
namespace {

struct SplitName {
  std::string stem, extension;
};

// At the first dot of the last part: "a/b.depth.png" is "a/b" and "depth.png".
SplitName SplitMember(absl::string_view name) {
  const size_t slash = name.rfind('/');
  const size_t start = slash == absl::string_view::npos ? 0 : slash + 1;
  const size_t dot = name.find('.', start);
  if (dot == absl::string_view::npos) return {std::string(name), ""};
  return {std::string(name.substr(0, dot)), absl::AsciiStrToLower(name.substr(dot + 1))};
}

// `extension` in lower case: "json", "wav", "depth.png".
MemberRole RoleOfExtension(absl::string_view extension,
                           const std::map<std::string, std::string>& media) {
  const auto mapped = media.find(std::string(extension));
  if (mapped != media.end()) return {MemberRole::Kind::kMedia, mapped->second};
  if (extension == "json") return {MemberRole::Kind::kRecord, ""};
  const size_t dot = extension.rfind('.');
  const absl::string_view last =
      dot == absl::string_view::npos ? extension : extension.substr(dot + 1);
  std::string column(dot == absl::string_view::npos ? "" : extension.substr(0, dot));
  if (last == "txt") return {MemberRole::Kind::kText, column.empty() ? "text" : column};
  if (last == "cls") return {MemberRole::Kind::kText, column.empty() ? "cls" : column};
  std::string medium = KindOfExtension(last);
  if (medium.empty())
    return {MemberRole::Kind::kOther, column.empty() ? std::string(last) : column};
  return {MemberRole::Kind::kMedia, column.empty() ? std::move(medium) : std::move(column)};
}

}  // namespace

std::map<std::string, FileWarning> WarningsOf(const TarIndex& tar) {
  std::map<std::string, FileWarning> warnings;
  if (tar.has_end()) return warnings;
  warnings[tar.path()] =
      FileWarning{"ends without an end-of-archive block (was the download cut?)",
                  "compare its size with the original's; pack a whole one again with `tar -cf`"};
  return warnings;
}

absl::StatusOr<std::unique_ptr<Source>> TarSource::Open(const SourceOptions& options,
                                                        std::shared_ptr<const MappedFile> file) {
  std::unique_ptr<TarSource> source(new TarSource(options));
  UNIVAL_ASSIGN_OR_RETURN(source->tar_,
                          TarIndex::Open(options.path, options.index, std::move(file)));
  UNIVAL_RETURN_IF_ERROR(source->Group());
  UNIVAL_RETURN_IF_ERROR(source->CheckComplete());
  if (options.limit > 0 && source->size() > options.limit) source->samples_.resize(options.limit);
  return std::unique_ptr<Source>(std::move(source));
}

// Media whose extension somebody asks for as a column are that column: of "x.jpg" and "x.tif" in
// one sample, `--column image=tif` takes the second.
MemberRole TarSource::RoleOf(const std::string& extension) const {
  MemberRole role = RoleOfExtension(extension, options_.media);
  const bool is_asked = needed_.has_value() && needed_->count(extension) > 0;
  if (is_asked && role.kind == MemberRole::Kind::kMedia && options_.media.count(extension) == 0) {
    role.column = extension;
  }
  return role;
}

bool TarSource::IsAskedFor(const MemberRole& role) const {
  if (role.kind != MemberRole::Kind::kOther) return true;
  const std::vector<std::string>& media = options_.media_columns;
  return (needed_.has_value() && needed_->count(role.column) > 0) ||
         std::find(media.begin(), media.end(), role.column) != media.end();
}

absl::Status TarSource::NoSamples() const {
  return absl::InvalidArgumentError(absl::StrCat(options_.path, ": no samples",
                                                 left_out_.empty() ? "" : "; ",
                                                 absl::StrJoin(remarks(), "; ")));
}

absl::Status TarSource::Group() {
  absl::flat_hash_map<std::string, size_t> by_stem;
  for (const TarPlace& member : tar_->members()) {
    if (IsSystemPath(member.name) || IsAboutData(member.name)) continue;
    const SplitName name = SplitMember(member.name);
    MemberRole role = RoleOf(name.extension);
    if (!IsAskedFor(role)) {
      ++left_out_[role.column];
      continue;
    }
    const auto inserted = by_stem.emplace(name.stem, samples_.size());
    if (inserted.second) samples_.push_back({name.stem, {}});
    samples_[inserted.first->second].parts.push_back({std::move(role), &member});
  }
  return samples_.empty() ? NoSamples() : absl::OkStatus();
}

std::vector<std::string> TarSource::remarks() const {
  std::vector<std::string> remarks;
  for (const auto& [column, count] : left_out_) {
    remarks.push_back(absl::StrCat(
        count, count == 1 ? " member" : " members", column.empty() ? " without an extension" : "",
        column.empty() ? "" : absl::StrCat(" of column \"", column, "\""), " left out",
        column.empty() ? "" : absl::StrCat("; --column TASK_COLUMN=", column, " reads them")));
  }
  return remarks;
}

// A shard in which some samples have no record, or no media at all, was cut off or packed wrongly.
absl::Status TarSource::CheckComplete() const {
  for (const auto kind : {MemberRole::Kind::kRecord, MemberRole::Kind::kMedia}) {
    const auto has = [kind](const Sample& sample) {
      return std::any_of(sample.parts.begin(), sample.parts.end(), [kind](const Part& part) {
        const bool is_media = part.role.kind == MemberRole::Kind::kOther;
        return (is_media ? MemberRole::Kind::kMedia : part.role.kind) == kind;
      });
    };
    const int64_t count = std::count_if(samples_.begin(), samples_.end(), has);
    if (count == 0 || count == size()) continue;
    const auto lacking = std::find_if_not(samples_.begin(), samples_.end(), has);
    return absl::InvalidArgumentError(
        absl::StrCat(options_.path, ": sample \"", lacking->stem, "\" has no ",
                     kind == MemberRole::Kind::kRecord ? ".json member" : "media member", ", but ",
                     count, " of ", size(), " samples have one"));
  }
  return absl::OkStatus();
}

absl::StatusOr<TaskSample> TarSource::Read(int64_t index) const {
  return ReadParts(index, /*with_bytes=*/true);
}

absl::StatusOr<TaskSample> TarSource::ReadFields(int64_t index) const {
  return ReadParts(index, /*with_bytes=*/false);
}

absl::StatusOr<TaskSample> TarSource::ReadParts(int64_t index, bool with_bytes) const {
  if (index < 0 || index >= size()) {
    return absl::OutOfRangeError(
        absl::StrCat(options_.path, ": sample ", index, " of ", size(), " was asked for"));
  }
  const Sample& sample = samples_[static_cast<size_t>(index)];
  std::map<std::string, FieldValue> fields;
  for (const Part& part : sample.parts) {
    absl::optional<absl::string_view> bytes;
    if (with_bytes || part.role.kind == MemberRole::Kind::kRecord ||
        part.role.kind == MemberRole::Kind::kText) {
      UNIVAL_ASSIGN_OR_RETURN(bytes, tar_->Bytes(*part.member));
    }
    const absl::Status added = AddPart(part, bytes, &fields);
    if (!added.ok()) UNIVAL_RETURN_IF_ERROR(tar_->Check());
    if (!added.ok()) return Annotate(added, options_.path, ":", part.member->name);
  }
  UNIVAL_RETURN_IF_ERROR(tar_->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto renamed, Annotate(RenameColumns(std::move(fields), options_.columns),
                                                 options_.path, ":", sample.stem));
  return TaskSample{absl::StrCat(FileName(options_.path), ":", sample.stem), std::move(renamed)};
}

absl::Status TarSource::AddPart(const Part& part, const absl::optional<absl::string_view>& bytes,
                                std::map<std::string, FieldValue>* fields) const {
  std::map<std::string, FieldValue> added;
  switch (part.role.kind) {
    case MemberRole::Kind::kRecord: {
      UNIVAL_ASSIGN_OR_RETURN(added,
                              ParseRecord(*bytes, needed_.has_value() ? &*needed_ : nullptr));
      break;
    }
    case MemberRole::Kind::kText:
      UNIVAL_RETURN_IF_ERROR(CheckUtf8(*bytes));
      added[part.role.column] = std::string(absl::StripTrailingAsciiWhitespace(*bytes));
      break;
    case MemberRole::Kind::kMedia:
    case MemberRole::Kind::kOther:
      added[part.role.column] =
          MediaSource{absl::StrCat(FileName(options_.path), ":", part.member->name), "",
                      bytes.has_value() ? std::make_shared<const std::string>(*bytes) : nullptr};
      break;
  }
  fields->merge(added);
  if (added.empty()) return absl::OkStatus();
  const std::string& column = added.begin()->first;
  return kColumnTwice.Mark(InvalidArgument("column \"", column,
                                           "\" comes from two members of the sample; --column ",
                                           column, "=EXTENSION says which of them is meant"));
}

std::string TarSource::fingerprint() const {
  ContentHash hash;
  hash.Add(FingerprintOf(options_));
  for (const TarPlace& member : tar_->members()) {
    const absl::StatusOr<absl::string_view> bytes = tar_->Bytes(member);
    if (!bytes.ok()) break;
    hash.Add(member.name);
    hash.Add(*bytes);
  }
  return hash.Hex();
}

absl::StatusOr<DataIdentity> TarSource::Identity(bool read_all) const {
  UNIVAL_ASSIGN_OR_RETURN(DataIdentity identity, tar_->Identity(read_all));
  const std::string options = FingerprintOf(options_);
  if (identity.content) identity.content = HashOfParts({options, *identity.content});
  identity.sampled = HashOfParts({options, identity.sampled});
  return identity;
}

}  // namespace unival
