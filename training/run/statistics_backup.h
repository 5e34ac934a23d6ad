// unival: statistics_backup.h - the buffers that a forward pass in training mode moves, such as
// BatchNorm's running mean, as they were before a batch that turns out to be unusable.
#ifndef UNIVAL_TRAINING_RUN_STATISTICS_BACKUP_H_
#define UNIVAL_TRAINING_RUN_STATISTICS_BACKUP_H_

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <utility>
#include <vector>

namespace unival {

// Single-threaded. Shares `tensors` with their owner.
class StatisticsBackup {
 public:
  explicit StatisticsBackup(std::vector<at::Tensor> tensors = {}) : tensors_(std::move(tensors)) {
    for (const at::Tensor& tensor : tensors_) copies_.push_back(tensor.detach().clone());
  }

  void Save() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) copies_[i].copy_(tensors_[i]);
  }
  void Restore() {
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(copies_[i]);
  }

 private:
  std::vector<at::Tensor> tensors_, copies_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STATISTICS_BACKUP_H_
