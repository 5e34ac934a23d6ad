// unival: modalities/io/wav.h - plain WAV files without a demuxer, whose set-up costs more than the
// samples of a short clip.
#ifndef UNIVAL_MODALITIES_IO_WAV_H_
#define UNIVAL_MODALITIES_IO_WAV_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// Where the samples of an integer or float PCM file are.
struct WavLayout {
  int channels = 0;
  int sample_rate_hz = 0;
  int bits = 0;  // 8 (unsigned), 16, 24, 32 (signed), or 32 with is_float
  bool is_float = false;
  int64_t data_begin = 0;
  int64_t data_bytes = 0;  // as the header promises
};

// Reads the chunks from the first bytes of a file. False for anything out of the ordinary (other
// codecs, streamed sizes, chunks beyond `head`): FFmpeg then judges.
bool ParseWavHeader(absl::string_view head, WavLayout* layout);

// Writes channel `channel` of `count` frames as floats in [-1, 1].
void ConvertWav(const WavLayout& layout, const uint8_t* data, int64_t count, int channel,
                float* out);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_WAV_H_
