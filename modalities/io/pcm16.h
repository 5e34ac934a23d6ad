// unival: modalities/io/pcm16.h - samples as most files of sound hold them.
#ifndef UNIVAL_MODALITIES_IO_PCM16_H_
#define UNIVAL_MODALITIES_IO_PCM16_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace unival {

// `sample` of [-1, 1]; what lies outside is clipped, NaN is silence.
inline int16_t ToPcm16(float sample) {
  const float scaled = std::nearbyint(std::isnan(sample) ? 0.0f : sample * 32768.0f);
  return static_cast<int16_t>(std::clamp(scaled, -32768.0f, 32767.0f));
}

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_PCM16_H_
