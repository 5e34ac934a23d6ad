#include "backbone/generation/candidate_parts.h"

#include <algorithm>
#include <cmath>

namespace unival {
namespace generation {

void BestFirst(Children* children) {
  // What is no number comes first: it must not be lost.
  const auto score = [](const Child& child) {
    return std::isnan(child.row.score) ? -kImpossible : child.row.score;
  };
  for (std::vector<Child>& rows : children->rows) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const Child& a, const Child& b) { return score(a) > score(b); });
  }
}

Part NextPart(const std::function<bool(const Row&)>& is_beaten, size_t most, Children* children) {
  Part part;
  size_t longest = 0, open = 0;
  for (size_t sample = 0; sample < children->rows.size(); ++sample) {
    const std::vector<Child>& rows = children->rows[sample];
    size_t& begin = children->begins[sample];
    if (begin < rows.size() && is_beaten(rows[begin].row)) begin = rows.size();
    if (begin == rows.size()) continue;
    if (++open > most) continue;
    part.samples.push_back(static_cast<int64_t>(sample));
    part.begins.push_back(begin);
    longest = std::max(longest, rows.size() - begin);
  }
  if (part.samples.empty()) return part;
  part.width = std::min(longest, std::max<size_t>(1, most / part.samples.size()));
  part.is_last = part.width == longest && open == part.samples.size();
  for (const int64_t sample : part.samples) {
    size_t& begin = children->begins[sample];
    begin = std::min(begin + part.width, children->rows[sample].size());
  }
  return part;
}

Level TakePart(const Children& children, const Part& part, std::vector<int64_t>* order) {
  Level level;
  for (size_t at = 0; at < part.samples.size(); ++at) {
    const std::vector<Child>& rows = children.rows[part.samples[at]];
    const size_t begin = part.begins[at];
    level.samples.emplace_back();
    for (size_t i = begin; i < begin + part.width; ++i) {
      const Child& child = rows[i < rows.size() ? i : begin];
      if (i < rows.size()) level.samples.back().push_back(level.rows.size());
      level.rows.push_back(child.row);
      order->push_back(child.parent);
    }
  }
  return level;
}

}  // namespace generation
}  // namespace unival
