// unival: test_runtime.h - the runtime of tests that need no plugin of their own.
#ifndef UNIVAL_RUNTIME_TEST_RUNTIME_H_
#define UNIVAL_RUNTIME_TEST_RUNTIME_H_

#include "runtime/runtime.h"

namespace unival {

// Of one thread, since tests start processes by fork. Made at the first call, and never destroyed.
inline const Runtime& TheRuntime() {
  static const Runtime* const runtime = [] {
    RuntimeOptions options;
    options.threads = 1;
    return Runtime::Create(options).value().release();
  }();
  return *runtime;
}

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TEST_RUNTIME_H_
