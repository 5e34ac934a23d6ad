#include "training/report/drawn_boxes.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/string_view.h"
#include "modalities/io/encode.h"
#include "sdk/base/printable.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "training/report/glyphs.h"

namespace unival {
namespace report {
namespace {

using Color = std::array<uint8_t, 3>;
constexpr Color kWhite = {{0xff, 0xff, 0xff}};

// `label` in characters that have a glyph: "?" stands for each other character.
std::string Ascii(absl::string_view label) {
  std::string text;
  while (!label.empty()) {
    const size_t bytes = std::max<size_t>(1, Utf8Length(label));
    const int code = static_cast<unsigned char>(label[0]) - kFirstGlyph;
    text += bytes == 1 && code >= 0 && code < kGlyphCount ? label[0] : '?';
    label.remove_prefix(bytes);
  }
  return text;
}

class Canvas {
 public:
  Canvas(uint8_t* pixels, int width, int height)
      : pixels_(pixels),
        width_(width),
        height_(height),
        letter_(std::max(1, std::min(width, height) / 240)),
        line_(std::max(1, std::min(width, height) / 160)) {}

  void Draw(const DrawnBox& drawn) {
    const Color& color = kBoxColors[drawn.color % kBoxColors.size()];
    const int left = At(drawn.box[0], width_), right = At(drawn.box[2], width_);
    const int top = At(drawn.box[1], height_), bottom = At(drawn.box[3], height_);
    Fill(left, top, right, top + line_, color);
    Fill(left, bottom - line_, right, bottom, color);
    Fill(left, top, left + line_, bottom, color);
    Fill(right - line_, top, right, bottom, color);
    if (!drawn.label.empty()) Label(Ascii(drawn.label), left, top, color);
  }

 private:
  // 0 to `size`; what is no number is 0.
  static int At(double fraction, int size) {
    const double place = std::round(fraction * size);
    return place >= 0 ? static_cast<int>(std::min<double>(place, size)) : 0;
  }

  // [left, right) x [top, bottom), as far as it lies in the picture.
  void Fill(int left, int top, int right, int bottom, const Color& color) {
    for (int y = std::max(0, top); y < std::min(bottom, height_); ++y) {
      for (int x = std::max(0, left); x < std::min(right, width_); ++x) {
        std::copy(color.begin(), color.end(), pixels_ + 3 * (static_cast<int64_t>(y) * width_ + x));
      }
    }
  }

  // Above the box where there is room, else below its upper line; moved to the left as far as that
  // shows more of it.
  void Label(std::string text, int left, int top, const Color& color) {
    const int step = (kGlyphWidth + 1) * letter_, high = (kGlyphHeight + 2) * letter_;
    const int most = std::max(0, (width_ - letter_) / step);
    text = text.substr(0, static_cast<size_t>(most));
    const int wide = static_cast<int>(text.size()) * step + letter_;
    const int x = std::max(0, std::min(left, width_ - wide));
    const int y = top >= high ? top - high : top;
    Fill(x, y, x + wide, y + high, color);
    for (size_t i = 0; i < text.size(); ++i) {
      Letter(text[i], x + letter_ + static_cast<int>(i) * step, y + letter_);
    }
  }

  void Letter(char character, int left, int top) {
    const Glyph& glyph = kGlyphs[character - kFirstGlyph];
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        if ((glyph[row] >> (kGlyphWidth - 1 - column) & 1) == 0) continue;
        const int x = left + column * letter_, y = top + row * letter_;
        Fill(x, y, x + letter_, y + letter_, kWhite);
      }
    }
  }

  uint8_t* const pixels_;
  const int width_, height_;
  const int letter_, line_;  // sides of a letter's point, width of a line
};

}  // namespace

absl::StatusOr<std::string> DrawBoxes(const at::Tensor& pixels,
                                      const std::vector<DrawnBox>& boxes) {
  if (pixels.dim() != 3 || pixels.size(2) != 3 || pixels.scalar_type() != at::kByte ||
      pixels.numel() == 0) {
    return InvalidArgument("picture: expected [H, W, 3] uint8, got ", ShapeText(pixels.sizes()));
  }
  const at::Tensor drawn = pixels.cpu().contiguous().clone();
  const int width = static_cast<int>(drawn.size(1)), height = static_cast<int>(drawn.size(0));
  Canvas canvas(drawn.data_ptr<uint8_t>(), width, height);
  for (const DrawnBox& box : boxes) canvas.Draw(box);
  return EncodePng({drawn.data_ptr<uint8_t>(), static_cast<size_t>(drawn.numel())}, width, height,
                   3);
}

}  // namespace report
}  // namespace unival
