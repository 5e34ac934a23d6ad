// unival: json_depth.h - JSON from elsewhere, looked at before a library follows it.
//
//   UNIVAL_RETURN_IF_ERROR(Annotate(CheckJsonDepth(text), file));
//
// The library parses without recursion, but copies and prints values by it (ordered objects are
// copied while they grow, so while they are parsed): a list in a list four hundred thousand times
// would end the process.
#ifndef UNIVAL_SDK_BASE_JSON_DEPTH_H_
#define UNIVAL_SDK_BASE_JSON_DEPTH_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// No file that this program or another writes comes near it.
inline constexpr int kMaxJsonDepth = 64;

// InvalidArgument when lists and objects stand in each other deeper than kMaxJsonDepth. Of what is
// no JSON it says nothing.
absl::Status CheckJsonDepth(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_JSON_DEPTH_H_
