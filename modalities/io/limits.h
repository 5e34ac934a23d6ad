// unival: modalities/io/limits.h - what decoding one media item may take, checked before it is
// taken.
//
// Whatever the file claims, decoding takes at most DecodingMemory(options) bytes beyond what the
// program holds before; the samples of a sound and the selected frames of a video, whose limit is
// max_decoded_bytes, come on top.
#ifndef UNIVAL_MODALITIES_IO_LIMITS_H_
#define UNIVAL_MODALITIES_IO_LIMITS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "modalities/io/decoder.h"

namespace unival {

// InvalidArgument, a media error, names `name`: sides below 1, or more than max_pixels.
absl::Status CheckPixels(const std::string& name, const DecoderOptions& options, int64_t width,
                         int64_t height);

// The same when decoding needs `bytes`, which is more than DecodingMemory. `what` says of which
// kind the media are: "a progressive JPEG of 9000 x 9000".
absl::Status CheckMemory(const std::string& name, const DecoderOptions& options, int64_t bytes,
                         const std::string& what);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_LIMITS_H_
