#include "modalities/audio/spec_augment.h"

#include <algorithm>
#include <string>
#include <vector>

namespace unival {
namespace {

struct NamedPolicy {
  const char* name;
  SpecAugmentPolicy policy;  // W, m_F, F, m_T, T, p
};

// Table 1 of the paper behind what the reference does.
constexpr NamedPolicy kPolicies[] = {
    {"reference", {0, 2, 8, 2, 64, 100}}, {"LB", {80, 1, 27, 1, 100, 100}},
    {"LD", {80, 2, 27, 2, 100, 100}},     {"SM", {40, 2, 15, 2, 70, 20}},
    {"SS", {40, 2, 27, 2, 70, 20}},
};

SpecAugmentPolicy PolicyOf(const std::string& name) {
  for (const NamedPolicy& entry : kPolicies) {
    if (name == entry.name) return entry.policy;
  }
  return kPolicies[0].policy;  // the reader has an error then
}

// Where a mask is, drawn: of a width up to `widest`, within `size`.
struct Mask {
  Mask(SeededRandom& random, int64_t widest, int64_t size) {
    const int64_t width = random.Integer(0, std::min(widest, size) + 1);
    begin = random.Integer(0, size - width + 1);
    end = begin + width;
  }
  int64_t begin = 0, end = 0;
};

float MeanOf(const float* values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += values[i];
  return static_cast<float>(sum / static_cast<double>(count));
}

}  // namespace

SpecAugment SpecAugment::Read(OptionReader* options) {
  std::vector<std::string> names;
  for (const NamedPolicy& entry : kPolicies) names.emplace_back(entry.name);
  SpecAugmentPolicy policy =
      PolicyOf(options->Choice("spec_augment_policy", kPolicies[0].name, names));
  constexpr int64_t kMostMasks = 1000, kWidest = 1 << 20;
  const auto number = [&](const char* name, int64_t most, int64_t* value) {
    *value = options->Integer(std::string("spec_augment_") + name, *value, 0, most);
  };
  number("time_warp", kWidest, &policy.time_warp);
  number("frequency_masks", kMostMasks, &policy.frequency_masks);
  number("frequency_width", kWidest, &policy.frequency_width);
  number("time_masks", kMostMasks, &policy.time_masks);
  number("time_width", kWidest, &policy.time_width);
  number("time_percent", 100, &policy.time_percent);
  return SpecAugment(policy);
}

void WarpTime(int64_t from, int64_t to, int64_t frames, int64_t bins, float* values) {
  const std::vector<float> before(values, values + frames * bins);
  const auto last = static_cast<double>(frames - 1);
  const auto source = static_cast<double>(from), target = static_cast<double>(to);
  for (int64_t frame = 0; frame < frames; ++frame) {
    const auto at = static_cast<double>(frame);
    const double place = at < target ? at * source / target
                                     : source + (at - target) * (last - source) / (last - target);
    const int64_t left = std::min(static_cast<int64_t>(place), frames - 1);
    const int64_t right = std::min(left + 1, frames - 1);
    const auto weight = static_cast<float>(place - static_cast<double>(left));
    for (int64_t bin = 0; bin < bins; ++bin) {
      const float first = before[left * bins + bin];
      values[frame * bins + bin] = first + weight * (before[right * bins + bin] - first);
    }
  }
}

void SpecAugment::Apply(SeededRandom& random, int64_t frames, int64_t bins, float* values) const {
  const int64_t warp = policy_.time_warp;
  if (warp > 0 && 2 * warp < frames) {
    const int64_t from = random.Integer(warp, frames - warp);
    const int64_t to = from + random.Integer(-warp, warp + 1);
    const bool leaves_ends = from > 0 && to > 0 && from < frames - 1 && to < frames - 1;
    if (leaves_ends) WarpTime(from, to, frames, bins, values);
  }
  const float mean = MeanOf(values, frames * bins);
  for (int64_t i = 0; i < policy_.frequency_masks; ++i) {
    const Mask mask(random, policy_.frequency_width, bins);
    for (int64_t frame = 0; frame < frames; ++frame) {
      std::fill(values + frame * bins + mask.begin, values + frame * bins + mask.end, mean);
    }
  }
  const int64_t longest = std::min(policy_.time_width, frames * policy_.time_percent / 100);
  for (int64_t i = 0; i < policy_.time_masks; ++i) {
    const Mask mask(random, longest, frames);
    std::fill(values + mask.begin * bins, values + mask.end * bins, mean);
  }
}

}  // namespace unival
