// unival: label_index.h - the labels of a task, to find one without looking at all.
//
//   const LabelIndex labels(task);
//   options.labels = &labels;         // of RenderOptions: for each record, and for each label
//
// A task may have a million labels (kMaxLabels): to look through them for each one is hours.
#ifndef UNIVAL_TASKS_SLOTS_LABEL_INDEX_H_
#define UNIVAL_TASKS_SLOTS_LABEL_INDEX_H_

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// Thread-safe: immutable.
class LabelIndex {
 public:
  // `task` must outlive this, unchanged.
  explicit LabelIndex(const TaskTemplate& task)
      : values_(task.labels().values().begin(), task.labels().values().end()) {}

  bool Has(absl::string_view label) const { return values_.contains(label); }

 private:
  const absl::flat_hash_set<absl::string_view> values_;
};

}  // namespace unival

#endif  // UNIVAL_TASKS_SLOTS_LABEL_INDEX_H_
