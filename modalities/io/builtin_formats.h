// unival: modalities/io/builtin_formats.h - the formats that ship, each made by its own file.
#ifndef UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
#define UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_

#include <vector>

#include "modalities/io/formats.h"

namespace unival {

MediaFormat PngFormat();   // decode_png.cc
MediaFormat JpegFormat();  // decode_jpeg.cc
MediaFormat WebpFormat();  // decode_webp.cc
MediaFormat TiffFormat();  // decode_tiff.cc
MediaFormat WavFormat();   // decode_wav.cc

// Pictures whose whole file is one packet of a decoder of libavcodec: PGM and its kin, BMP.
std::vector<MediaFormat> PacketFormats();

// The containers of containers.h with their codecs, for listings.
std::vector<MediaFormat> DemuxedFormats();

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
