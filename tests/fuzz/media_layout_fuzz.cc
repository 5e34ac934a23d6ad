// Any bytes as the metadata of a media file: EXIF, the chunks of a WAV, and the layouts of the
// containers. Each parser gives a result, or an error with a message.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "modalities/io/containers.h"
#include "modalities/io/orientation.h"
#include "modalities/io/wav.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const int orientation = static_cast<int>(unival::ExifOrientation(bytes));
  Require(orientation >= 1 && orientation <= 8);
  if (size == 0) return 0;
  unival::MediaSource media;
  media.bytes = std::make_shared<const std::string>(bytes);
  const auto reader = unival::ByteReader::Open(media, INT64_MAX);
  Require(reader.ok());
  unival::WavLayout layout;
  const auto text = [&](int64_t at, int64_t count) { return (*reader)->Text(at, count); };
  if (unival::ParseWav(static_cast<int64_t>(size), text, &layout) == unival::WavKind::kPlain) {
    Require(layout.channels > 0 && layout.bytes > 0 && layout.data_bytes >= 0);
  }
  const unival::ContainerFile file{**reader, {}, "a video"};
  for (const auto check :
       {&unival::CheckMp4, &unival::CheckMatroska, &unival::CheckAvi, &unival::CheckOgg,
        &unival::CheckWav, &unival::CheckMp3, &unival::CheckAdts}) {
    const absl::Status status = check(file);
    Require(status.ok() || !status.message().empty());
  }
  for (const auto correct : {&unival::CorrectWav, &unival::CorrectAiff}) {
    const unival::Correction correction = correct(file);
    if (correction.bytes.empty()) continue;
    Require(correction.begin >= 0 && correction.begin <= static_cast<int64_t>(size));
  }
  const unival::FoundContainer found = unival::FindContainer(**reader);
  Require(found.begin >= 0 && found.end <= static_cast<int64_t>(size));
  return 0;
}
