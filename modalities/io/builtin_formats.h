// unival: modalities/io/builtin_formats.h - the formats that ship, each made by its own file.
#ifndef UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
#define UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_

#include <vector>

#include "modalities/io/formats.h"

namespace unival {

MediaFormat PngFormat();   // decode_png.cc
MediaFormat JpegFormat();  // decode_jpeg.cc
MediaFormat WavFormat();   // decode_wav.cc

// Pictures whose whole file is one packet of a decoder of libavcodec: PGM and its kin, BMP, WebP,
// TIFF.
std::vector<MediaFormat> PacketFormats();

// What FFmpeg's demuxers recognise, for listings.
std::vector<MediaFormat> DemuxedFormats();

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_BUILTIN_FORMATS_H_
