// unival: depth_picture.h - depth maps in colours for people: bright is near, dark is far, black is
// no measurement.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_DEPTH_PICTURE_H_
#define UNIVAL_EXAMPLES_QUICKSTART_DEPTH_PICTURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace unival::quickstart {

// PNG bytes. `millimetres`: [height, width]; 0.5 m to 8 m span the colours, on a logarithmic scale.
absl::StatusOr<std::string> DepthPicturePng(absl::Span<const int32_t> millimetres, int width,
                                            int height);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_DEPTH_PICTURE_H_
