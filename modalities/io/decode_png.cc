// PNG through libpng, a row at a time. Chunks that say nothing about the pixels (colour profiles,
// texts) are stepped over unread: a broken profile does not make a picture unreadable, and one that
// unpacks to gigabytes costs nothing.
#include <png.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "modalities/io/builtin_formats.h"
#include "modalities/io/limits.h"
#include "modalities/io/one_packet.h"
#include "modalities/io/picture_writer.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";
constexpr int kSignatureBytes = 8;

uint32_t Big(const uint8_t* in) {
  return static_cast<uint32_t>(BigEndian({reinterpret_cast<const char*>(in), 4}, 4));
}

struct PngChunks {
  int64_t width = 0, height = 0;  // 0: the file ends before it says so
  bool is_cut = false;            // pixel data reach past the end of the file
  Orientation orientation = Orientation::kUpright;
};

// What a PNG promises are its IDAT chunks; what follows the last of them may lack, the end marker
// too.
PngChunks ScanChunks(const ByteReader& reader) {
  constexpr int64_t kMaxExif = 64 * 1024, kAroundData = 12;
  PngChunks chunks;
  SequentialBytes bytes(reader, kSignatureBytes);
  uint8_t head[8];
  while (bytes.Read(head, sizeof(head)) == sizeof(head)) {
    const absl::string_view name(reinterpret_cast<const char*>(head + 4), 4);
    const int64_t length = Big(head);
    if (name == "IEND") break;
    if (name == "IHDR" && chunks.width == 0) {
      const std::string sides = reader.Text(bytes.position(), 8);
      if (sides.size() == 8) {
        const auto* in = reinterpret_cast<const uint8_t*>(sides.data());
        chunks.width = Big(in);
        chunks.height = Big(in + 4);
      }
    }
    if (name == "IDAT" && bytes.position() + length + 4 > reader.size()) chunks.is_cut = true;
    if (name == "eXIf" && length <= kMaxExif) {
      chunks.orientation = ExifOrientation(reader.Text(bytes.position(), length));
    }
    bytes.Skip(length + kAroundData - 8);
  }
  return chunks;
}

// What libpng's callbacks need, without destructors: errors jump.
struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  SequentialBytes* bytes = nullptr;
  PictureWriter* writer = nullptr;
  uint8_t* row = nullptr;
  char error[128] = {};
};

void OnError(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  absl::SNPrintF(state->error, sizeof(state->error), "%s", message);
  png_longjmp(png, 1);
}

void OnWarning(png_structp, png_const_charp) {}

void ReadBytes(png_structp png, png_bytep out, size_t count) {
  auto* bytes = static_cast<SequentialBytes*>(png_get_io_ptr(png));
  if (bytes->Read(out, static_cast<int64_t>(count)) != static_cast<int64_t>(count)) {
    png_error(png, "it ends early");
  }
}

class PngReader {
 public:
  explicit PngReader(SequentialBytes* bytes) {
    state_.bytes = bytes;
    state_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state_, &OnError, &OnWarning);
    if (state_.png != nullptr) state_.info = png_create_info_struct(state_.png);
  }
  ~PngReader() { png_destroy_read_struct(&state_.png, &state_.info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  PngState& state() { return state_; }
  bool is_ready() const { return state_.info != nullptr; }

 private:
  PngState state_;
};

bool ReadHead(PngState& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_read_fn(state.png, state.bytes, &ReadBytes);
#ifdef PNG_MAXIMUM_INFLATE_WINDOW
  // Some programs write that less is looked back on than is: other readers do not mind.
  png_set_option(state.png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
#endif
  png_set_keep_unknown_chunks(state.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_keep_unknown_chunks(state.png, PNG_HANDLE_CHUNK_NEVER,
                              reinterpret_cast<png_const_bytep>("tRNS"), 1);
  png_set_user_limits(state.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // CheckPixels judges
  png_read_info(state.png, state.info);
  return true;
}

// After this rows are grey or RGB of 8 bits, or grey of 16 where that is asked for.
bool SetUp(PngState& state, bool keep_grey16) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  const int depth = png_get_bit_depth(state.png, state.info);
  const int colour = png_get_color_type(state.png, state.info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(state.png);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(state.png);
  if ((colour & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(state.png);
  if (depth == 16 && keep_grey16) png_set_swap(state.png);
  if (depth == 16 && !keep_grey16) png_set_strip_16(state.png);
  png_read_update_info(state.png, state.info);
  return true;
}

void Put(PictureWriter& writer, const PngState& state, bool is_rgb, int64_t row, int64_t first,
         int64_t step, int64_t count) {
  if (is_rgb) {
    writer.PutRgb(row, state.row, first, step, count);
  } else if (writer.format() == PixelFormat::kGray16) {
    writer.PutGrey16(row, reinterpret_cast<const uint16_t*>(state.row), first, step, count);
  } else {
    writer.PutGrey(row, state.row, first, step, count);
  }
}

// Interlaced pictures come as seven smaller ones, whose pixels are put where they belong.
bool ReadRows(PngState& state, int64_t height, int64_t width) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  const bool is_rgb = (png_get_color_type(state.png, state.info) & PNG_COLOR_MASK_COLOR) != 0;
  if (png_get_interlace_type(state.png, state.info) == PNG_INTERLACE_NONE) {
    for (int64_t row = 0; row < height; ++row) {
      png_read_row(state.png, state.row, nullptr);
      Put(*state.writer, state, is_rgb, row, 0, 1, width);
    }
    return true;
  }
  for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
    const auto columns = PNG_PASS_COLS(static_cast<png_uint_32>(width), pass);
    const auto rows = PNG_PASS_ROWS(static_cast<png_uint_32>(height), pass);
    if (columns == 0) continue;
    for (png_uint_32 i = 0; i < rows; ++i) {
      png_read_row(state.png, state.row, nullptr);
      Put(*state.writer, state, is_rgb, PNG_ROW_FROM_PASS_ROW(i, pass), PNG_PASS_START_COL(pass),
          PNG_PASS_COL_OFFSET(pass), columns);
    }
  }
  return true;
}

// The rest of the pixel data: its checksum counts. False for data that are damaged.
bool ReadEnd(PngState& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) {
    return absl::string_view(state.error) == "it ends early";
  }
  png_read_end(state.png, nullptr);
  return true;
}

absl::Status Damaged(const ByteReader& reader, const PngState& state) {
  if (!reader.failure().ok()) return reader.failure();
  return UnexpectedMedia(reader.name(), kExpectedImage,
                         absl::StrCat("a damaged PNG (", state.error, ")"), "Write it again.");
}

absl::StatusOr<at::Tensor> DecodePng(const EncodedMedia& file, PixelFormat format) {
  const ByteReader& reader = file.reader;
  const PngChunks chunks = ScanChunks(reader);
  // libpng would call a picture that is too large damaged where its checksum is wrong as well.
  if (chunks.width > 0 && chunks.height > file.options.max_pixels / chunks.width) {
    return CheckPixels(reader.name(), file.options, chunks.width, chunks.height);
  }
  if (chunks.is_cut) {
    return TruncatedMedia(
        UnexpectedMedia(reader.name(), kExpectedImage, "a truncated PNG", "Write it again."));
  }
  SequentialBytes bytes(reader);
  PngReader opened(&bytes);
  if (!opened.is_ready()) return absl::ResourceExhaustedError("libpng: no memory");
  PngState& state = opened.state();
  if (!ReadHead(state)) return Damaged(reader, state);
  const int64_t width = png_get_image_width(state.png, state.info);
  const int64_t height = png_get_image_height(state.png, state.info);
  const int depth = png_get_bit_depth(state.png, state.info);
  const bool is_grey = (png_get_color_type(state.png, state.info) & PNG_COLOR_MASK_COLOR) == 0;
  const PictureHead head = {height, width, chunks.orientation, is_grey && depth == 16};
  UNIVAL_RETURN_IF_ERROR(CheckPixels(reader.name(), file.options, width, height));
  constexpr int64_t kRowBytes = 4 * 8;  // two rows of libpng's, one of ours, 8 bytes a pixel
  UNIVAL_RETURN_IF_ERROR(CheckMemory(reader.name(), file.options,
                                     4 * width * height + kRowBytes * width,
                                     absl::StrCat("a PNG of ", width, " x ", height)));
  UNIVAL_ASSIGN_OR_RETURN(PictureWriter writer,
                          PictureWriter::Create(reader.name(), format, file.options, head,
                                                absl::StrCat("a PNG of ", depth, " bits, ",
                                                             is_grey ? "grey" : "in colours")));
  if (!SetUp(state, format == PixelFormat::kGray16)) return Damaged(reader, state);
  std::vector<uint8_t> row(png_get_rowbytes(state.png, state.info) + 8);
  state.row = row.data();
  state.writer = &writer;
  if (!ReadRows(state, height, width) || !ReadEnd(state)) return Damaged(reader, state);
  return writer.Take();
}

}  // namespace

MediaFormat PngFormat() {
  MediaFormat format{"image", "png", "libpng", {"png"}};
  format.matches = [](absl::string_view head) { return absl::StartsWith(head, kSignature); };
  format.decode_image = &DecodePng;
  return format;
}

}  // namespace unival
