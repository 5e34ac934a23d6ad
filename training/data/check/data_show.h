// unival: data_show.h
//
// Records as a model sees them: the tensors that a modality makes of their media, as pictures, and
// prompt and target as pieces.
//
//   DataShowOptions options;
//   options.folder = "shown";
//   UNIVAL_RETURN_IF_ERROR(ShowData(options, *pipeline, *task, *source).status());
#ifndef UNIVAL_TRAINING_DATA_CHECK_DATA_SHOW_H_
#define UNIVAL_TRAINING_DATA_CHECK_DATA_SHOW_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "sdk/native/modality.h"
#include "training/data/read/source.h"

namespace unival {

struct DataShowOptions {
  std::string folder;  // receives NUMBER_MODALITY.png and NUMBER.txt of each record; empty: none
  std::string html;    // a page with all of them; empty: none
  int64_t first = 1;   // the first record, from 1
  int64_t count = 8;
};

struct DataShowReport {
  int64_t shown = 0;
  std::vector<std::string> failures;  // "KEY: why" of records that could not be prepared
};

// `model` has the task's modalities loaded. Errors: files that cannot be written, a first record
// beyond the last.
absl::StatusOr<DataShowReport> ShowData(const DataShowOptions& options, const Model& model,
                                        const Task& task, const Source& source);

// A preprocessed tensor as PNG, its least value black and its greatest white: [C, H, W] with C 1 or
// 3 as a picture; [T, C, H, W] or [3, T, H, W] as frames side by side; [T, F], and [1, T, F] of a
// modality whose features are a sequence, as a spectrogram with time to the right and frequency
// upwards; [N, H, W] as grey pictures side by side. InvalidArgument for other shapes.
absl::StatusOr<std::string> TensorPng(const at::Tensor& tensor, PositionKind positions);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_DATA_SHOW_H_
