#include "runtime/torchscript/program.h"

#include <torch/csrc/api/include/torch/version.h>
#include <torch/script.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

class Program : public TorchScriptProgram {
 public:
  explicit Program(torch::jit::Module module) : module_(std::move(module)) { module_.eval(); }

  absl::StatusOr<at::Tensor> Run(const at::Tensor& input) override {
    return CatchTorch("TorchScript program", [&]() -> absl::StatusOr<at::Tensor> {
      at::NoGradGuard no_grad;
      const c10::IValue value = module_.forward({input});
      if (!value.isTensor())
        return absl::InternalError("TorchScript program: forward gave no tensor");
      return value.toTensor();
    });
  }

 private:
  torch::jit::Module module_;
};

// "2.6.0+cu124" -> {2, 6}
absl::StatusOr<std::pair<int, int>> FirstTwo(const std::string& version) {
  const std::vector<std::string> parts = absl::StrSplit(version, '.');
  std::pair<int, int> numbers;
  if (parts.size() >= 2 && absl::SimpleAtoi(parts[0], &numbers.first) &&
      absl::SimpleAtoi(parts[1], &numbers.second)) {
    return numbers;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("producer_torch \"", version, "\": expected a version like \"1.13.1\""));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TorchScriptProgram>> TorchScriptProgram::Load(
    const std::string& path) {
  return CatchTorch(path, [&]() -> std::unique_ptr<TorchScriptProgram> {
    return std::make_unique<Program>(torch::jit::load(path, at::kCPU));
  });
}

absl::Status WriteTorchScript(const std::string& path,
                              const std::map<std::string, at::Tensor>& tensors,
                              const std::string& source) {
  return CatchTorch(path, [&] {
    torch::jit::Module module("Encoder");
    for (const auto& [name, tensor] : tensors) module.register_buffer(name, tensor);
    module.define(source);
    module.save(path);
  });
}

std::string HostTorchVersion() { return TORCH_VERSION; }

absl::Status CheckProducer(const std::string& producer) {
  UNIVAL_ASSIGN_OR_RETURN(const auto found, FirstTwo(producer));
  UNIVAL_ASSIGN_OR_RETURN(const auto host, FirstTwo(TORCH_VERSION));
  if (found <= host) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("its program was written by libtorch ", producer, ", this host has libtorch ",
                   TORCH_VERSION, "; export it with an older version or use a newer host"));
}

}  // namespace unival
