// A modality that does not work, in the way that its option "fault" says; option "calls" names a
// file that counts the calls of its encoder.
#include <ATen/ATen.h>

#include <fstream>
#include <string>

#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"

namespace {

class Faulty : public unival::Modality {
 public:
  explicit Faulty(const unival::ModalityConfig& config) {
    info_ = {config.id(), "faulty", "faulty/1", 2, 1, unival::PositionKind::kNone};
    const auto fault = config.options().find("fault");
    if (fault != config.options().end()) fault_ = fault->second;
    const auto calls = config.options().find("calls");
    if (calls != config.options().end()) calls_ = calls->second;
  }

  const unival::ModalityInfo& info() const override { return info_; }
  std::string preprocessing_fingerprint() const override { return "faulty/1"; }

  absl::StatusOr<unival::PreprocessedSample> Preprocess(const unival::RawSample&) const override {
    if (fault_ == "configuration") return absl::InvalidArgumentError("the lens was never set");
    if (fault_ == "lost_file") return absl::NotFoundError("lens.bin: no such file");
    return unival::PreprocessedSample{{at::ones({1, 2})}};
  }

  absl::StatusOr<unival::ModalityFeatures> Encode(const unival::PreprocessedBatch& batch) override {
    if (fault_ == "encoder") return absl::OutOfRangeError("the lens turned past its end");
    if (!calls_.empty()) std::ofstream(calls_, std::ios::app) << "encode\n";
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor values, unival::StackSamples(batch, 0));
    return unival::ModalityFeatures{values, {}, {}};
  }

 private:
  unival::ModalityInfo info_;
  std::string fault_;
  std::string calls_;  // a file with a line for every call of Encode
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
