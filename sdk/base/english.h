// unival: english.h - parts of English sentences, for the programs that generate data.
#ifndef UNIVAL_SDK_BASE_ENGLISH_H_
#define UNIVAL_SDK_BASE_ENGLISH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// `words` with "a" or "an" before it: "a circle", "an orange star". Only the first letter decides,
// so it gives "a hour".
std::string WithArticle(absl::string_view words);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_ENGLISH_H_
