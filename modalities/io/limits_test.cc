// Decoding any file takes at most 64 MiB and 4 bytes for each of max_pixels, in addition to the
// samples and frames that it returns. Also tests which errors are media errors.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/memory_use.h"
#include "sdk/base/test_files.h"
#include "sdk/native/media.h"
#include "sdk/native/media_file_error.h"

namespace unival {
namespace {

constexpr int kSide = 2048;
constexpr int64_t kMaxPixels = int64_t{kSide} * kSide;
constexpr double kLimitMiB = 64 + 4.0 * kMaxPixels / (1 << 20);

MediaSource Bytes(std::string bytes) {
  MediaSource media;
  media.name = "media";
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

struct Peak {
  double mib = 0;
  bool ok = false;
};

// Runs `work` in a new process. Returns the largest growth of its memory, without the returned
// data.
Peak PeakOf(const std::function<absl::StatusOr<int64_t>()>& work) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    mallopt(M_MMAP_THRESHOLD, 1 << 16);  // no block is taken from what was freed before
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
    const int64_t before = MemoryOfThisProcess().resident;
    const absl::StatusOr<int64_t> returned = work();
    const int64_t kept = returned.ok() ? *returned : 0;
    const int64_t grown = MemoryOfThisProcess().peak - before - kept;
    const Peak peak = {static_cast<double>(grown) / (1 << 20), returned.ok()};
    const bool written = write(ends[1], &peak, sizeof(peak)) == sizeof(peak);
    _exit(written ? 0 : 1);
  }
  Peak peak;
  close(ends[1]);
  EXPECT_EQ(read(ends[0], &peak, sizeof(peak)), static_cast<ssize_t>(sizeof(peak)));
  close(ends[0]);
  int state = 0;
  waitpid(child, &state, 0);
  EXPECT_TRUE(WIFEXITED(state) && WEXITSTATUS(state) == 0) << state;
  return peak;
}

std::unique_ptr<MediaDecoder> Decoder() {
  DecoderOptions options;
  options.max_pixels = kMaxPixels;
  return NewFfmpegDecoder(options);
}

// Pictures count completely. The selected frames of a video do not count.
Peak PeakOfPicture(const std::string& bytes) {
  const MediaSource media = Bytes(bytes);
  return PeakOf([&]() -> absl::StatusOr<int64_t> {
    const auto pixels = Decoder()->DecodeImage(media, PixelFormat::kRgb8);
    if (!pixels.ok()) return pixels.status();
    return 0;
  });
}

Peak PeakOfVideo(const std::string& bytes) {
  const MediaSource media = Bytes(bytes);
  return PeakOf([&]() -> absl::StatusOr<int64_t> {
    const auto clip =
        Decoder()->DecodeVideo(media, [](int64_t, double) { return std::vector<int64_t>{0}; });
    if (!clip.ok()) return clip.status();
    return static_cast<int64_t>(clip->frames.nbytes());
  });
}

void ExpectWithin(const std::string& name, const Peak& peak, bool ok) {
  printf("%-36s %-8s %6.1f MiB of %.0f\n", name.c_str(), peak.ok ? "decoded" : "refused", peak.mib,
         kLimitMiB);
  EXPECT_LE(peak.mib, kLimitMiB) << name;
  EXPECT_EQ(peak.ok, ok) << name;
}

std::vector<uint8_t> Flat(int side = kSide) { return std::vector<uint8_t>(3 * side * side, 99); }

TEST(LimitsTest, LargestPicturesOfEveryFormatStayWithinTheLimit) {
  JpegSetting progressive, inks;
  progressive.progressive = true;
  inks.kind = JpegKind::kCmyk;
  TiffSetting strips, tiles, planes;
  strips.compression = 5;
  tiles.tile = 256;
  tiles.compression = 8;
  planes.separate_planes = true;
  planes.compression = 8;
  const std::string bmp_head = "BM" + LittleEndianBytes(54 + 3 * kMaxPixels, 4) +
                               LittleEndianBytes(0, 4) + LittleEndianBytes(54, 4) +
                               LittleEndianBytes(40, 4) + LittleEndianBytes(kSide, 4) +
                               LittleEndianBytes(kSide, 4) + LittleEndianBytes(1, 2) +
                               LittleEndianBytes(24, 2) + std::string(24, '\0');
  const std::pair<const char*, std::string> cases[] = {
      {"png", EncodePng(Flat(), kSide, kSide, 3).value()},
      {"16-bit grey png", EncodeGray16Png(std::vector<uint16_t>(kMaxPixels), kSide, kSide).value()},
      {"jpeg", MakeJpeg(Flat(), kSide, kSide)},
      {"progressive jpeg", MakeJpeg(Flat(), kSide, kSide, progressive)},
      {"cmyk jpeg", MakeJpeg(Flat(), kSide, kSide, inks)},
      {"lossless webp", MakeWebp(Flat(), kSide, kSide)},
      {"lossy webp", MakeWebp(Flat(), kSide, kSide, 50)},
      {"animated webp", MakeAnimatedWebp(Flat(), kSide, kSide)},
      {"tiff in strips", MakeTiff(Flat(), kSide, kSide, strips)},
      {"tiff in tiles", MakeTiff(Flat(), kSide, kSide, tiles)},
      {"tiff in planes", MakeTiff(Flat(), kSide, kSide, planes)},
      {"gif", MakeGif(2, kSide)},
      {"ppm",
       absl::StrCat("P6\n", kSide, " ", kSide, "\n255\n") + std::string(3 * kMaxPixels, 'x')},
      {"bmp", bmp_head + std::string(3 * kMaxPixels, 'x')}};
  for (const auto& [name, bytes] : cases) ExpectWithin(name, PeakOfPicture(bytes), true);
}

TEST(LimitsTest, LargestVideosOfEveryCodecStayWithinTheLimit) {
  for (const auto& [container, codec] :
       std::vector<std::pair<const char*, const char*>>{{"mp4", "mpeg4"},
                                                        {"mp4", "libx264"},
                                                        {"webm", "libvpx"},
                                                        {"webm", "libvpx-vp9"},
                                                        {"matroska", "ffv1"},
                                                        {"avi", "rawvideo"}}) {
    VideoSetting setting;
    setting.container = container;
    setting.codec = codec;
    setting.width = setting.height = kSide;
    setting.frames = 6;
    ExpectWithin(absl::StrCat(container, " (", codec, ")"), PeakOfVideo(MakeVideo(setting)), true);
  }
}

TEST(LimitsTest, ClaimsThatNothingBacksCostNothing) {
  const std::string png = EncodePng(Flat(16), 16, 16, 3).value();
  std::string giant = png;
  giant.replace(16, 8, BigEndianBytes(60000, 4) + BigEndianBytes(60000, 4));
  const std::string qoi =
      "qoif" + BigEndianBytes(16000, 4) + BigEndianBytes(16000, 4) + std::string(38, 'x');
  const std::string gif = "GIF89a" + LittleEndianBytes(65535, 2) + LittleEndianBytes(65535, 2) +
                          std::string("\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0", 14) +
                          LittleEndianBytes(65535, 2) + LittleEndianBytes(65535, 2) +
                          std::string("\0\2\2\x44\1\0;", 7);
  for (const auto& [name, bytes] : std::vector<std::pair<const char*, std::string>>{
           {"png of 60000 x 60000", giant},
           {"qoi of 16000 x 16000", qoi},
           {"gif of 65535 x 65535", gif},
           {"ppm of 30000 x 30000", "P6\n30000 30000\n255\nabc"}}) {
    ExpectWithin(name, PeakOfPicture(bytes), false);
  }
  const std::string mp4 = MakeVideo(VideoSetting());
  const auto with = [&](const char* table, int at, const std::string& value) {
    std::string bytes = mp4;
    return bytes.replace(bytes.find(table) + at, value.size(), value);
  };
  for (const auto& [name, bytes] : std::vector<std::pair<const char*, std::string>>{
           {"mp4 of 50000000 samples",
            with("stsz", 8, BigEndianBytes(1, 4) + BigEndianBytes(50000000, 4))},
           {"mp4 of 2000000 edits", with("elst", 8, BigEndianBytes(2000000, 4))},
           {"mp4 of 2^31 chunks", with("stco", 8, BigEndianBytes(1u << 31, 4))},
           {"mp4 with a giant cover",
            mp4 + BigEndianBytes(100000000, 4) + "udta" + std::string(100000000 - 8, 'x')}}) {
    const Peak peak = PeakOfVideo(bytes);
    ExpectWithin(name, peak, peak.ok);
  }
}

TEST(LimitsTest, FaultsOfTheMachineAreNotThoseOfTheFile) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EIO}) {
    const absl::Status status = MediaFileError("a.png", "cannot open", error);
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(IsMediaError(status)) << status;
  }
  for (const int error : {ENOENT, EACCES, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG}) {
    EXPECT_TRUE(IsMediaError(MediaFileError("a.png", "cannot open", error))) << error;
  }
}

TEST(LimitsTest, TooManyOpenFilesEndTheRunWithTheirOwnMessage) {
  const std::string path = ::testing::TempDir() + "open.png";
  WriteText(path, EncodePng(Flat(16), 16, 16, 3).value());
  MediaSource media;
  media.path = path;
  const auto decoder = Decoder();
  ASSERT_TRUE(decoder->DecodeImage(media, PixelFormat::kRgb8).ok());
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = decoder->DecodeImage(media, PixelFormat::kRgb8).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(IsMediaError(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "oo many open files")) << status;
  media.path = ::testing::TempDir() + "nothing.png";
  EXPECT_TRUE(IsMediaError(decoder->DecodeImage(media, PixelFormat::kRgb8).status()));
}

}  // namespace
}  // namespace unival
