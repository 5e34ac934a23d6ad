// unival: nearest.h - what a user may have meant by a word that nothing is called.
//
//   NearestName("pedict", {"data", "predict"})                // "predict"
#ifndef UNIVAL_SDK_BASE_NEAREST_H_
#define UNIVAL_SDK_BASE_NEAREST_H_

#include <string>
#include <vector>

namespace unival {

// The name that `word` is likely a slip of: one that differs by few letters that are wrong,
// missing, too many or swapped (one in three letters at the most), or else one that `word` is the
// beginning of, from three letters on. The first of several; empty when there is none.
std::string NearestName(const std::string& word, const std::vector<std::string>& names);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_NEAREST_H_
