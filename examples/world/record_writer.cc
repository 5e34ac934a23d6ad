#include "examples/world/record_writer.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/fresh_file.h"
#include "sdk/base/status_macros.h"

namespace unival::world {
namespace {

constexpr char kTemporary[] = ".tmp";

}  // namespace

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(const std::string& folder,
                                                                   const std::string& media_name) {
  UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  std::unique_ptr<RecordWriter> writer(new RecordWriter(folder, media_name));
  UNIVAL_ASSIGN_OR_RETURN(writer->lock_, FolderLock::Take(folder));
  if (media_name.empty()) return writer;
  UNIVAL_ASSIGN_OR_RETURN(writer->tar_, TarWriter::Create(writer->Path(media_name)));
  return writer;
}

RecordWriter::~RecordWriter() {
  if (finished_) return;
  std::error_code ignored;
  for (auto& [name, file] : files_) {
    file.close();
    std::filesystem::remove(Path(name) + kTemporary, ignored);
  }
}

absl::StatusOr<std::string> RecordWriter::AddMedia(const std::string& member,
                                                   const std::string& bytes) {
  if (tar_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder_, ": this writer was created without a media file, got ", member));
  }
  UNIVAL_RETURN_IF_ERROR(tar_->Add(member, bytes));
  return absl::StrCat(media_name_, ":", member);
}

absl::Status RecordWriter::AddRecord(const std::string& task, const Record& record) {
  const std::string name = task + ".jsonl";
  auto [file, added] = files_.try_emplace(name);
  if (added) {
    UNIVAL_RETURN_IF_ERROR(MakeFreshFile(Path(name) + kTemporary));
    file->second.open(Path(name) + kTemporary, std::ios::binary);
  }
  if (file->second << record.dump() << '\n') return absl::OkStatus();
  return SystemError(Path(name), "cannot be written", errno);
}

absl::Status RecordWriter::Finish() {
  if (tar_ != nullptr) UNIVAL_RETURN_IF_ERROR(tar_->Finish());
  for (auto& [name, file] : files_) {
    file.close();
    if (!file) return SystemError(Path(name), "cannot be written", errno);
    UNIVAL_RETURN_IF_ERROR(PublishFile(Path(name) + kTemporary, Path(name)));
  }
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace unival::world
