// unival: modalities/io/formats.h
//
// The table of media formats. An entry says how a format is recognised by its first bytes, how a
// file of it is decoded, and how files of it are called; DecodeImage, DecodeAudio and DecodeVideo
// look it up there, `unival doctor` lists it, and tars, folders and importers tell media by its
// extensions. What no entry recognises is looked up in the list of containers that FFmpeg's
// demuxers read (containers.h), and refused when it is not there either.
//
//   MediaFormat HeifFormat() {
//     MediaFormat heif{"image", "heif", "libheif", {"heic", "heif"}};
//     heif.matches = [](absl::string_view head) {
//       return absl::ClippedSubstr(head, 4, 8) == "ftypheic";
//     };
//     heif.decode_image = &DecodeHeif;
//     return heif;
//   }
//   const Registered<MediaFormat> kHeif(HeifFormat());  // at namespace scope
//
// A format that ships is a function in a file of its own and a line in builtin_formats.h.
#ifndef UNIVAL_MODALITIES_IO_FORMATS_H_
#define UNIVAL_MODALITIES_IO_FORMATS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "modalities/io/byte_reader.h"
#include "modalities/io/decoder.h"
#include "sdk/native/media.h"

namespace unival {

// A file that an entry recognised. References live as long as the call of its decode function.
struct EncodedMedia {
  const ByteReader& reader;       // open; at most options.max_bytes
  const DecoderOptions& options;  // the decode function keeps to these before it allocates
};

// Bytes that `matches` gets, fewer where the file is shorter.
constexpr int64_t kFormatHeadBytes = 512;

// Exactly one decode function is set where `matches` is, the one of the kind. All functions may be
// called from several threads at once. Errors are those of MediaDecoder.
struct MediaFormat {
  std::string kind;                           // "image", "audio" or "video"
  std::string name;                           // "png", "mp4 (h264)", for listings
  std::string decoder;                        // what the library calls its decoder: "png", "h264"
  std::vector<std::string> extensions = {};   // of its files, lower case, no dot: {"jpg", "jpeg"}
  std::function<bool()> available = nullptr;  // null: always
  // Null: FFmpeg's demuxers recognise it, and the entry is for listings only.
  std::function<bool(absl::string_view head)> matches = nullptr;
  std::function<absl::StatusOr<at::Tensor>(const EncodedMedia&, PixelFormat)> decode_image =
      nullptr;
  std::function<absl::StatusOr<AudioClip>(const EncodedMedia&)> decode_audio = nullptr;
  std::function<absl::StatusOr<VideoClip>(const EncodedMedia&, const FrameSelector&)> decode_video =
      nullptr;
};

// Those of the program, made once: the registered ones (sdk/base/registered.h), then those that
// ship. The first that matches decodes. Not before main() has begun.
const std::vector<MediaFormat>& MediaFormats();

// What a file with this extension (without its dot, in upper or lower case) holds by its name:
// "image", "audio", "video", or nothing where no format has it. A name is only a way to choose
// among files: what is in one, its first bytes say. Thread-safe.
std::string KindOfExtension(absl::string_view extension);
// The extensions of all formats of a kind, in the order of the formats, each once.
std::vector<std::string> ExtensionsOfKind(absl::string_view kind);

// NewFfmpegDecoder with `more` formats, which are looked at before those of the program, by this
// decoder alone.
std::unique_ptr<MediaDecoder> NewMediaDecoder(const DecoderOptions& options,
                                              std::vector<MediaFormat> more);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_FORMATS_H_
