#include "examples/world/record_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival::world {
namespace {

constexpr char kTemporary[] = ".partial";

absl::Status Rename(const std::string& path) {
  std::error_code error;
  std::filesystem::rename(path + kTemporary, path, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(path, ": could not be given its name: ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(const std::string& folder,
                                                                   const std::string& media_name) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat(folder, ": expected to create this folder: ",
                                               error.message(), "; choose a writable output"));
  }
  std::unique_ptr<RecordWriter> writer(new RecordWriter(folder, media_name));
  if (!media_name.empty()) UNIVAL_RETURN_IF_ERROR(writer->OpenTar());
  return writer;
}

RecordWriter::~RecordWriter() {
  if (tar_ != nullptr) archive_write_free(tar_);
  if (finished_) return;
  std::error_code ignored;
  if (!media_name_.empty()) std::filesystem::remove(Path(media_name_) + kTemporary, ignored);
  for (auto& [name, file] : files_) {
    file.close();
    std::filesystem::remove(Path(name) + kTemporary, ignored);
  }
}

absl::Status RecordWriter::OpenTar() {
  tar_ = archive_write_new();
  archive_write_set_format_ustar(tar_);
  archive_write_add_filter_none(tar_);
  const std::string path = Path(media_name_) + kTemporary;
  if (archive_write_open_filename(tar_, path.c_str()) == ARCHIVE_OK) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": ", archive_error_string(tar_)));
}

absl::StatusOr<std::string> RecordWriter::AddMedia(const std::string& member,
                                                   const std::string& bytes) {
  if (tar_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder_, ": this writer was created without a media file, got ", member));
  }
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                 archive_entry_free);
  archive_entry_set_pathname(entry.get(), member.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  const bool written =
      archive_write_header(tar_, entry.get()) == ARCHIVE_OK &&
      archive_write_data(tar_, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size());
  if (written) return absl::StrCat(media_name_, ":", member);
  return absl::UnavailableError(
      absl::StrCat(Path(media_name_), ": writing ", member, ": ", archive_error_string(tar_)));
}

absl::Status RecordWriter::AddRecord(const std::string& task, const Record& record) {
  const std::string name = task + ".jsonl";
  auto [file, added] = files_.try_emplace(name);
  if (added) file->second.open(Path(name) + kTemporary, std::ios::binary);
  if (file->second << record.dump() << '\n') return absl::OkStatus();
  return absl::UnavailableError(SystemError(Path(name), "cannot be written", errno).message());
}

absl::Status RecordWriter::Finish() {
  if (tar_ != nullptr) {
    const bool closed = archive_write_close(tar_) == ARCHIVE_OK;
    if (!closed) {
      return absl::UnavailableError(
          absl::StrCat(Path(media_name_), ": ", archive_error_string(tar_)));
    }
    UNIVAL_RETURN_IF_ERROR(Rename(Path(media_name_)));
  }
  for (auto& [name, file] : files_) {
    file.close();
    if (!file)
      return absl::UnavailableError(SystemError(Path(name), "cannot be written", errno).message());
    UNIVAL_RETURN_IF_ERROR(Rename(Path(name)));
  }
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace unival::world
