// unival: pickle_calls.h
//
// The calls that a pickle may contain, as functions from inert values to inert values. For
// pickle.cc.
//
//   PickleCalls calls(pickle, &IsCheckpointClass);
//   UNIVAL_ASSIGN_OR_RETURN(PickleNode value, calls.Call(callable, arguments));
#ifndef UNIVAL_RUNTIME_TORCH_FILE_PICKLE_CALLS_H_
#define UNIVAL_RUNTIME_TORCH_FILE_PICKLE_CALLS_H_

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/torch_file/pickle.h"

namespace unival {

class PickleCalls {
 public:
  PickleCalls(Pickle& pickle, PickleClassFilter is_record)
      : pickle_(pickle), is_record_(is_record) {}

  // REDUCE, NEWOBJ: `arguments` is a tuple. PermissionDenied for anything that is not known.
  absl::StatusOr<PickleNode> Call(const PickleNode& callable, PickleId arguments);
  // Set when the last call gave back one of its arguments: what is added to one is added to both.
  const absl::optional<PickleId>& same() const { return same_; }
  // BINPERSID: ("storage", torch.FloatStorage, key, location, elements[, view]).
  absl::StatusOr<PickleNode> Storage(const PickleNode& persistent_id);
  // BUILD: gives `object` its state.
  absl::Status Build(PickleId state, PickleNode* object);

  using Function = absl::StatusOr<PickleNode> (PickleCalls::*)(PickleId arguments);
  absl::StatusOr<PickleNode> RebuildTensor(PickleId arguments);
  absl::StatusOr<PickleNode> RebuildParameter(PickleId arguments);
  absl::StatusOr<PickleNode> MakeDict(PickleId arguments);
  absl::StatusOr<PickleNode> MakeEmptyDict(PickleId arguments);
  absl::StatusOr<PickleNode> MakeSet(PickleId arguments);
  absl::StatusOr<PickleNode> FirstArgument(PickleId arguments);
  absl::StatusOr<PickleNode> TypeTag(PickleId arguments);

 private:
  const PickleNode& node(PickleId id) const { return pickle_.nodes_[id]; }
  // Returns null where there are fewer.
  const PickleNode* Argument(PickleId arguments, size_t index) const;
  absl::StatusOr<std::vector<int64_t>> Integers(PickleId arguments, size_t index) const;
  absl::Status AddView(const PickleNode& view, PickleStorage* storage) const;

  Pickle& pickle_;
  const PickleClassFilter is_record_;
  absl::optional<PickleId> same_;
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_PICKLE_CALLS_H_
