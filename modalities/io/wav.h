// unival: modalities/io/wav.h - plain WAV files without a demuxer, whose set-up costs more than the
// samples of a short clip.
#ifndef UNIVAL_MODALITIES_IO_WAV_H_
#define UNIVAL_MODALITIES_IO_WAV_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// Where the samples of an integer or float PCM file are.
struct WavLayout {
  int channels = 0;
  int sample_rate_hz = 0;
  int bytes = 0;  // a sample takes: 1 (unsigned), 2, 3, 4 (signed), or 4 and 8 with is_float
  bool is_float = false;
  int64_t data_begin = 0;
  int64_t data_bytes = 0;  // as the header promises; what follows when it promises nothing
  // Whether it promises nothing, and where in the file it says so, in so many bytes.
  bool is_streamed = false;
  int64_t length_at = 0;
  int length_bytes = 0;
  // Of samples without a codec that are none of the above: what the header says of them.
  std::string unreadable;
};

enum class WavKind { kPlain, kOther, kEmpty };

// Reads the chunks of a file of `size` bytes, of which `text(offset, count)` gives some. kOther for
// other codecs, whose data are found too, and for files without samples or format: FFmpeg then
// judges. kEmpty for a file that has chunks, and says that its samples are none.
//
// A sample that has fewer valid bits than its bytes hold stands at their high end, so it is read as
// if all were valid. A length of 0 or of about 2 or 4 GiB was written by a program that could not
// go back to fill it in: the samples then reach to the end of the file, unless whole chunks stand
// there instead. In RF64 and BW64 the length stands in a chunk of its own, where no length is 0 or
// the largest number.
WavKind ParseWav(int64_t size, const std::function<std::string(int64_t, int64_t)>& text,
                 WavLayout* layout);

// Writes channel `channel` of `count` frames as floats, in [-1, 1) where they are whole numbers.
void ConvertWav(const WavLayout& layout, const uint8_t* data, int64_t count, int channel,
                float* out);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_WAV_H_
