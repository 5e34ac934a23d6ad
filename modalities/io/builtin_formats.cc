#include "modalities/io/builtin_formats.h"

#include <utility>

namespace unival {
namespace {

std::vector<MediaFormat> MakeFormats() {
  std::vector<MediaFormat> formats = {PngFormat(), JpegFormat(), WebpFormat(), TiffFormat()};
  for (MediaFormat& format : PacketFormats()) formats.push_back(std::move(format));
  formats.push_back(WavFormat());
  for (MediaFormat& format : DemuxedFormats()) formats.push_back(std::move(format));
  return formats;
}

}  // namespace

const std::vector<MediaFormat>& BuiltinFormats() {
  static const auto* const kFormats = new std::vector<MediaFormat>(MakeFormats());
  return *kFormats;
}

std::vector<FormatSupport> ListFormats() {
  std::vector<FormatSupport> formats;
  for (const MediaFormat& format : BuiltinFormats()) {
    const bool available = format.available == nullptr || format.available();
    formats.push_back({format.kind, format.name, format.decoder, available});
  }
  return formats;
}

}  // namespace unival
