#include "sdk/base/version.h"

namespace unival {

absl::string_view Version() { return UNIVAL_VERSION; }

}  // namespace unival
