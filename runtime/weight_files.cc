#include "runtime/weight_files.h"

#include <ATen/core/Tensor.h>

#include "sdk/base/mapped_file.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::Status CheckWeightFiles(const Model& model) {
  for (const NamedTensor& named : model.State()) {
    if (!named.tensor.is_cpu()) continue;
    UNIVAL_RETURN_IF_ERROR(MappedFile::CheckUnchangedAt(named.tensor.data_ptr()));
  }
  return absl::OkStatus();
}

}  // namespace unival
