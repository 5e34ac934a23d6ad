// unival: modalities/io/test_need.h - how what makes media for tests says that it cannot.
#ifndef UNIVAL_MODALITIES_IO_TEST_NEED_H_
#define UNIVAL_MODALITIES_IO_TEST_NEED_H_

#include <stdexcept>
#include <string>

namespace unival {

// A test that cannot make its media fails with the reason.
inline void Need(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("test media: " + what);
}

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_TEST_NEED_H_
