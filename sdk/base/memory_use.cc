#include "sdk/base/memory_use.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "sdk/base/files.h"

namespace unival {

MemoryUse MemoryOfThisProcess() {
  MemoryUse use;
  const absl::StatusOr<std::string> text = ReadWholeFile("/proc/self/status");
  if (!text.ok()) return use;
  const std::pair<absl::string_view, int64_t*> fields[] = {{"VmSize:", &use.addresses},
                                                           {"VmRSS:", &use.resident},
                                                           {"RssAnon:", &use.own},
                                                           {"VmHWM:", &use.peak}};
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    for (const auto& [name, bytes] : fields) {
      int64_t kilobytes = 0;
      absl::string_view value = line;
      const bool is_read = absl::ConsumePrefix(&value, name) && absl::ConsumeSuffix(&value, "kB") &&
                           absl::SimpleAtoi(value, &kilobytes);
      if (is_read) *bytes = kilobytes * 1024;
    }
  }
  return use;
}

double PeakMemoryMb() { return static_cast<double>(MemoryOfThisProcess().peak) / (1 << 20); }

}  // namespace unival
