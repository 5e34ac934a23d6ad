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

// Rows of one step. Their keys and values are what takes memory: about 0.3 MB a row at base size.
inline constexpr int64_t kMostRows = 256;
// Of the first part of a level: a few answers that are likely to be good leave many others out.
inline constexpr int64_t kFirstRows = 32;

// Rows that a decoder is to step next: those of one sample stand together, as many for each sample.
struct Level {
  std::vector<Row> rows;
  std::vector<std::vector<int64_t>> samples;  // rows of each sample that are open nodes
};

// A node and the row that it continues.
struct Child {
  Row row;
  int64_t parent = 0;
};

// The children of a level by sample, those of each that were not visited yet from `begins` on.
struct Children {
  std::vector<std::vector<Child>> rows;
  std::vector<size_t> begins;
};

// A part of a level's children: `width` rows of each of the samples `samples`, from the sample's
// place in `begins` on.
struct Part {
  std::vector<int64_t> samples;
  std::vector<size_t> begins;
  size_t width = 0;
  bool is_last = true;  // no other children are left
};

// Orders the children of each sample by their scores, the best first, so that the others may turn
// out not to be needed.
void BestFirst(Children* children);

// The next children, as many of each sample and at most `most` together, of all samples that have
// some left. None: all were visited, or are beaten. `is_beaten`: whether enough answers were found
// that are better than all below a row; the rows behind it, which are no better, are then left out.
Part NextPart(const std::function<bool(const Row&)>& is_beaten, size_t most, Children* children);

// The rows of a part. The decoder needs the same number of rows for every sample: where one has
// fewer open nodes, its first row is repeated, and the copies are not expanded. `order` receives
// for each row the one of the level above that it continues.
Level TakePart(const Children& children, const Part& part, std::vector<int64_t>* order);

}  // namespace generation
}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_CANDIDATE_PARTS_H_
