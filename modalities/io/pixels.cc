#include "modalities/io/pixels.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace unival {
namespace {

using PutRgb = absl::FunctionRef<void(int64_t row, const uint8_t* rgb)>;

uint8_t Clamp(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

const uint8_t* RowOf(const AVFrame& frame, int row) {
  return frame.data[0] + static_cast<ptrdiff_t>(row) * frame.linesize[0];
}

// `pixel(in, rgb)` for every pixel of `kIn` bytes.
template <int kIn, typename Pixel>
absl::Status PutPacked(const AVFrame& frame, PutRgb put, Pixel pixel) {
  std::vector<uint8_t> rgb(3 * static_cast<size_t>(frame.width));
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* in = RowOf(frame, row);
    uint8_t* out = rgb.data();
    for (int column = 0; column < frame.width; ++column, in += kIn, out += 3) pixel(in, out);
    put(row, rgb.data());
  }
  return absl::OkStatus();
}

void Grey(uint8_t value, uint8_t* out) { out[0] = out[1] = out[2] = value; }

// One chroma row at full width: the triangle filter of the IJG's decoder, here with the exact
// roundings. `sum` holds `count` column sums in units of 1 / `scale` (4 with two rows
// blended 3:1, 1 with one).
void UpsampleRow(const int* sum, int count, int scale, int round_left, int round_right, int width,
                 uint8_t* out) {
  const int divisor = 4 * scale;
  for (int i = 0; i < count; ++i) {
    const int left = i > 0 ? 3 * sum[i] + sum[i - 1] : 4 * sum[i];
    const int right = i + 1 < count ? 3 * sum[i] + sum[i + 1] : 4 * sum[i];
    if (2 * i < width) out[2 * i] = static_cast<uint8_t>((left + round_left) / divisor);
    if (2 * i + 1 < width) out[2 * i + 1] = static_cast<uint8_t>((right + round_right) / divisor);
  }
}

// Chroma plane `plane` at output row `row`, interpolated where the picture is subsampled.
class ChromaRows {
 public:
  ChromaRows(const AVFrame& frame, int plane, int shift_x, int shift_y)
      : data_(frame.data[plane]),
        stride_(frame.linesize[plane]),
        columns_((frame.width + shift_x) >> shift_x),
        rows_((frame.height + shift_y) >> shift_y),
        width_(frame.width),
        shift_x_(shift_x),
        shift_y_(shift_y),
        sum_(columns_),
        full_(frame.width) {}

  const uint8_t* Row(int row) {
    if (shift_x_ == 0) return Line(row);
    if (shift_y_ == 0) {
      const uint8_t* near = Line(row);
      std::copy(near, near + columns_, sum_.begin());
      UpsampleRow(sum_.data(), columns_, 1, 1, 2, width_, full_.data());
    } else {
      const uint8_t* near = Line(row / 2);
      const uint8_t* far = Line(row % 2 == 0 ? row / 2 - 1 : row / 2 + 1);
      for (int i = 0; i < columns_; ++i) sum_[i] = 3 * near[i] + far[i];
      UpsampleRow(sum_.data(), columns_, 4, 8, 7, width_, full_.data());
    }
    return full_.data();
  }

 private:
  const uint8_t* Line(int row) const {
    return data_ + static_cast<ptrdiff_t>(std::clamp(row, 0, rows_ - 1)) * stride_;
  }

  const uint8_t* data_;
  int stride_, columns_, rows_, width_, shift_x_, shift_y_;
  std::vector<int> sum_;
  std::vector<uint8_t> full_;
};

// JFIF colours in the IJG's 16-bit fixed point.
absl::Status PutJpeg(const AVFrame& frame, int shift_x, int shift_y, PutRgb put) {
  ChromaRows blue(frame, 1, shift_x, shift_y), red(frame, 2, shift_x, shift_y);
  std::vector<uint8_t> rgb(3 * static_cast<size_t>(frame.width));
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* luma = RowOf(frame, row);
    const uint8_t* cb_row = blue.Row(row);
    const uint8_t* cr_row = red.Row(row);
    uint8_t* out = rgb.data();
    for (int column = 0; column < frame.width; ++column, out += 3) {
      const int y = luma[column], cb = cb_row[column] - 128, cr = cr_row[column] - 128;
      out[0] = Clamp(y + ((91881 * cr + 32768) >> 16));
      out[1] = Clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
      out[2] = Clamp(y + ((116130 * cb + 32768) >> 16));
    }
    put(row, rgb.data());
  }
  return absl::OkStatus();
}

absl::Status PutPalette(const AVFrame& frame, PutRgb put) {
  uint32_t palette[256];
  std::memcpy(palette, frame.data[1], sizeof(palette));
  return PutPacked<1>(frame, put, [&palette](const uint8_t* in, uint8_t* rgb) {
    const uint32_t colour = palette[*in];  // 0xAARRGGBB
    rgb[0] = static_cast<uint8_t>(colour >> 16);
    rgb[1] = static_cast<uint8_t>(colour >> 8);
    rgb[2] = static_cast<uint8_t>(colour);
  });
}

// The scaler's name of a colour matrix, -1 for one that it has not.
int MatrixOf(AVColorSpace space) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    case AVCOL_SPC_RGB:
    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    default:
      return -1;
  }
}

bool IsFullRange(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
         frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P ||
         frame.format == AV_PIX_FMT_YUVJ440P;
}

absl::StatusOr<FfmpegPtr<SwsContext>> NewScaler(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  FfmpegPtr<SwsContext> scaler;
  const int matrix = MatrixOf(frame.colorspace);
  if (sws_isSupportedInput(format) && matrix >= 0) {
    scaler.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height,
                                AV_PIX_FMT_RGB24,
                                SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT,
                                nullptr, nullptr, nullptr));
  }
  if (scaler == nullptr) {
    const char* space = av_color_space_name(frame.colorspace);
    return absl::FailedPreconditionError(
        absl::StrCat("pixel format ", PixelFormatName(frame), " with colour matrix ",
                     space == nullptr ? "unknown" : space, " cannot be converted to RGB"));
  }
  const int* coefficients = sws_getCoefficients(matrix);
  sws_setColorspaceDetails(scaler.get(), coefficients, IsFullRange(frame), coefficients, 1, 0,
                           1 << 16, 1 << 16);
  return scaler;
}

// Any other format. Rows go through the scaler a band at a time, so that no second picture stands
// in memory; it keeps the rows that it needs of the band before.
absl::Status PutScaled(const AVFrame& frame, PutRgb put) {
  auto scaler = NewScaler(frame);
  if (!scaler.ok()) return scaler.status();
  constexpr int kBand = 64, kKept = 2 * kBand;
  const AVPixFmtDescriptor* about = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  // The scaler may write whole vectors past the end of a row.
  const ptrdiff_t stride = FFALIGN(frame.width * 3, 32) + 32;
  std::vector<uint8_t> rows(static_cast<size_t>(stride) * kKept + 64);
  int done = 0;
  for (int top = 0; top < frame.height; top += kBand) {
    const uint8_t* in[4] = {};
    for (int plane = 0; plane < 4 && frame.data[plane] != nullptr; ++plane) {
      const bool is_palette = plane == 1 && (about->flags & AV_PIX_FMT_FLAG_PAL) != 0;
      const int shift = plane == 1 || plane == 2 ? about->log2_chroma_h : 0;
      in[plane] = frame.data[plane] +
                  (is_palette ? 0 : static_cast<ptrdiff_t>(top >> shift) * frame.linesize[plane]);
    }
    // The scaler counts output rows from the top of the picture, of which only these are here.
    auto* const base = reinterpret_cast<uint8_t*>(reinterpret_cast<uintptr_t>(rows.data()) -
                                                  static_cast<uintptr_t>(done * stride));
    uint8_t* out[4] = {base};
    const int strides[4] = {static_cast<int>(stride)};
    const int height = std::min(kBand, frame.height - top);
    const int count = sws_scale(scaler->get(), in, frame.linesize, top, height, out, strides);
    for (int i = 0; i < count && i < kKept; ++i) put(done + i, rows.data() + i * stride);
    done += std::max(count, 0);
  }
  if (done == frame.height) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("pixel format ", PixelFormatName(frame),
                                                    " gave ", done, " of ", frame.height, " rows"));
}

struct Grey16Layout {
  int step = 0;  // bytes a pixel, 0: not grey of 16 bits
  bool big_endian = false;
};

Grey16Layout LayoutOf(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_GRAY16BE:
      return {2, true};
    case AV_PIX_FMT_GRAY16LE:
      return {2, false};
    case AV_PIX_FMT_YA16BE:
      return {4, true};
    default:
      return {};
  }
}

}  // namespace

const char* PixelFormatName(const AVFrame& frame) {
  const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
  return name == nullptr ? "unknown" : name;
}

absl::Status ForEachRgbRow(const AVFrame& frame, PutRgb put) {
  const auto copy = [](const uint8_t* in, uint8_t* rgb) { std::memcpy(rgb, in, 3); };
  const auto grey = [](const uint8_t* in, uint8_t* rgb) { Grey(*in, rgb); };
  const auto high_bytes = [](const uint8_t* in, uint8_t* rgb) {
    for (int i = 0; i < 3; ++i) rgb[i] = in[2 * i];
  };
  const bool is_jfif = IsFullRange(frame) && MatrixOf(frame.colorspace) == SWS_CS_ITU601;
  switch (frame.format) {
    case AV_PIX_FMT_RGB24:
      return PutPacked<3>(frame, put, copy);
    case AV_PIX_FMT_RGBA:
      return PutPacked<4>(frame, put, copy);
    case AV_PIX_FMT_GRAY8:
      return PutPacked<1>(frame, put, grey);
    case AV_PIX_FMT_YA8:
    case AV_PIX_FMT_GRAY16BE:
      return PutPacked<2>(frame, put, grey);
    case AV_PIX_FMT_GRAY16LE:
      return PutPacked<2>(frame, put, [](const uint8_t* in, uint8_t* rgb) { Grey(in[1], rgb); });
    case AV_PIX_FMT_RGB48BE:
      return PutPacked<6>(frame, put, high_bytes);
    case AV_PIX_FMT_RGBA64BE:
      return PutPacked<8>(frame, put, high_bytes);
    case AV_PIX_FMT_PAL8:
      return PutPalette(frame, put);
    case AV_PIX_FMT_YUVJ420P:
      return is_jfif ? PutJpeg(frame, 1, 1, put) : PutScaled(frame, put);
    case AV_PIX_FMT_YUVJ422P:
      return is_jfif ? PutJpeg(frame, 1, 0, put) : PutScaled(frame, put);
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUV444P:
      return is_jfif ? PutJpeg(frame, 0, 0, put) : PutScaled(frame, put);
    default:
      return PutScaled(frame, put);
  }
}

bool IsGrey16(const AVFrame& frame) { return LayoutOf(frame).step > 0; }

void ForEachGrey16Row(const AVFrame& frame,
                      absl::FunctionRef<void(int64_t row, const uint16_t* grey)> put) {
  const Grey16Layout layout = LayoutOf(frame);
  std::vector<uint16_t> grey(frame.width);
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* in = RowOf(frame, row);
    for (int column = 0; column < frame.width; ++column, in += layout.step) {
      const int value = layout.big_endian ? in[0] << 8 | in[1] : in[1] << 8 | in[0];
      grey[column] = static_cast<uint16_t>(value);
    }
    put(row, grey.data());
  }
}

}  // namespace unival
