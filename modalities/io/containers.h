// unival: modalities/io/containers.h
//
// The one list of containers and codecs that libavformat and libavcodec are let loose on. The first
// bytes of a file say which of libavformat's demuxers reads it, so that nothing is probed; of
// libavcodec's decoders only those of the container's row are opened. `unival doctor` prints the
// list.
#ifndef UNIVAL_MODALITIES_IO_CONTAINERS_H_
#define UNIVAL_MODALITIES_IO_CONTAINERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "modalities/io/byte_reader.h"
#include "modalities/io/decoder.h"

namespace unival {

// A file as a container's check sees it.
struct ContainerFile {
  const ByteReader& reader;
  const DecoderOptions& options;
  std::string expected;  // the wanted kind, for messages
  // Of what the demuxer sees, in the file: between the tags of music players.
  int64_t begin = 0, end = reader.size();
};

// Bytes that the demuxer is shown instead of those that stand in the file: a length that a
// streaming program could not fill in. None where `bytes` is empty.
struct Correction {
  int64_t begin = 0;
  std::string bytes;
};

struct Container {
  const char* name;                       // as listings call it: "mp4"
  const char* demuxer;                    // libavformat's name of it: "mov"
  std::vector<const char*> video, audio;  // libavcodec's decoders
  // Of files of pictures, and of files that hold sound alone.
  std::vector<std::string> video_extensions, audio_extensions;
  bool (*matches)(absl::string_view head);
  // Before the demuxer sees the file: refuses one whose counts are larger than what is in it, and
  // one that lacks bytes that it promises. Null: the demuxer's errors suffice.
  absl::Status (*check)(const ContainerFile& file);
  // The lengths of a streamed file, where a streaming program leaves wrong ones. Null: nowhere.
  Correction (*correct)(const ContainerFile& file) = nullptr;
  bool ends_with_file = false;  // frames without a length of the whole: tags may stand behind them
};
const std::vector<Container>& Containers();

// Lengths that stand for "not known": nothing, and what programs write that mean as much as fits.
bool IsUnknownLength(uint64_t bytes);

// Where a WAV or AIFF file does not know its lengths, its samples reach to the end of the file.
Correction CorrectWav(const ContainerFile& file);
Correction CorrectAiff(const ContainerFile& file);

// The container of a file and where in the file it begins and ends, between the tags of music
// players. Null for anything that is not in the list.
struct FoundContainer {
  const Container* container = nullptr;
  int64_t begin = 0, end = 0;
};
FoundContainer FindContainer(const ByteReader& reader);

// Checks of single containers, each in its file.
absl::Status CheckMp4(const ContainerFile& file);
absl::Status CheckMatroska(const ContainerFile& file);
absl::Status CheckAvi(const ContainerFile& file);
absl::Status CheckOgg(const ContainerFile& file);
absl::Status CheckWav(const ContainerFile& file);
absl::Status CheckMp3(const ContainerFile& file);
absl::Status CheckAdts(const ContainerFile& file);

// "name: expected a video, found <found>. <remedy>"
inline absl::Status Unexpected(const ContainerFile& file, const std::string& found,
                               const std::string& remedy) {
  return UnexpectedMedia(file.reader.name(), file.expected, found, remedy);
}
constexpr char kTruncatedRemedy[] = "The file is truncated: write it again.";

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_CONTAINERS_H_
