#include "sdk/base/nearest.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace unival {
namespace {

constexpr size_t kLongest = 64;  // bytes compared at most: the time grows with the square

// The number of letters to change, insert, delete, or swap with their neighbour: the optimal string
// alignment distance (Damerau, "A technique for computer detection and correction of spelling
// errors", 1964).
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string NearestName(const std::string& word, const std::vector<std::string>& names) {
  if (word.size() > kLongest) return "";
  std::string nearest, longer;
  size_t least = word.size() / 3 + 1;  // a smaller distance is near enough
  for (const std::string& name : names) {
    const size_t distance = Distance(word, name.substr(0, kLongest));
    if (distance < least) {
      nearest = name;
      least = distance;
    }
    if (longer.empty() && word.size() >= 3 && absl::StartsWith(name, word)) longer = name;
  }
  return nearest.empty() ? longer : nearest;
}

}  // namespace unival
