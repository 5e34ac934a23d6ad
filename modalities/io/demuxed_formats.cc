// Formats that need no code of their own: libavformat reads the container, libavcodec decodes the
// stream.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/containers.h"
#include "modalities/io/ffmpeg_handles.h"

namespace unival {
namespace {

// "mp4 (h264)"; "flac" where container and codec are called the same.
std::string ListedName(const Container& container, absl::string_view codec) {
  absl::ConsumeSuffix(&codec, "float");
  if (codec == "libdav1d") codec = "av1";
  if (codec == container.name) return container.name;
  return absl::StrCat(container.name, " (", codec, ")");
}

void AppendFormats(const Container& container, const char* kind,
                   const std::vector<const char*>& decoders,
                   const std::vector<std::string>& extensions, std::vector<MediaFormat>* formats) {
  for (const char* decoder : decoders) {
    MediaFormat format{kind, ListedName(container, decoder), absl::StrCat("libavcodec ", decoder),
                       extensions};
    const char* const demuxer = container.demuxer;
    format.available = [demuxer, decoder] {
      return av_find_input_format(demuxer) != nullptr &&
             avcodec_find_decoder_by_name(decoder) != nullptr;
    };
    formats->push_back(std::move(format));
  }
}

}  // namespace

std::vector<MediaFormat> DemuxedFormats() {
  std::vector<MediaFormat> formats;
  for (const Container& container : Containers()) {
    const bool is_picture = absl::string_view(container.name) == "gif";
    AppendFormats(container, is_picture ? "image" : "video", container.video,
                  container.video_extensions, &formats);
    AppendFormats(container, "audio", container.audio, container.audio_extensions, &formats);
    // AVIF: a picture of one frame in the boxes of an MP4.
    if (container.check != &CheckMp4) continue;
    const Container avif{"avif", container.demuxer, {"libdav1d"}, {}, {"avif"},
                         {},     nullptr,           nullptr};
    AppendFormats(avif, "image", avif.video, avif.video_extensions, &formats);
  }
  return formats;
}

}  // namespace unival
