// unival: nearest.h - suggests a known name for a word that a user mistyped.
//
//   NearestName("pedict", {"data", "predict"})                // "predict"
#ifndef UNIVAL_SDK_BASE_NEAREST_H_
#define UNIVAL_SDK_BASE_NEAREST_H_

#include <string>
#include <vector>

namespace unival {

// The name that `word` was probably meant to be. First choice: the name with the fewest wrong,
// missing, extra or swapped letters, at most one for every three letters of `word`. Otherwise: a
// name that begins with `word`, if `word` has at least three letters. The first of several; empty
// when there is none.
std::string NearestName(const std::string& word, const std::vector<std::string>& names);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_NEAREST_H_
