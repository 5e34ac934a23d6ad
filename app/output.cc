#include "app/output.h"

#include <cerrno>
#include <iostream>
#include <string>

#include "absl/strings/string_view.h"
#include "sdk/base/files.h"
#include "sdk/base/open_character.h"
#include "sdk/base/printable.h"

namespace unival {

class StandardOutput::Filter : public std::streambuf {
 public:
  explicit Filter(std::streambuf* target) : target_(target) {}

  // 0, or the errno of the first write that failed.
  int error() const { return error_; }

  void Finish() {
    Write(pending_);
    pending_.clear();
    Push();
  }

 protected:
  int_type overflow(int_type c) override {
    if (c == traits_type::eof()) return traits_type::not_eof(c);
    const char byte = traits_type::to_char_type(c);
    return xsputn(&byte, 1) == 1 ? c : traits_type::eof();
  }

  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    pending_.append(bytes, static_cast<size_t>(count));
    const size_t whole = pending_.size() - OpenCharacter(pending_);
    Write(absl::string_view(pending_).substr(0, whole));
    pending_.erase(0, whole);
    return error_ == 0 ? count : 0;
  }

  int sync() override {
    Push();
    return error_ == 0 ? 0 : -1;
  }

 private:
  void Write(absl::string_view bytes) {
    const std::string text = Printable(bytes);
    const auto size = static_cast<std::streamsize>(text.size());
    errno = 0;
    if (target_->sputn(text.data(), size) != size) Fail();
  }
  void Push() {
    errno = 0;
    if (target_->pubsync() != 0) Fail();
  }
  void Fail() {
    if (error_ == 0) error_ = errno != 0 ? errno : EIO;
  }

  std::streambuf* const target_;
  std::string pending_;
  int error_ = 0;
};

StandardOutput::StandardOutput()
    : out_(std::make_unique<Filter>(std::cout.rdbuf())),
      error_(std::make_unique<Filter>(std::cerr.rdbuf())),
      plain_out_(std::cout.rdbuf(out_.get())),
      plain_error_(std::cerr.rdbuf(error_.get())) {}

StandardOutput::~StandardOutput() {
  out_->Finish();
  error_->Finish();
  // Gives the streams their good state too.
  std::cout.rdbuf(plain_out_);
  std::cerr.rdbuf(plain_error_);
}

absl::Status StandardOutput::Finish() {
  out_->Finish();
  if (out_->error() == 0) return absl::OkStatus();
  return SystemError("standard output", "cannot be written", out_->error());
}

}  // namespace unival
