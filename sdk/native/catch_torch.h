// unival: catch_torch.h
//
// Turns libtorch's exceptions into statuses. All code that calls libtorch uses it.
//
//   // absl::StatusOr<at::Tensor>:
//   return CatchTorch("encode image", [&] { return network->forward(input); });
#ifndef UNIVAL_SDK_NATIVE_CATCH_TORCH_H_
#define UNIVAL_SDK_NATIVE_CATCH_TORCH_H_

#include <exception>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

// A status with `what` and the first line of the exception's text. ResourceExhausted for
// std::bad_alloc and libtorch's out-of-memory errors, otherwise Internal.
absl::Status StatusFromException(absl::string_view what, const std::exception& error);

// Runs `body` and turns an exception into a status. `body` returns T, absl::StatusOr<T>,
// absl::Status or void; the result is a StatusOr<T> or a Status.
template <typename Body>
auto CatchTorch(absl::string_view what, Body&& body) {
  using Result = std::invoke_result_t<Body>;
  if constexpr (std::is_void_v<Result>) {
    try {
      std::forward<Body>(body)();
      return absl::OkStatus();
    } catch (const std::exception& error) {
      return StatusFromException(what, error);
    }
  } else if constexpr (std::is_convertible_v<absl::Status, Result>) {
    try {
      return std::forward<Body>(body)();
    } catch (const std::exception& error) {
      return Result(StatusFromException(what, error));
    }
  } else {
    try {
      return absl::StatusOr<Result>(std::forward<Body>(body)());
    } catch (const std::exception& error) {
      return absl::StatusOr<Result>(StatusFromException(what, error));
    }
  }
}

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_CATCH_TORCH_H_
