#include "modalities/video/frame_selection.h"

#include <algorithm>
#include <cmath>

namespace unival {
namespace {

// Bounds of min(frames, frame_count) equal intervals.
std::vector<int64_t> Intervals(int64_t frame_count, int64_t frames) {
  const int64_t count = std::min(frames, frame_count);
  const double step = static_cast<double>(frame_count) / static_cast<double>(count);
  std::vector<int64_t> bounds;
  for (int64_t i = 0; i < count; ++i) {
    bounds.push_back(static_cast<int64_t>(static_cast<double>(i) * step));
  }
  bounds.push_back(frame_count);
  return bounds;
}

std::vector<int64_t> Fill(std::vector<int64_t> indices, int64_t frames) {
  if (indices.empty()) indices.push_back(0);
  if (static_cast<int64_t>(indices.size()) < frames) indices.resize(frames, indices.back());
  return indices;
}

}  // namespace

std::vector<int64_t> MiddleFrames(int64_t frame_count, int64_t frames) {
  const std::vector<int64_t> bounds = Intervals(frame_count, frames);
  std::vector<int64_t> indices;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    indices.push_back((bounds[i] + bounds[i + 1] - 1) / 2);
  }
  return Fill(std::move(indices), frames);
}

std::vector<int64_t> OffsetFrames(int64_t frame_count, int64_t frames, int64_t offset) {
  const std::vector<int64_t> bounds = Intervals(frame_count, frames);
  std::vector<int64_t> indices;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    indices.push_back(std::min(bounds[i] + offset, bounds[i + 1] - 1));
  }
  return Fill(std::move(indices), frames);
}

std::vector<int64_t> RandomFrames(int64_t frame_count, int64_t frames, SeededRandom& random) {
  const std::vector<int64_t> bounds = Intervals(frame_count, frames);
  std::vector<int64_t> indices;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    indices.push_back(random.Integer(bounds[i], bounds[i + 1]));
  }
  return Fill(std::move(indices), frames);
}

std::vector<int64_t> FramesAtRate(int64_t frame_count, double frames_per_second, double rate,
                                  int64_t frames) {
  const double delta = 1 / rate, seconds = static_cast<double>(frame_count) / frames_per_second;
  std::vector<int64_t> indices;
  for (int64_t i = 0;; ++i) {
    const double second = delta / 2 + static_cast<double>(i) * delta;
    const auto index = static_cast<int64_t>(std::nearbyint(second * frames_per_second));
    const bool full = frames > 0 && i >= frames;
    if (full || second >= seconds + delta / 2 || index >= frame_count) break;
    indices.push_back(index);
  }
  return frames > 0 ? Fill(std::move(indices), frames) : indices;
}

}  // namespace unival
