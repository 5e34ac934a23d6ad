// unival: feature_statistics.h - mean and deviation of each feature, for the connections that ask
// for standardize_features.
#ifndef UNIVAL_TRAINING_RUN_FEATURE_STATISTICS_H_
#define UNIVAL_TRAINING_RUN_FEATURE_STATISTICS_H_

#include "absl/status/status.h"
#include "runtime/model.h"
#include "training/run/run_setup.h"

namespace unival {

// Measures every connection of `model` whose statistics are still those of a fresh one, on up to
// 256 records, evenly spread, of each source of the first stage that uses the modality, as its
// encoder is now; then sets the buffers feature_mean and feature_std. Connections that were
// measured before keep what they have, as their weights were trained with it. The same model and
// data give the same bits. Records that cannot be read are left out here; training counts them.
// Errors: FailedPrecondition (no record can be used), InvalidArgument (features that are not
// finite), and those of the modality.
absl::Status MeasureFeatures(const RunData& data, const Model& model);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_FEATURE_STATISTICS_H_
