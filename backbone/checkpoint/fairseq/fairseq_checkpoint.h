// unival: fairseq_checkpoint.h
//
// A checkpoint of the reference's trainer: weights, moving average, and the arguments that made
// the model. Optimizer states stay untouched in the file.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto checkpoint, FairseqCheckpoint::Open("checkpoint_best.pt"));
//   for (const auto& [name, view] : checkpoint->model()) ...
#ifndef UNIVAL_BACKBONE_CHECKPOINT_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_
#define UNIVAL_BACKBONE_CHECKPOINT_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "backbone/checkpoint/fairseq/torch_file.h"
#include "backbone/checkpoint/files.h"

namespace unival {

using TensorViews = std::map<std::string, TensorView>;

// Views are over a mapping that `file()` keeps. Thread-safe.
class FairseqCheckpoint {
 public:
  // Errors start with the path; see ParseTorchFile.
  static absl::StatusOr<std::shared_ptr<const FairseqCheckpoint>> Open(const std::string& path);

  const std::shared_ptr<const MappedFile>& file() const { return file_; }
  const TensorViews& model() const { return model_; }
  // Empty without one (`extra_state["ema"]`).
  const TensorViews& ema() const { return ema_; }
  // The scalar arguments as a JSON object: those of the model from `args` or `cfg["model"]`, then
  // those of `cfg["task"]`, which win.
  const std::string& arguments() const { return arguments_; }
  int64_t updates() const { return updates_; }

 private:
  FairseqCheckpoint() = default;

  std::shared_ptr<const MappedFile> file_;
  TensorViews model_, ema_;
  std::string arguments_;
  int64_t updates_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_CHECKPOINT_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_
