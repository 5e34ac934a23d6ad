#include "backbone/model/source_places.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

namespace unival {
namespace {

bool HasPlaces(const ModalitySegment& segment) {
  return std::any_of(segment.places.begin(), segment.places.end(),
                     [](int64_t place) { return place >= 0; });
}

using TakenPositions = std::vector<std::set<int64_t>>;  // by row

void Take(const ModalitySegment& segment, TakenPositions* taken) {
  TORCH_CHECK(segment.places.empty() || segment.places.size() == segment.rows.size(), "segment \"",
              segment.connection, "\" names ", segment.rows.size(), " rows and ",
              segment.places.size(), " places");
  for (size_t i = 0; i < segment.places.size(); ++i) {
    const int64_t row = segment.rows[i], place = segment.places[i];
    // A row outside the batch is named where the segment is embedded.
    if (place < 0 || row < 0 || row >= static_cast<int64_t>(taken->size())) continue;
    TORCH_CHECK((*taken)[row].insert(place).second, "segment \"", segment.connection, "\": place ",
                place, " of row ", row, " is taken by another item");
  }
}

}  // namespace

SourcePlaces::SourcePlaces(const ModelInput& input) {
  if (std::none_of(input.segments.begin(), input.segments.end(), HasPlaces)) return;
  const int64_t batch = input.source_tokens.size(0), length = input.source_tokens.size(1);
  TakenPositions taken(batch);
  for (const ModalitySegment& segment : input.segments) Take(segment, &taken);
  text_ = at::empty({batch, length}, at::kLong);
  int64_t* next = text_.data_ptr<int64_t>();
  for (const std::set<int64_t>& of_row : taken) {
    int64_t position = 0;
    for (int64_t token = 0; token < length; ++token) {
      while (of_row.count(position) > 0) ++position;
      *next++ = position++;
    }
  }
}

}  // namespace unival
