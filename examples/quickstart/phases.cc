#include "examples/quickstart/phases.h"

#include <iostream>

#include "absl/strings/str_format.h"
#include "sdk/base/status.h"

namespace unival::quickstart {

absl::Status Phases::Run(const std::string& name, const std::function<absl::Status()>& work) {
  std::cout << absl::StrFormat("[%d/%d] %s\n", times_.size() + 1, count_, name) << std::flush;
  const auto start = std::chrono::steady_clock::now();
  const absl::Status status = work();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!status.ok()) return Annotate(status, name);
  std::cout << absl::StrFormat("      done in %.1f s\n", seconds) << std::flush;
  times_.push_back({name, seconds});
  return absl::OkStatus();
}

}  // namespace unival::quickstart
