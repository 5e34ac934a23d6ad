// unival: candidate_parts.h - in which order and how many at once the nodes of an answer tree are
// given to the decoder (candidate_scoring.cc scores them).
#ifndef UNIVAL_BACKBONE_GENERATION_CANDIDATE_PARTS_H_
#define UNIVAL_BACKBONE_GENERATION_CANDIDATE_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "backbone/generation/search.h"

namespace unival {
namespace generation {

// Most rows of one decoder step. Memory goes to the rows' keys and values: about 0.3 MB a row at
// base size.
inline constexpr int64_t kMostRows = 256;
// Rows of the first part of a level. It is small, because the scores of a few good answers often
// show that many others need not be visited.
inline constexpr int64_t kFirstRows = 32;

// The rows of the next decoder step. The rows of a sample stand together, and every sample has the
// same number of rows.
struct Level {
  std::vector<Row> rows;
  std::vector<std::vector<int64_t>> samples;  // rows of each sample that are open nodes
};

// A node and the row that it continues.
struct Child {
  Row row;
  int64_t parent = 0;
};

// The children of a level, by sample. begins[b]: the first child of sample b that was not visited
// yet.
struct Children {
  std::vector<std::vector<Child>> rows;
  std::vector<size_t> begins;
};

// A part of a level's children: for each i, `width` children of sample samples[i], of which the
// first one is number begins[i].
struct Part {
  std::vector<int64_t> samples;
  std::vector<size_t> begins;
  size_t width = 0;
  bool is_last = true;  // no other children are left
};

// Orders the children of each sample by their scores, the best first, so that the others may turn
// out not to be needed.
void BestFirst(Children* children);

// The next children to visit: equally many of each sample that has some left, at most `most`
// together. Empty when all were visited or are beaten. `is_beaten(row)`: whether enough answers
// were found that are better than every answer below the row. The children after such a row have no
// better scores, so they are left out, too.
Part NextPart(const std::function<bool(const Row&)>& is_beaten, size_t most, Children* children);

// The rows of a part. The decoder needs the same number of rows for every sample: where one has
// fewer open nodes, its first row is repeated, and the copies are not expanded. `order` receives
// for each row the one of the level above that it continues.
Level TakePart(const Children& children, const Part& part, std::vector<int64_t>* order);

}  // namespace generation
}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_CANDIDATE_PARTS_H_
