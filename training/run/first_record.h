// unival: first_record.h - whether a source's first records go through a model, so that nothing
// fails only at the first step.
#ifndef UNIVAL_TRAINING_RUN_FIRST_RECORD_H_
#define UNIVAL_TRAINING_RUN_FIRST_RECORD_H_

#include "absl/status/status.h"
#include "runtime/model.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

// Encodes the first record whose media can be decoded, within the first few. What the backbone says
// of it is returned: a position grid that is too small for its pictures, a sequence that is too
// long. Records that cannot be read or are too long are met where their turn comes.
absl::Status CheckFirstMedia(const Model& model, const Task& task, const Source& source,
                             ExampleMode mode);

// The same with its prompt and target, as training reads them.
absl::Status CheckFirstRecord(const Model& model, const Task& task, const Source& source);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_FIRST_RECORD_H_
