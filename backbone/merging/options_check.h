// unival: options_check.h - the options of a merge against its method, before any file is opened.
#ifndef UNIVAL_BACKBONE_MERGING_OPTIONS_CHECK_H_
#define UNIVAL_BACKBONE_MERGING_OPTIONS_CHECK_H_

#include "absl/status/statusor.h"
#include "backbone/merging/merge.h"
#include "backbone/merging/tensor_merge.h"

namespace unival {

// The method that `options` name. InvalidArgument names the field that does not fit it: weights and
// lambdas, the number of models, the base.
absl::StatusOr<const MergeMethod*> CheckMergeOptions(const MergeOptions& options);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_OPTIONS_CHECK_H_
