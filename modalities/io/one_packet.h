// unival: modalities/io/one_packet.h - pictures whose whole file is one packet of a decoder of
// libavcodec: these need no demuxer.
#ifndef UNIVAL_MODALITIES_IO_ONE_PACKET_H_
#define UNIVAL_MODALITIES_IO_ONE_PACKET_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "modalities/io/ffmpeg_handles.h"
#include "modalities/io/formats.h"
#include "modalities/io/orientation.h"

namespace unival {

// What messages say was expected.
constexpr char kExpectedImage[] = "an image";

// The picture that libavcodec's decoder `decoder` finds in the whole file. InvalidArgument when it
// is damaged, truncated, or larger than the limits. `beginning`: what the decoder is shown instead
// of as many bytes at the beginning of the file.
absl::StatusOr<at::Tensor> DecodeOnePacket(const EncodedMedia& file, const std::string& decoder,
                                           PixelFormat format, absl::string_view beginning = {});

// [height, width, 3] or [height, width, 1] uint8, turned as `orientation` says unless the options
// ask for pictures as stored; kGray16 gives int32. InvalidArgument names a
// pixel format that cannot be converted, and pictures larger than the limits.
absl::StatusOr<at::Tensor> FrameToTensor(const std::string& name, const DecoderOptions& options,
                                         const AVFrame& frame, PixelFormat format,
                                         Orientation orientation = Orientation::kUpright);

// Whether the installed libavcodec has this decoder.
bool HasDecoder(const std::string& decoder);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_ONE_PACKET_H_
