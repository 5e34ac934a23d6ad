#include "modalities/image/rand_augment.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace unival {
namespace {

constexpr int64_t kChannels = 3;
constexpr double kOutside = 128;
constexpr double kChance = 0.5;  // that a drawn operation is done

// What an operation does at magnitude m: at_0 + per_step * m, either way where it has a direction.
struct OperationRange {
  PictureOperation operation;
  double at_0, per_step;
  bool has_direction;
};

constexpr std::array<OperationRange, 10> kOperations = {{
    {PictureOperation::kIdentity, 0, 0, false},
    {PictureOperation::kAutoContrast, 0, 0, false},
    {PictureOperation::kEqualize, 0, 0, false},
    {PictureOperation::kBrightness, 0.1, 0.18, false},
    {PictureOperation::kSharpness, 0.1, 0.18, false},
    {PictureOperation::kShearX, 0, 0.03, true},
    {PictureOperation::kShearY, 0, 0.03, true},
    {PictureOperation::kTranslateX, 0, 1, true},
    {PictureOperation::kTranslateY, 0, 1, true},
    {PictureOperation::kRotate, 0, 3, true},
}};
constexpr uint64_t kLightOperations = 5;  // the first ones, which move nothing

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

// As a cast to whole numbers does it, within the range of a pixel.
uint8_t Cut(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)); }

Histogram HistogramOf(const std::vector<uint8_t>& pixels, int64_t channel) {
  Histogram histogram = {};
  for (size_t i = channel; i < pixels.size(); i += kChannels) ++histogram[pixels[i]];
  return histogram;
}

template <typename Value>
Table TableOf(Value value) {
  Table table;
  for (int i = 0; i < 256; ++i) table[i] = Cut(value(i));
  return table;
}

Table Same() {
  return TableOf([](int i) { return i; });
}

Table AutoContrastTable(const Histogram& histogram) {
  int low = 0, high = 255;
  while (low < 255 && histogram[low] == 0) ++low;
  while (high > 0 && histogram[high] == 0) --high;
  if (high <= low) return Same();
  const double scale = 255.0 / (high - low);
  return TableOf([&](int i) { return i * scale - low * scale; });
}

// Pixels are counted up to each value, and so many of them are a step: all but the brightest ones
// divided by 255.
Table EqualizeTable(const Histogram& histogram) {
  int64_t all = 0, brightest = 0;
  for (const int64_t count : histogram) {
    all += count;
    if (count > 0) brightest = count;
  }
  const int64_t step = (all - brightest) / 255;
  if (step == 0) return Same();
  int64_t below = step / 2;
  return TableOf([&](int i) {
    const int64_t value = below / step;
    below += histogram[i];
    return static_cast<double>(value);
  });
}

template <typename MakeTable>
void MapChannels(MakeTable make_table, std::vector<uint8_t>* pixels) {
  for (int64_t channel = 0; channel < kChannels; ++channel) {
    const Table table = make_table(HistogramOf(*pixels, channel));
    for (size_t i = channel; i < pixels->size(); i += kChannels) (*pixels)[i] = table[(*pixels)[i]];
  }
}

// The border stays as it is, for which there is no whole neighbourhood.
void Sharpen(double factor, const PictureSize& size, std::vector<uint8_t>* pixels) {
  const std::vector<uint8_t> before = *pixels;
  const int64_t stride = size.width * kChannels;
  for (int64_t row = 1; row + 1 < size.height; ++row) {
    for (int64_t i = row * stride + kChannels; i < (row + 1) * stride - kChannels; ++i) {
      int64_t sum = 4 * before[i];  // the middle counts five times
      for (const int64_t line : {i - stride, i, i + stride}) {
        sum += before[line - kChannels] + before[line] + before[line + kChannels];
      }
      const double smooth = std::floor(static_cast<double>(sum) / 13 + 0.5);
      (*pixels)[i] = Cut(smooth + factor * (before[i] - smooth));
    }
  }
}

// Where the pixel in column x and row y comes from: column xx * x + xy * y + x0 and so on.
struct Origin {
  double xx, xy, x0, yx, yy, y0;
};

Origin RotationAbout(double center_x, double center_y, double degrees) {
  const double radians = degrees * std::acos(-1.0) / 180;
  const double cosine = std::cos(radians), sine = std::sin(radians);
  return {cosine, -sine,  center_x - cosine * center_x + sine * center_y,
          sine,   cosine, center_y - sine * center_x - cosine * center_y};
}

Origin OriginOf(const PictureChange& change, const PictureSize& size) {
  const double amount = change.amount;
  switch (change.operation) {
    case PictureOperation::kShearX:
      return {1, -amount, 0, 0, 1, 0};
    case PictureOperation::kShearY:
      return {1, 0, 0, -amount, 1, 0};
    case PictureOperation::kTranslateX:
      return {1, 0, amount, 0, 1, 0};
    case PictureOperation::kTranslateY:
      return {1, 0, 0, 0, 1, amount};
    default:
      return RotationAbout(static_cast<double>(size.width) / 2,
                           static_cast<double>(size.height) / 2, amount);
  }
}

// Between four pixels by their distances.
void Move(const Origin& from, const PictureSize& size, std::vector<uint8_t>* pixels) {
  const std::vector<uint8_t> before = *pixels;
  const auto value = [&](int64_t x, int64_t y, int64_t channel) {
    const bool is_inside = x >= 0 && x < size.width && y >= 0 && y < size.height;
    return is_inside ? before[(y * size.width + x) * kChannels + channel] : kOutside;
  };
  uint8_t* out = pixels->data();
  for (int64_t row = 0; row < size.height; ++row) {
    for (int64_t column = 0; column < size.width; ++column) {
      const auto x = static_cast<double>(column), y = static_cast<double>(row);
      const double from_x = from.xx * x + from.xy * y + from.x0;
      const double from_y = from.yx * x + from.yy * y + from.y0;
      const auto left = static_cast<int64_t>(std::floor(from_x));
      const auto top = static_cast<int64_t>(std::floor(from_y));
      const double right = from_x - static_cast<double>(left);
      const double down = from_y - static_cast<double>(top);
      for (int64_t channel = 0; channel < kChannels; ++channel) {
        const double above =
            (1 - right) * value(left, top, channel) + right * value(left + 1, top, channel);
        const double below =
            (1 - right) * value(left, top + 1, channel) + right * value(left + 1, top + 1, channel);
        *out++ = Cut((1 - down) * above + down * below + 0.5);
      }
    }
  }
}

void Apply(const PictureChange& change, const PictureSize& size, std::vector<uint8_t>* pixels) {
  const auto brighten = [&](const Histogram&) {
    return TableOf([&](int i) { return i * change.amount; });
  };
  switch (change.operation) {
    case PictureOperation::kIdentity:
      return;
    case PictureOperation::kAutoContrast:
      return MapChannels(AutoContrastTable, pixels);
    case PictureOperation::kEqualize:
      return MapChannels(EqualizeTable, pixels);
    case PictureOperation::kBrightness:
      return MapChannels(brighten, pixels);
    case PictureOperation::kSharpness:
      return Sharpen(change.amount, size, pixels);
    default:
      return Move(OriginOf(change, size), size, pixels);
  }
}

}  // namespace

RandAugment RandAugment::Read(OptionReader* options) {
  const int64_t operations = options->Integer("rand_augment_operations", 2, 1, 10);
  const int64_t magnitude = options->Integer("rand_augment_magnitude", 7, 0, 10);
  const std::string list = options->Choice("rand_augment_list", "all", {"all", "light"});
  return RandAugment(operations, magnitude, list == "light");
}

std::vector<PictureChange> RandAugment::Draw(SeededRandom& random) const {
  const uint64_t choices = only_light_ ? kLightOperations : kOperations.size();
  std::vector<PictureChange> changes;
  for (int64_t i = 0; i < operations_; ++i) {
    const OperationRange& drawn = kOperations[random.Below(choices)];
    const bool is_done = random.Uniform(0, 1) < kChance;
    const bool turns_back = random.Integer(0, 2) == 1;
    const double amount = drawn.at_0 + drawn.per_step * static_cast<double>(magnitude_);
    if (!is_done) continue;
    changes.push_back({drawn.operation, drawn.has_direction && turns_back ? -amount : amount});
  }
  return changes;
}

void ApplyChanges(const std::vector<PictureChange>& changes, const PictureSize& size,
                  std::vector<uint8_t>* pixels) {
  for (const PictureChange& change : changes) Apply(change, size, pixels);
}

}  // namespace unival
