// unival: program.h
//
// A TorchScript file as a function from tensor to tensor, and how one is written. The only place
// that includes libtorch's script interface.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto program, TorchScriptProgram::Load("encoder.pt"));
//   UNIVAL_ASSIGN_OR_RETURN(at::Tensor features, program->Run(input));     // [1, ...] -> [1, N, F]
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

inline constexpr int64_t kMaxProgramFile = int64_t{8} << 30;
inline constexpr double kMaxLoopSeconds = 60;                   // of one call
inline constexpr int64_t kMaxProgramMemory = int64_t{4} << 30;  // of the tensors of one call

// One call at a time.
class TorchScriptProgram {
 public:
  virtual ~TorchScriptProgram() = default;
  // Of the bytes of a file, whose name is for messages. In evaluation mode, on the CPU. Nothing of
  // it runs before it was looked at: the archive (archive_check.h) before libtorch reads it, the
  // program (program_check.h) before it is called. InvalidArgument names what is refused and where.
  // Its loops end after `loop_seconds` of a call, and it all after twice that, or the call fails.
  static absl::StatusOr<std::unique_ptr<TorchScriptProgram>> FromBytes(
      absl::string_view bytes, const std::string& name, double loop_seconds = kMaxLoopSeconds);
  // Does the same with a file.
  static absl::StatusOr<std::unique_ptr<TorchScriptProgram>> Load(const std::string& path);
  // Internal when the program fails or gives no tensor. DeadlineExceeded when it has not ended in
  // time, ResourceExhausted when it needs more memory than kMaxProgramMemory or makes a larger
  // tensor or list than operation_limit.h lets it: both name the operation. One operation runs to
  // its end; on tensors so bounded that takes minutes at most.
  virtual absl::StatusOr<at::Tensor> Run(const at::Tensor& input) = 0;
};

// Writes a module with buffers `tensors` and the TorchScript `source` ("def forward(self, x):
// ..."). InvalidArgument: source that does not compile.
absl::Status WriteTorchScript(const std::string& path,
                              const std::map<std::string, at::Tensor>& tensors,
                              const std::string& source);

// The libtorch that this host was built with, "1.13.1".
std::string HostTorchVersion();

// FailedPrecondition when `producer` is later than the host's libtorch (first two numbers),
// InvalidArgument when it is no version.
absl::Status CheckProducer(const std::string& producer);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_PROGRAM_H_
