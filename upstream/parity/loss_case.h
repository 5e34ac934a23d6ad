// unival: loss_case.h - losses and gradients of fixture samples; shared by the files "loss" and
// "training".
#ifndef UNIVAL_UPSTREAM_PARITY_LOSS_CASE_H_
#define UNIVAL_UPSTREAM_PARITY_LOSS_CASE_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "training/loss/loss.h"
#include "upstream/parity/fixture.h"
#include "upstream/parity/reference_model.h"
#include "upstream/parity/report.h"

namespace unival {
namespace parity {

double Norm(const at::Tensor& tensor);  // 2-norm, summed in float64

// The loss that a criterion's name and parameters describe.
LossConfig ReadLoss(const std::string& criterion, const Json& params);

struct LossRequest {
  LossConfig config;
  LossMasks masks;
  int64_t update = 0;      // finished updates
  std::string input_name;  // of generated media: "input.<this>.patch_images"
  uint64_t input_seed = 0;
};
// The loss of one sample: tokens, target, and media by shape ("patch_images_shape").
absl::StatusOr<LossResult> LossOn(ReferenceModel& model, const Json& sample,
                                  const LossRequest& request);

// Norm of every parameter's gradient, 0 where it has none.
std::map<std::string, double> GradientNorms(ReferenceModel& model);
double JointNorm(const std::map<std::string, double>& norms);
// Checks every norm that is recorded against ours times `scale`.
void CheckGradientNorms(const std::string& stage, const std::map<std::string, double>& norms,
                        double scale, const Json& recorded, Checker& check);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_LOSS_CASE_H_
