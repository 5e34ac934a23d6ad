// unival: weight_files.h - whether the files that a model's weights lie in are still as they were.
//
//   ... answers are computed ...
//   UNIVAL_RETURN_IF_ERROR(CheckWeightFiles(model));   // before they are believed
//
// Weights stay in their files until they are touched (MoveTensorsInto in safetensors.h), so a file
// that another program cuts or writes to would change what a model computes.
#ifndef UNIVAL_RUNTIME_WEIGHT_FILES_H_
#define UNIVAL_RUNTIME_WEIGHT_FILES_H_

#include "absl/status/status.h"
#include "runtime/model.h"

namespace unival {

// DataLoss names a file that was cut or written to, and the byte where it was cut. Files that were
// replaced, as this program writes them, do not matter: the opened file stays as it was.
absl::Status CheckWeightFiles(const Model& model);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_WEIGHT_FILES_H_
