// unival: version.h - the version of the product.
#ifndef UNIVAL_SDK_BASE_VERSION_H_
#define UNIVAL_SDK_BASE_VERSION_H_

#include "absl/strings/string_view.h"

namespace unival {

// "0.1.0", as //:version.bzl says.
absl::string_view Version();

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_VERSION_H_
