// unival: host_table.h
//
// The host's side of tier 2's boundary: the table that plugins call, and what their codes
// become.
//
//   absl::Status status = StatusOf(table.encode(self, &call), "modality \"imu\": encode");
//
// Thread-safe: messages that a plugin leaves with `fail` belong to the thread that called it.
#ifndef UNIVAL_RUNTIME_C_ABI_HOST_TABLE_H_
#define UNIVAL_RUNTIME_C_ABI_HOST_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sdk/abi/unival_plugin.h"

namespace unival {

// The table handed to every plugin; lives as long as the process.
const UnivalHost* CHost();

// The status of a call that returned `code`: OK for 0, else that code (Unknown for a code that absl
// does not have) with "WHAT: message". Takes the message that `fail` left on this thread; where
// there is none, the message says so.
absl::Status StatusOf(UnivalCode code, absl::string_view what);
// Does the same for an entry function, which gives null instead of a code: FailedPrecondition
// unless `fail` said otherwise.
absl::Status StatusOfNull(absl::string_view what);

// The code that a host function returns when it refuses a plugin's call. The plugin can read the
// message.
UnivalCode Refuse(const absl::Status& status);

inline UnivalStr ToStr(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view FromStr(UnivalStr text) {
  return text.data == nullptr ? absl::string_view() : absl::string_view(text.data, text.size);
}
std::vector<UnivalStr> ToStrs(const std::vector<std::string>& texts);
std::vector<std::string> FromStrs(const UnivalStr* texts, uint64_t count);

// A struct of another minor as this host knows it: what the plugin does not have is zero. T begins
// with struct_size.
template <typename T>
T Widened(const T& from) {
  T to;
  std::memset(&to, 0, sizeof(to));
  std::memcpy(&to, &from, std::min<uint64_t>(from.struct_size, sizeof(to)));
  to.struct_size = sizeof(to);
  return to;
}

// Sinks over the caller's containers.
UnivalTextSink TextSink(std::string* text);
UnivalIdSink IdSink(std::vector<int64_t>* ids);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_HOST_TABLE_H_
