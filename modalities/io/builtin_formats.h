// unival: modalities/io/builtin_formats.h - the formats that ship. A new one needs its line here,
// its own file decode_foo.cc that defines FooFormat, and that file's line in BUILD.
#ifndef UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
#define UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_

#include <vector>

#include "modalities/io/formats.h"

// FORMAT: one format; FORMATS: several of one file. In the order in which they are asked. Packets
// are pictures whose whole file is one packet of a decoder of libavcodec: PGM and its kin, BMP.
// What is demuxed are the containers of containers.h with their codecs, for listings.
#define UNIVAL_MEDIA_FORMATS(FORMAT, FORMATS) \
  FORMAT(PngFormat)                           \
  FORMAT(JpegFormat)                          \
  FORMAT(WebpFormat)                          \
  FORMAT(TiffFormat)                          \
  FORMATS(PacketFormats)                      \
  FORMAT(WavFormat)                           \
  FORMATS(DemuxedFormats)

namespace unival {

#define UNIVAL_DECLARE_FORMAT(function) MediaFormat function();
#define UNIVAL_DECLARE_FORMATS(function) std::vector<MediaFormat> function();
UNIVAL_MEDIA_FORMATS(UNIVAL_DECLARE_FORMAT, UNIVAL_DECLARE_FORMATS)
#undef UNIVAL_DECLARE_FORMAT
#undef UNIVAL_DECLARE_FORMATS

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
