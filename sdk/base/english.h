// unival: english.h - pieces of English sentences, for the data that programs of this tree make.
#ifndef UNIVAL_SDK_BASE_ENGLISH_H_
#define UNIVAL_SDK_BASE_ENGLISH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// "a circle", "an orange star": by the first letter, so "an hour" is beyond it.
std::string WithArticle(absl::string_view words);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_ENGLISH_H_
