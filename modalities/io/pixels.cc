#include "modalities/io/pixels.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

uint8_t Clamp(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

// Applies `pixel(source, out)` to every pixel; strides in bytes.
template <int kIn, int kOut, typename Pixel>
void ForEachPixel(const AVFrame& frame, uint8_t* out, Pixel pixel) {
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* in = frame.data[0] + static_cast<ptrdiff_t>(row) * frame.linesize[0];
    for (int column = 0; column < frame.width; ++column, in += kIn, out += kOut) pixel(in, out);
  }
}

void Grey(uint8_t value, uint8_t* out) { out[0] = out[1] = out[2] = value; }

// One chroma row at full width: the triangle filter of the IJG's decoder, here with the exact
// roundings. `sum` holds `count` column sums in units of 1 / `scale` (4 with two source rows
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
    if (shift_x_ == 0) return Source(row);
    if (shift_y_ == 0) {
      const uint8_t* near = Source(row);
      std::copy(near, near + columns_, sum_.begin());
      UpsampleRow(sum_.data(), columns_, 1, 1, 2, width_, full_.data());
    } else {
      const uint8_t* near = Source(row / 2);
      const uint8_t* far = Source(row % 2 == 0 ? row / 2 - 1 : row / 2 + 1);
      for (int i = 0; i < columns_; ++i) sum_[i] = 3 * near[i] + far[i];
      UpsampleRow(sum_.data(), columns_, 4, 8, 7, width_, full_.data());
    }
    return full_.data();
  }

 private:
  const uint8_t* Source(int row) const {
    return data_ + static_cast<ptrdiff_t>(std::clamp(row, 0, rows_ - 1)) * stride_;
  }

  const uint8_t* data_;
  int stride_, columns_, rows_, width_, shift_x_, shift_y_;
  std::vector<int> sum_;
  std::vector<uint8_t> full_;
};

// JFIF colours in the IJG's 16-bit fixed point.
void WriteJpeg(const AVFrame& frame, int shift_x, int shift_y, uint8_t* out) {
  ChromaRows blue(frame, 1, shift_x, shift_y), red(frame, 2, shift_x, shift_y);
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* luma = frame.data[0] + static_cast<ptrdiff_t>(row) * frame.linesize[0];
    const uint8_t* cb_row = blue.Row(row);
    const uint8_t* cr_row = red.Row(row);
    for (int column = 0; column < frame.width; ++column, out += 3) {
      const int y = luma[column], cb = cb_row[column] - 128, cr = cr_row[column] - 128;
      out[0] = Clamp(y + ((91881 * cr + 32768) >> 16));
      out[1] = Clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
      out[2] = Clamp(y + ((116130 * cb + 32768) >> 16));
    }
  }
}

void WritePalette(const AVFrame& frame, uint8_t* out) {
  uint32_t palette[256];
  std::memcpy(palette, frame.data[1], sizeof(palette));
  ForEachPixel<1, 3>(frame, out, [&palette](const uint8_t* in, uint8_t* rgb) {
    const uint32_t colour = palette[*in];  // 0xAARRGGBB
    rgb[0] = static_cast<uint8_t>(colour >> 16);
    rgb[1] = static_cast<uint8_t>(colour >> 8);
    rgb[2] = static_cast<uint8_t>(colour);
  });
}

// Any other format; colour space and range as the stream states them.
absl::Status WriteByScaler(const AVFrame& frame, uint8_t* out) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  FfmpegPtr<SwsContext> scaler;
  if (sws_isSupportedInput(format)) {
    scaler.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height,
                                AV_PIX_FMT_RGB24,
                                SWS_BILINEAR | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT,
                                nullptr, nullptr, nullptr));
  }
  if (scaler == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("pixel format ", PixelFormatName(frame), " cannot be converted to RGB"));
  }
  const int space = frame.colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  const int* coefficients = sws_getCoefficients(space);
  sws_setColorspaceDetails(scaler.get(), coefficients, frame.color_range == AVCOL_RANGE_JPEG,
                           coefficients, 1, 0, 1 << 16, 1 << 16);
  // The scaler may write whole vectors past the end of a row.
  const int stride = FFALIGN(frame.width * 3, 32) + 32;
  std::vector<uint8_t> rows(static_cast<size_t>(stride) * frame.height + 64);
  uint8_t* planes[4] = {rows.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {stride, 0, 0, 0};
  sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
  for (int row = 0; row < frame.height; ++row) {
    std::memcpy(out + static_cast<size_t>(row) * frame.width * 3,
                rows.data() + static_cast<size_t>(row) * stride, frame.width * 3);
  }
  return absl::OkStatus();
}

}  // namespace

const char* PixelFormatName(const AVFrame& frame) {
  const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
  return name == nullptr ? "unknown" : name;
}

absl::Status WriteRgb8(const AVFrame& frame, uint8_t* out) {
  const bool full_range = frame.color_range == AVCOL_RANGE_JPEG;
  switch (frame.format) {
    case AV_PIX_FMT_RGB24:
      ForEachPixel<3, 3>(frame, out,
                         [](const uint8_t* in, uint8_t* rgb) { std::memcpy(rgb, in, 3); });
      return absl::OkStatus();
    case AV_PIX_FMT_RGBA:
      ForEachPixel<4, 3>(frame, out,
                         [](const uint8_t* in, uint8_t* rgb) { std::memcpy(rgb, in, 3); });
      return absl::OkStatus();
    case AV_PIX_FMT_GRAY8:
      ForEachPixel<1, 3>(frame, out, [](const uint8_t* in, uint8_t* rgb) { Grey(*in, rgb); });
      return absl::OkStatus();
    case AV_PIX_FMT_YA8:
    case AV_PIX_FMT_GRAY16BE:
      ForEachPixel<2, 3>(frame, out, [](const uint8_t* in, uint8_t* rgb) { Grey(*in, rgb); });
      return absl::OkStatus();
    case AV_PIX_FMT_GRAY16LE:
      ForEachPixel<2, 3>(frame, out, [](const uint8_t* in, uint8_t* rgb) { Grey(in[1], rgb); });
      return absl::OkStatus();
    case AV_PIX_FMT_RGB48BE:
    case AV_PIX_FMT_RGBA64BE: {
      const auto pixel = [](const uint8_t* in, uint8_t* rgb) {
        for (int i = 0; i < 3; ++i) rgb[i] = in[2 * i];
      };
      if (frame.format == AV_PIX_FMT_RGB48BE) {
        ForEachPixel<6, 3>(frame, out, pixel);
      } else {
        ForEachPixel<8, 3>(frame, out, pixel);
      }
      return absl::OkStatus();
    }
    case AV_PIX_FMT_PAL8:
      WritePalette(frame, out);
      return absl::OkStatus();
    case AV_PIX_FMT_YUVJ420P:
      WriteJpeg(frame, 1, 1, out);
      return absl::OkStatus();
    case AV_PIX_FMT_YUVJ422P:
      WriteJpeg(frame, 1, 0, out);
      return absl::OkStatus();
    case AV_PIX_FMT_YUVJ444P:
      WriteJpeg(frame, 0, 0, out);
      return absl::OkStatus();
    case AV_PIX_FMT_YUV444P:
      if (!full_range) return WriteByScaler(frame, out);
      WriteJpeg(frame, 0, 0, out);
      return absl::OkStatus();
    default:
      return WriteByScaler(frame, out);
  }
}

absl::Status WriteGray8(const AVFrame& frame, uint8_t* out) {
  switch (frame.format) {
    case AV_PIX_FMT_GRAY8:
      ForEachPixel<1, 1>(frame, out, [](const uint8_t* in, uint8_t* grey) { *grey = *in; });
      return absl::OkStatus();
    case AV_PIX_FMT_YA8:
    case AV_PIX_FMT_GRAY16BE:
      ForEachPixel<2, 1>(frame, out, [](const uint8_t* in, uint8_t* grey) { *grey = *in; });
      return absl::OkStatus();
    case AV_PIX_FMT_GRAY16LE:
      ForEachPixel<2, 1>(frame, out, [](const uint8_t* in, uint8_t* grey) { *grey = in[1]; });
      return absl::OkStatus();
    default:
      break;
  }
  std::vector<uint8_t> rgb(static_cast<size_t>(frame.width) * frame.height * 3);
  if (absl::Status status = WriteRgb8(frame, rgb.data()); !status.ok()) return status;
  for (size_t i = 0; i < rgb.size(); i += 3) {
    out[i / 3] = static_cast<uint8_t>(
        (19595 * rgb[i] + 38470 * rgb[i + 1] + 7471 * rgb[i + 2] + 32768) >> 16);
  }
  return absl::OkStatus();
}

bool WriteGray16(const AVFrame& frame, int32_t* out) {
  int step = 0;
  bool big_endian = false;
  if (frame.format == AV_PIX_FMT_GRAY16BE) step = 2, big_endian = true;
  if (frame.format == AV_PIX_FMT_GRAY16LE) step = 2;
  if (frame.format == AV_PIX_FMT_YA16BE) step = 4, big_endian = true;
  if (step == 0) return false;
  for (int row = 0; row < frame.height; ++row) {
    const uint8_t* in = frame.data[0] + static_cast<ptrdiff_t>(row) * frame.linesize[0];
    for (int column = 0; column < frame.width; ++column, in += step) {
      *out++ = big_endian ? in[0] << 8 | in[1] : in[1] << 8 | in[0];
    }
  }
  return true;
}

}  // namespace unival
