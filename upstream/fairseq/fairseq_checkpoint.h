// unival: fairseq_checkpoint.h
//
// A checkpoint of the reference's trainer: weights, moving average, and the arguments that made
// the model. Optimizer states stay untouched in the file.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto checkpoint, FairseqCheckpoint::Open("checkpoint_best.pt"));
//   for (const auto& [name, view] : checkpoint->model()) ...
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/torch_file/torch_file.h"

namespace unival {

using TensorViews = std::map<std::string, TensorView>;

// The tensors of a file of torch.save: what the file holds itself, or under one of `keys`.
// Views are over a mapping that `keeper` keeps.
struct TorchTensors {
  TensorViews tensors;
  std::shared_ptr<const void> keeper;
};
// Errors start with the path; see ParseTorchFile. InvalidArgument where there is no dict of
// tensors.
absl::StatusOr<TorchTensors> ReadTorchTensors(const std::string& path,
                                              const std::vector<std::string>& keys);

// Views are over a mapping that `keeper()` keeps. Thread-safe.
class FairseqCheckpoint {
 public:
  // Put together from other files: weights by the reference's names, and arguments as JSON.
  FairseqCheckpoint(TensorViews model, std::string arguments, std::shared_ptr<const void> keeper)
      : keeper_(std::move(keeper)),
        model_(std::move(model)),
        arguments_(std::move(arguments)),
        model_arguments_(arguments_) {}

  // Errors start with the path; see ParseTorchFile.
  static absl::StatusOr<std::shared_ptr<const FairseqCheckpoint>> Open(const std::string& path);

  const std::shared_ptr<const void>& keeper() const { return keeper_; }
  const TensorViews& model() const { return model_; }
  // Empty without one (`extra_state["ema"]`).
  const TensorViews& ema() const { return ema_; }
  // The scalar arguments as a JSON object: those of the model from `args` or `cfg["model"]`, then
  // those of `cfg["task"]`, which win.
  const std::string& arguments() const { return arguments_; }
  // Those of the model alone.
  const std::string& model_arguments() const { return model_arguments_; }
  int64_t updates() const { return updates_; }

 private:
  FairseqCheckpoint() = default;

  std::shared_ptr<const void> keeper_;
  TensorViews model_, ema_;
  std::string arguments_, model_arguments_;
  int64_t updates_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CHECKPOINT_H_
