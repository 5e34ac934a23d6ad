// unival: require.h - checks a condition in a fuzz target.
#ifndef UNIVAL_TESTS_FUZZ_REQUIRE_H_
#define UNIVAL_TESTS_FUZZ_REQUIRE_H_

#include <cstdlib>

namespace unival {

// Ends the process with a signal when the condition is false; every fuzzer reports this as a
// finding.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace unival

#endif  // UNIVAL_TESTS_FUZZ_REQUIRE_H_
