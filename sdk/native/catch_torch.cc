#include "sdk/native/catch_torch.h"

#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace unival {

absl::Status StatusFromException(absl::string_view what, const std::exception& error) {
  absl::string_view text = error.what();
  text = text.substr(0, text.find('\n'));
  const std::string message = absl::StrCat(what, ": ", text);
  const bool out_of_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
                             absl::StrContains(text, "out of memory") ||
                             absl::StrContains(text, "can't allocate memory");
  return out_of_memory ? absl::ResourceExhaustedError(message) : absl::InternalError(message);
}

}  // namespace unival
