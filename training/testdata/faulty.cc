// A modality that does not work, in the way that its option "fault" says; option "calls" names a
// file that counts the calls of its encoder, option "seen" one that lists what it saw: the numbers
// that the items' file names are.
#include <ATen/ATen.h>
#include <torch/nn/modules/batchnorm.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"

namespace {

struct Network : torch::nn::Module {
  Network() : norm(register_module("norm", torch::nn::BatchNorm1d(2))) {}
  torch::nn::BatchNorm1d norm;
};

class Faulty : public unival::Modality {
 public:
  explicit Faulty(const unival::ModalityConfig& config) {
    info_ = {config.id(), "faulty", "faulty/1", 2, 1, unival::PositionKind::kNone};
    const auto fault = config.options().find("fault");
    if (fault != config.options().end()) fault_ = fault->second;
    const auto calls = config.options().find("calls");
    if (calls != config.options().end()) calls_ = calls->second;
    const auto seen = config.options().find("seen");
    if (seen != config.options().end()) seen_ = seen->second;
    if (fault_ == "seventh_is_no_number") network_ = std::make_shared<Network>();
  }

  std::shared_ptr<torch::nn::Module> module() override { return network_; }

  const unival::ModalityInfo& info() const override { return info_; }
  std::string preprocessing_fingerprint() const override { return "faulty/1"; }

  absl::StatusOr<unival::PreprocessedSample> Preprocess(
      const unival::RawSample& raw) const override {
    if (fault_ == "configuration") return absl::InvalidArgumentError("the lens was never set");
    if (fault_ == "lost_file") return absl::NotFoundError("lens.bin: no such file");
    const std::string& path = raw.media.path;
    const bool is_broken =
        network_ != nullptr && path.size() > 6 && path.substr(path.size() - 6) == "/7.png";
    double value = is_broken ? NAN : 1.0;
    if (!seen_.empty()) value = std::atof(path.substr(path.rfind('/') + 1).c_str());
    return unival::PreprocessedSample{{at::full({1, 2}, value)}};
  }

  absl::StatusOr<unival::ModalityFeatures> Encode(const unival::PreprocessedBatch& batch) override {
    if (fault_ == "encoder") return absl::OutOfRangeError("the lens turned past its end");
    if (!calls_.empty()) std::ofstream(calls_, std::ios::app) << "encode\n";
    UNIVAL_ASSIGN_OR_RETURN(at::Tensor values, unival::StackSamples(batch, 0));
    for (int64_t row = 0; !seen_.empty() && row < values.size(0); ++row)
      std::ofstream(seen_, std::ios::app) << values[row][0][0].item<double>() << "\n";
    if (network_ != nullptr) values = network_->norm(values.squeeze(1)).unsqueeze(1);
    return unival::ModalityFeatures{values, {}, {}};
  }

 private:
  unival::ModalityInfo info_;
  std::string fault_;
  std::shared_ptr<Network> network_;  // with BatchNorm, where one record is to be no number
  std::string seen_;                  // a file with a line for every item
  std::string calls_;                 // a file with a line for every call of Encode
};

absl::StatusOr<std::unique_ptr<unival::Modality>> Create(const unival::ModalityConfig& config,
                                                         const unival::HostServices&) {
  return std::make_unique<Faulty>(config);
}

absl::Status Register(unival::Registrar& registrar) {
  return registrar.AddModality({"faulty", "fails as its option says", &Create});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("faulty", "1.0.0", Register)
