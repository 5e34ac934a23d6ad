// unival: descriptor.h - owns one file descriptor.
//
//   Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
//   if (!file.is_open()) return SystemError(path, "cannot be opened", errno);
#ifndef UNIVAL_SDK_BASE_DESCRIPTOR_H_
#define UNIVAL_SDK_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace unival {

// Closes the descriptor in its destructor. -1 means that there is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { Close(); }

  void Close() {
    if (is_open()) close(std::exchange(value_, -1));
  }
  bool is_open() const { return value_ >= 0; }
  int get() const { return value_; }

 private:
  int value_ = -1;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_DESCRIPTOR_H_
