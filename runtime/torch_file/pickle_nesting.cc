#include "runtime/torch_file/pickle_nesting.h"

#include <algorithm>
#include <vector>

#include "sdk/base/status.h"

namespace unival {
namespace {

// What is known of a value once all that it holds is known.
struct Extent {
  enum { kNew, kOpen, kDone } state = kNew;
  size_t depth = 1, size = 1;
};

}  // namespace

absl::Status CheckNesting(const Pickle& pickle, size_t max_depth, size_t max_size) {
  struct Visit {
    PickleId id;
    size_t next = 0;  // item
  };
  std::vector<Extent> extents(pickle.node_count());
  std::vector<Visit> path = {{pickle.root_id()}};
  extents[pickle.root_id()].state = Extent::kOpen;
  while (!path.empty()) {
    Visit& visit = path.back();
    Extent& own = extents[visit.id];
    const std::vector<PickleId>& items = pickle.node(visit.id).items;
    if (visit.next == items.size()) {
      own.state = Extent::kDone;
      path.pop_back();
      continue;
    }
    const Extent& item = extents[items[visit.next]];
    if (item.state == Extent::kOpen) return InvalidArgument("a value holds itself");
    if (item.state == Extent::kNew) {
      if (path.size() == max_depth)
        return InvalidArgument("values stand more than ", max_depth, " deep in each other");
      extents[items[visit.next]].state = Extent::kOpen;
      path.push_back({items[visit.next]});
      continue;
    }
    ++visit.next;
    own.depth = std::max(own.depth, item.depth + 1);
    own.size += item.size;
    if (own.depth > max_depth)
      return InvalidArgument("values stand more than ", max_depth, " deep in each other");
    if (own.size > max_size)
      return InvalidArgument("values that are shared amount to more than ", max_size);
  }
  return absl::OkStatus();
}

}  // namespace unival
