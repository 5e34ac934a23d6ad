#include "sdk/base/shapes.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {

std::string ShapeText(absl::Span<const int64_t> sizes) {
  return absl::StrCat("[", absl::StrJoin(sizes, ", "), "]");
}

}  // namespace unival
