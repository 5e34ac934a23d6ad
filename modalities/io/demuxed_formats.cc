// Formats that need no code of their own: libavformat recognises the container, libavcodec decodes
// the stream.
#include "modalities/io/builtin_formats.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {
namespace {

struct Demuxed {
  const char* kind;
  const char* name;
  const char* decoder;
  const char* demuxer;
};

constexpr Demuxed kDemuxed[] = {
    {"image", "gif", "gif", "gif"},
    {"audio", "flac", "flac", "flac"},
    {"audio", "mp3", "mp3float", "mp3"},
    {"audio", "ogg (vorbis)", "vorbis", "ogg"},
    {"audio", "ogg (opus)", "opus", "ogg"},
    {"audio", "m4a (aac)", "aac", "mov"},
    {"video", "mp4 (h264)", "h264", "mov"},
    {"video", "mp4 (hevc)", "hevc", "mov"},
    {"video", "mp4 (mpeg4)", "mpeg4", "mov"},
    {"video", "webm (vp9)", "vp9", "matroska"},
    {"video", "mkv (ffv1)", "ffv1", "matroska"},
    {"video", "avi (mjpeg)", "mjpeg", "avi"},
};

}  // namespace

std::vector<MediaFormat> DemuxedFormats() {
  std::vector<MediaFormat> formats;
  for (const Demuxed& entry : kDemuxed) {
    MediaFormat format{entry.kind, entry.name, entry.decoder};
    format.available = [&entry] {
      return av_find_input_format(entry.demuxer) != nullptr &&
             avcodec_find_decoder_by_name(entry.decoder) != nullptr;
    };
    formats.push_back(std::move(format));
  }
  return formats;
}

}  // namespace unival
