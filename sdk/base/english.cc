#include "sdk/base/english.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {

std::string WithArticle(absl::string_view words) {
  const bool vowel = !words.empty() && absl::StrContains("aeiouAEIOU", words.substr(0, 1));
  return absl::StrCat(vowel ? "an " : "a ", words);
}

}  // namespace unival
