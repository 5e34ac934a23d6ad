// unival: require.h - what a fuzz target holds its parser to.
#ifndef UNIVAL_TESTS_FUZZ_REQUIRE_H_
#define UNIVAL_TESTS_FUZZ_REQUIRE_H_

#include <cstdlib>

namespace unival {

// Ends the process with a signal, which every fuzzer takes for a finding.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace unival

#endif  // UNIVAL_TESTS_FUZZ_REQUIRE_H_
