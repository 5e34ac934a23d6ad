// unival: data_content.h - the bytes of a data file, read or unpacked at first use.
#ifndef UNIVAL_TRAINING_DATA_FILES_DATA_CONTENT_H_
#define UNIVAL_TRAINING_DATA_FILES_DATA_CONTENT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/status/statusor.h"
#include "sdk/base/mapped_file.h"

namespace unival {

// Thread-safe.
class DataContent {
 public:
  using File = std::shared_ptr<const MappedFile>;

  explicit DataContent(std::function<absl::StatusOr<File>()> open) : open_(std::move(open)) {}

  // The content. The first call opens the file, and its result, also an error, is kept.
  const absl::StatusOr<File>& Get() const {
    absl::call_once(opened_, [this] {
      file_ = open_();
      is_open_.store(true, std::memory_order_release);
    });
    return file_;
  }
  // It is null until somebody asks for it.
  const absl::StatusOr<File>* IfOpened() const {
    return is_open_.load(std::memory_order_acquire) ? &file_ : nullptr;
  }

 private:
  const std::function<absl::StatusOr<File>()> open_;
  mutable absl::once_flag opened_;
  mutable std::atomic<bool> is_open_{false};
  mutable absl::StatusOr<File> file_ = nullptr;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_DATA_CONTENT_H_
