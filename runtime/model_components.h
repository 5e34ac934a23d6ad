// unival: model_components.h - the files of a model directory that a Model is read from, and what
// is known of them before anything is built: their headers, their sizes.
#ifndef UNIVAL_RUNTIME_MODEL_COMPONENTS_H_
#define UNIVAL_RUNTIME_MODEL_COMPONENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "backbone/storage/model_directory.h"
#include "sdk/proto/model.pb.h"

namespace unival {

inline constexpr char kTokenizerComponent[] = "tokenizer";

// The manifest against the headers of the files, so that a damaged number is no size of a tensor
// that is made. InvalidArgument names the field and the file.
absl::Status CheckShapes(const ModelDirectory& directory);

// The large files that are read when these modalities are loaded, by component.
std::vector<std::string> WeightComponents(const Manifest& manifest,
                                          const std::vector<std::string>& modalities);

// Bytes that loading the model may take at most, by the sizes of its files; never more than the
// machine has.
int64_t LoadBudget(const ModelDirectory& directory);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_MODEL_COMPONENTS_H_
