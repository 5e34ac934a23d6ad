// JPEG through libjpeg-turbo, a row at a time: equal to Pillow's pixels to the bit
// (docs/decisions/0007_jpeg.md), for grey, colours, CMYK and YCCK, baseline and progressive.
#include <csetjmp>
#include <cstdio>
// libjpeg's header needs what stands above.
#include <jerror.h>
#include <jpeglib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/limits.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/picture_writer.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int kMaxScans = 500;  // a picture has tens; each costs a pass over all pixels

// Of the segments before the first scan, the first that is EXIF.
Orientation JpegOrientation(const ByteReader& reader) {
  constexpr uint8_t kMarker = 0xff, kExif = 0xe1, kScan = 0xda, kEnd = 0xd9;
  SequentialBytes bytes(reader, 2);
  uint8_t head[4];
  while (bytes.Read(head, 2) == 2 && head[0] == kMarker) {
    while (head[1] == kMarker && bytes.Read(head + 1, 1) == 1) continue;  // fill bytes
    if (head[1] == kScan || head[1] == kEnd || bytes.Read(head + 2, 2) != 2) break;
    const int64_t length = (head[2] << 8 | head[3]) - 2;
    if (length < 0) break;
    if (head[1] == kExif) {
      const std::string segment = reader.Text(bytes.position(), length);
      if (absl::StartsWith(segment, absl::string_view("Exif\0\0", 6))) {
        return ExifOrientation(segment);
      }
    }
    bytes.Skip(length);
  }
  return Orientation::kUpright;
}

// What libjpeg's callbacks need; without destructors, since errors jump.
struct JpegState {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg_source_mgr input;
  jpeg_progress_mgr progress;
  jmp_buf on_error;
  SequentialBytes* bytes;
  uint8_t buffer[16 * 1024];
  bool ended;      // the file did, before the end marker
  int damage;      // the first warning that means lost pixels, 0 without one
  int error_code;  // of the error that ended decoding
  bool too_many_scans;
  char message[JMSG_LENGTH_MAX];
};

JpegState& StateOf(j_common_ptr jpeg) { return *static_cast<JpegState*>(jpeg->client_data); }

void OnError(j_common_ptr jpeg) {
  JpegState& state = StateOf(jpeg);
  state.error_code = jpeg->err->msg_code;
  jpeg->err->format_message(jpeg, state.message);
  longjmp(state.on_error, 1);
}

// Superfluous bytes, odd versions and broken profiles lose no pixels. A file that ends without its
// end marker is judged apart.
bool IsHarmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM ||
         code == JWRN_TOO_MUCH_DATA || code == JWRN_BOGUS_ICC || code == JWRN_JPEG_EOF;
}

void OnMessage(j_common_ptr jpeg, int level) {
  JpegState& state = StateOf(jpeg);
  if (level >= 0 || IsHarmless(jpeg->err->msg_code) || state.damage != 0) return;
  state.damage = jpeg->err->msg_code;
  jpeg->err->format_message(jpeg, state.message);
}

void IgnoreOutput(j_common_ptr) {}
void DoNothing(j_decompress_ptr) {}

boolean FillBuffer(j_decompress_ptr jpeg) {
  JpegState& state = StateOf(reinterpret_cast<j_common_ptr>(jpeg));
  int64_t got = state.bytes->Read(state.buffer, sizeof(state.buffer));
  if (got == 0) {
    state.ended = true;
    state.buffer[0] = 0xff;
    state.buffer[1] = JPEG_EOI;
    got = 2;
  }
  jpeg->src->next_input_byte = state.buffer;
  jpeg->src->bytes_in_buffer = static_cast<size_t>(got);
  return TRUE;
}

void SkipBytes(j_decompress_ptr jpeg, long count) {
  JpegState& state = StateOf(reinterpret_cast<j_common_ptr>(jpeg));
  if (count <= 0) return;
  const auto here = static_cast<long>(jpeg->src->bytes_in_buffer);
  const long some = count < here ? count : here;
  jpeg->src->next_input_byte += some;
  jpeg->src->bytes_in_buffer -= some;
  state.bytes->Skip(count - some);
}

void OnProgress(j_common_ptr jpeg) {
  JpegState& state = StateOf(jpeg);
  if (state.jpeg.input_scan_number <= kMaxScans) return;
  state.too_many_scans = true;
  longjmp(state.on_error, 1);
}

// libjpeg's structures, released with this.
class JpegReader {
 public:
  explicit JpegReader(SequentialBytes* bytes) : state_{} {
    state_.bytes = bytes;
    state_.jpeg.err = jpeg_std_error(&state_.errors);
    state_.errors.error_exit = &OnError;
    state_.errors.emit_message = &OnMessage;
    state_.errors.output_message = &IgnoreOutput;
    state_.jpeg.client_data = &state_;
    state_.input.init_source = &DoNothing;
    state_.input.fill_input_buffer = &FillBuffer;
    state_.input.skip_input_data = &SkipBytes;
    state_.input.resync_to_restart = &jpeg_resync_to_restart;
    state_.input.term_source = &DoNothing;
    state_.progress.progress_monitor = &OnProgress;
  }
  ~JpegReader() { jpeg_destroy_decompress(&state_.jpeg); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  JpegState& state() { return state_; }

 private:
  JpegState state_;
};

bool ReadHead(JpegState& state) {
  if (setjmp(state.on_error) != 0) return false;
  jpeg_create_decompress(&state.jpeg);  // clears what is set below
  state.jpeg.client_data = &state;
  state.jpeg.src = &state.input;
  state.jpeg.progress = &state.progress;
  jpeg_read_header(&state.jpeg, TRUE);
  return true;
}

bool IsCmyk(const jpeg_decompress_struct& jpeg) {
  return jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
}

bool Start(JpegState& state, bool grey) {
  if (setjmp(state.on_error) != 0) return false;
  state.jpeg.out_color_space = IsCmyk(state.jpeg) ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&state.jpeg);
  return true;
}

// Printers' colours are stored inverted, as Adobe's programs do and all others read.
void CmykToRgb(const uint8_t* cmyk, int64_t count, uint8_t* rgb) {
  for (int64_t i = 0; i < count; ++i, cmyk += 4, rgb += 3) {
    for (int k = 0; k < 3; ++k) {
      const int product = cmyk[k] * cmyk[3] + 128;
      rgb[k] = static_cast<uint8_t>(((product >> 8) + product) >> 8);
    }
  }
}

bool ReadRows(JpegState& state, PictureWriter& writer, uint8_t* row, uint8_t* rgb) {
  if (setjmp(state.on_error) != 0) return false;
  while (state.jpeg.output_scanline < state.jpeg.output_height) {
    const int64_t index = state.jpeg.output_scanline;
    JSAMPROW rows[] = {row};
    jpeg_read_scanlines(&state.jpeg, rows, 1);
    if (state.jpeg.out_color_space == JCS_GRAYSCALE) {
      writer.PutGrey(index, row);
    } else if (state.jpeg.out_color_space == JCS_CMYK) {
      CmykToRgb(row, state.jpeg.output_width, rgb);
      writer.PutRgb(index, rgb);
    } else {
      writer.PutRgb(index, row);
    }
  }
  jpeg_finish_decompress(&state.jpeg);
  return true;
}

// Of pictures in several scans libjpeg keeps all coefficients, 2 bytes each.
int64_t CoefficientBytes(jpeg_decompress_struct& jpeg) {
  if (jpeg_has_multiple_scans(&jpeg) == FALSE) return 0;
  int64_t bytes = 0;
  for (int i = 0; i < jpeg.num_components; ++i) {
    const jpeg_component_info& component = jpeg.comp_info[i];
    bytes += int64_t{component.width_in_blocks} * component.height_in_blocks * DCTSIZE2 * 2;
  }
  return bytes;
}

absl::Status Damaged(const ByteReader& reader, const JpegState& state) {
  if (!reader.failure().ok()) return reader.failure();
  const auto unexpected = [&reader](const std::string& found) {
    return UnexpectedMedia(reader.name(), kExpectedImage, found, "Write it again.");
  };
  if (state.too_many_scans) {
    return unexpected(absl::StrCat("a JPEG of more than ", kMaxScans, " scans"));
  }
  if (state.message[0] == '\0' || state.ended) {
    return TruncatedMedia(unexpected("a truncated JPEG"));
  }
  return unexpected(absl::StrCat("a damaged JPEG (", state.message, ")"));
}

// Kinds that the library is built without, and libavcodec reads: lossless, more than 8 bits.
bool IsLeftToOthers(const JpegState& state) {
  return state.error_code == JERR_BAD_PRECISION || state.error_code == JERR_SOF_UNSUPPORTED;
}

// What a JPEG promises is its end marker: what stands behind it does not matter.
bool IsWhole(const JpegState& state) { return state.damage == 0 && !state.ended; }

absl::StatusOr<at::Tensor> DecodeJpeg(const EncodedMedia& file, PixelFormat format) {
  const ByteReader& reader = file.reader;
  const std::string& name = reader.name();
  SequentialBytes bytes(reader);
  const auto opened = std::make_unique<JpegReader>(&bytes);
  JpegState& state = opened->state();
  if (!ReadHead(state)) {
    if (IsLeftToOthers(state)) return DecodeOnePacket(file, "mjpeg", format);
    return Damaged(reader, state);
  }
  const int64_t width = state.jpeg.image_width, height = state.jpeg.image_height;
  UNIVAL_RETURN_IF_ERROR(CheckPixels(name, file.options, width, height));
  const int64_t coefficients = CoefficientBytes(state.jpeg);
  UNIVAL_RETURN_IF_ERROR(
      CheckMemory(name, file.options, 3 * width * height + coefficients,
                  absl::StrCat(coefficients > 0 ? "a progressive JPEG of " : "a JPEG of ", width,
                               " x ", height)));
  const PictureHead head = {height, width, JpegOrientation(reader)};
  UNIVAL_ASSIGN_OR_RETURN(PictureWriter writer, PictureWriter::Create(name, format, file.options,
                                                                      head, "a JPEG of 8 bits"));
  if (!Start(state, format == PixelFormat::kGray8)) return Damaged(reader, state);
  std::vector<uint8_t> row(width * state.jpeg.output_components), rgb(width * 3);
  const bool read = ReadRows(state, writer, row.data(), rgb.data());
  if (!read || !IsWhole(state) || !reader.failure().ok()) return Damaged(reader, state);
  return writer.Take();
}

}  // namespace

MediaFormat JpegFormat() {
  MediaFormat format{"image", "jpeg", "libjpeg", {"jpg", "jpeg", "jpe", "jfif"}};
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, "\xff\xd8\xff"); };
  format.decode_image = &DecodeJpeg;
  return format;
}

}  // namespace unival
