#include "training/data/files/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/fresh_file.h"
#include "sdk/base/path_below.h"
#include "sdk/base/printable.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/tar_index.h"

namespace unival {
namespace {

// Names of files may be any bytes, those of members are UTF-8: other bytes become "%ff".
std::string Utf8Name(absl::string_view name) {
  std::string text;
  while (!name.empty()) {
    const size_t length = Utf8Length(name);
    if (length > 0) {
      absl::StrAppend(&text, name.substr(0, length));
    } else {
      absl::StrAppend(&text, "%", absl::Hex(static_cast<unsigned char>(name[0]), absl::kZeroPad2));
    }
    name.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

// Names are UTF-8 in this thread while it lives, whatever the program was started with.
class Utf8Locale {
 public:
  Utf8Locale() : own_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (own_ != nullptr) before_ = uselocale(own_);
  }
  ~Utf8Locale() {
    if (own_ == nullptr) return;
    uselocale(before_);
    freelocale(own_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  const locale_t own_;
  locale_t before_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TarWriter>> TarWriter::Create(const std::string& path) {
  std::unique_ptr<TarWriter> writer(new TarWriter(path));
  UNIVAL_RETURN_IF_ERROR(MakeFreshFile(writer->temporary_));
  writer->archive_ = archive_write_new();
  if (writer->archive_ == nullptr) return absl::ResourceExhaustedError("no memory for a tar");
  // Plain ustar wherever names fit, pax records where they do not.
  if (archive_write_set_format_pax_restricted(writer->archive_) != ARCHIVE_OK ||
      archive_write_open_filename(writer->archive_, writer->temporary_.c_str()) != ARCHIVE_OK) {
    return writer->Error();
  }
  return writer;
}

TarWriter::~TarWriter() {
  if (archive_ != nullptr) archive_write_free(archive_);
  if (!finished_) std::remove(temporary_.c_str());
}

absl::Status TarWriter::Error() const {
  // The library says "Write error" alone; its number is the system's, or one of its own below 0.
  const int number = archive_errno(archive_);
  const char* text = archive_error_string(archive_);
  const char* what = text == nullptr ? "cannot be written" : text;
  if (number > 0) return SystemError(path_, what, number);
  return absl::UnavailableError(absl::StrCat(path_, ": ", what));
}

absl::Status TarWriter::Add(const std::string& member, absl::string_view bytes) {
  UNIVAL_RETURN_IF_ERROR(CheckRelativePath(member));
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  const Utf8Locale locale;  // the library reads names by the locale of its thread
  archive_entry_set_pathname(entry.get(), Utf8Name(member).c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(archive_, entry.get()) != ARCHIVE_OK) return Error();
  const la_ssize_t written = archive_write_data(archive_, bytes.data(), bytes.size());
  if (written < 0 || static_cast<size_t>(written) != bytes.size()) return Error();
  return absl::OkStatus();
}

absl::Status TarWriter::Finish() {
  if (archive_write_close(archive_) != ARCHIVE_OK) return Error();
  UNIVAL_RETURN_IF_ERROR(PublishFile(temporary_, path_));
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace unival
