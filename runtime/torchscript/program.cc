#include "runtime/torchscript/program.h"

#include <c10/util/Exception.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <pthread.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/script.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/memory_budget.h"
#include "runtime/torchscript/archive_check.h"
#include "runtime/torchscript/operation_limit.h"
#include "runtime/torchscript/program_check.h"
#include "runtime/torchscript/text_operators.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// Warnings are the program's own words, which are of no use to a user and may be anything.
class DropWarnings : public c10::WarningHandler {
 public:
#if TORCH_VERSION_MAJOR < 2
  using Guard = c10::Warning::WarningHandlerGuard;
  void process(const c10::SourceLocation&, const std::string&, const bool) override {}
#else
  using Guard = c10::WarningUtils::WarningHandlerGuard;
  void process(const c10::Warning&) override {}
#endif
};

class Program : public TorchScriptProgram {
 public:
  Program(torch::jit::Module module, double loop_seconds)
      : module_(std::move(module)), loop_seconds_(loop_seconds) {}

  absl::StatusOr<at::Tensor> Run(const at::Tensor& input) override {
    OperationLimit operations(loop_seconds_);
    const MemoryBudget memory(kMaxProgramMemory, "the bound of one item");
    absl::StatusOr<at::Tensor> output = Forward(input, operations);
    if (output.ok()) return output;
    if (!operations.failure().empty()) return OverBound(operations);
    if (!memory.is_exceeded()) return output.status();
    return absl::ResourceExhaustedError(
        absl::StrCat("TorchScript program: ", operations.operation(), " needs more than ",
                     kMaxProgramMemory >> 20, " MiB", kFault));
  }

 private:
  static constexpr char kFault[] =
      " for one item; the program is at fault, or the item too large for it";

  static absl::Status OverBound(const OperationLimit& operations) {
    const std::string message = absl::StrCat("TorchScript program: ", operations.failure(), kFault);
    return operations.is_late() ? absl::DeadlineExceededError(message)
                                : absl::ResourceExhaustedError(message);
  }

  absl::StatusOr<at::Tensor> Forward(const at::Tensor& input, const OperationLimit& operations) {
    return CatchTorch("TorchScript program", [&]() -> absl::StatusOr<at::Tensor> {
      at::NoGradGuard no_grad;
      DropWarnings drop;
      const DropWarnings::Guard guard(&drop);
      const c10::IValue value = Call(input, operations);
      if (!value.isTensor())
        return absl::InternalError("TorchScript program: forward gave no tensor");
      return value.toTensor();
    });
  }

  // The interpreter's own text begins with where in the source it was, over many lines.
  c10::IValue Call(const at::Tensor& input, const OperationLimit& operations) {
    try {
      return module_.forward({input});
    } catch (const std::exception& error) {
      constexpr char kReason[] = "RuntimeError: ";
      const std::string text = error.what();
      const size_t reason = text.rfind(kReason);
      if (reason == std::string::npos) throw;
      throw std::runtime_error(
          absl::StrCat(operations.operation(), ": ", text.substr(reason + std::strlen(kReason))));
    }
  }

  torch::jit::Module module_;
  const double loop_seconds_;
};

// libtorch's compiler follows calls and classes by recursion: at most as deep as a file has
// definitions, for each of which this is enough.
constexpr size_t kStackBytes = size_t{512} << 20;

absl::Status OnLargeStack(std::function<void()> body) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  int error = pthread_attr_setstacksize(&attributes, kStackBytes);
  const auto run = [](void* function) -> void* {
    (*static_cast<std::function<void()>*>(function))();
    return nullptr;
  };
  if (error == 0) error = pthread_create(&thread, &attributes, run, &body);
  pthread_attr_destroy(&attributes);
  if (error == 0) error = pthread_join(thread, nullptr);
  if (error == 0) return absl::OkStatus();
  return absl::ResourceExhaustedError("no thread to read a program with");
}

// libtorch's own errors are about the file here.
absl::StatusOr<torch::jit::Module> ReadModule(absl::string_view bytes) {
  auto module = CatchTorch("libtorch cannot read it", [&]() -> absl::StatusOr<torch::jit::Module> {
    torch::jit::Module read =
        torch::jit::load(std::make_shared<caffe2::serialize::MemoryReadAdapter>(
                             bytes.data(), static_cast<off_t>(bytes.size())),
                         at::kCPU);
    if (!read.find_method("forward").has_value()) return InvalidArgument("has no method forward");
    UNIVAL_RETURN_IF_ERROR(CheckScriptProgram(read));
    LimitOperations(read);
    read.eval();
    return read;
  });
  if (module.ok() || !absl::IsInternal(module.status())) return module;
  return InvalidArgument(module.status().message());
}

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

absl::StatusOr<std::unique_ptr<TorchScriptProgram>> TorchScriptProgram::FromBytes(
    absl::string_view bytes, const std::string& name, double loop_seconds) {
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckScriptArchive(bytes), name));
  BoundTextOperators();
  absl::StatusOr<torch::jit::Module> module = absl::InternalError("not read");
  UNIVAL_RETURN_IF_ERROR(OnLargeStack([&] { module = ReadModule(bytes); }));
  if (!module.ok()) return Annotate(module.status(), name);
  return std::unique_ptr<TorchScriptProgram>(
      std::make_unique<Program>(*std::move(module), loop_seconds));
}

absl::StatusOr<std::unique_ptr<TorchScriptProgram>> TorchScriptProgram::Load(
    const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path, kMaxProgramFile));
  return FromBytes(bytes, path);
}

absl::Status WriteTorchScript(const std::string& path,
                              const std::map<std::string, at::Tensor>& tensors,
                              const std::string& source) {
  BoundTextOperators();
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
