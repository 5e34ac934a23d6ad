// Videos in practice: rotated, trimmed, with frames that are never shown or were dropped, with
// every frame rate and colour matrix.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

extern "C" {
#include <libavutil/pixfmt.h>
}

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "modalities/io/decoder.h"
#include "modalities/io/test_media.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/media.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

MediaSource Bytes(std::string bytes) {
  MediaSource media;
  media.name = "video";
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

absl::StatusOr<VideoClip> Decode(const std::string& bytes, bool stored = false) {
  static const auto* const kDecoder = NewFfmpegDecoder().release();
  const auto all = [](int64_t count, double) {
    std::vector<int64_t> frames(count);
    std::iota(frames.begin(), frames.end(), 0);
    return frames;
  };
  return (stored ? kDecoder->as_stored() : *kDecoder).DecodeVideo(Bytes(bytes), all);
}

VideoClip Decoded(const std::string& bytes, bool stored = false) {
  absl::StatusOr<VideoClip> clip = Decode(bytes, stored);
  EXPECT_TRUE(clip.ok()) << clip.status();
  return clip.ok() ? *clip : VideoClip();
}

// The greys of MakeVideo's frames, 8 a step.
std::vector<int> Steps(const VideoClip& clip) {
  std::vector<int> steps;
  for (int64_t i = 0; clip.frames.defined() && i < clip.frames.size(0); ++i) {
    steps.push_back(
        static_cast<int>(clip.frames[i].to(at::kFloat).mean().item<float>() / 8 + 0.5f));
  }
  return steps;
}

std::vector<int> Range(int begin, int end) {
  std::vector<int> steps(end - begin);
  std::iota(steps.begin(), steps.end(), begin);
  return steps;
}

VideoSetting Setting(const char* container, const char* codec) {
  VideoSetting setting;
  setting.container = container;
  setting.codec = codec;
  return setting;
}

TEST(VideosTest, TheDisplayMatrixIsApplied) {
  constexpr int kHeight = 32, kWidth = 48, kOne = 1 << 16;
  const auto make = [&](std::vector<int32_t> matrix) {
    VideoSetting setting;
    setting.picture = [&](int) { return TestPicture(kHeight, kWidth); };
    setting.frames = 2;
    setting.height = kHeight;
    setting.width = kWidth;
    setting.matrix = std::move(matrix);
    return MakeVideo(setting);
  };
  const at::Tensor stored = Decoded(make({})).frames;
  const auto matrix = [&](int a, int b, int c, int d) {
    return std::vector<int32_t>{a * kOne, b * kOne, 0, c * kOne, d * kOne, 0, 0, 0, 1 << 30};
  };
  const std::pair<std::vector<int32_t>, at::Tensor> cases[] = {
      {matrix(1, 0, 0, 1), stored},
      {matrix(-1, 0, 0, 1), stored.flip(2)},
      {matrix(-1, 0, 0, -1), stored.flip({1, 2})},
      {matrix(1, 0, 0, -1), stored.flip(1)},
      {matrix(0, 1, 1, 0), stored.transpose(1, 2)},
      {matrix(0, 1, -1, 0), stored.transpose(1, 2).flip(2)},  // phones: clockwise
      {matrix(0, -1, -1, 0), stored.transpose(1, 2).flip({1, 2})},
      {matrix(0, -1, 1, 0), stored.transpose(1, 2).flip(1)}};  // anticlockwise
  for (const auto& [values, expected] : cases) {
    const at::Tensor frames = Decoded(make(values)).frames;
    ASSERT_EQ(frames.sizes(), expected.sizes());
    EXPECT_EQ(MaxDifference(frames, expected), 0);
    EXPECT_EQ(MaxDifference(Decoded(make(values), true).frames, stored), 0);
  }
}

TEST(VideosTest, AClipTrimmedWithoutReencodingShowsWhatItsEditListSays) {
  // Frames before 0 are there to decode the others from, and are not shown.
  for (const char* codec : {"mpeg4", "libx264"}) {
    VideoSetting setting = Setting("mp4", codec);
    setting.frames = 12;
    for (int i = 0; i < setting.frames; ++i) setting.times.push_back(i - 4);
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(clip.source_frame_count, 8) << codec;
    EXPECT_EQ(Steps(clip), Range(4, 12)) << codec;
  }
}

TEST(VideosTest, FramesThatAreNeverShownAreNotCounted) {
  for (const char* container : {"webm", "matroska"}) {
    VideoSetting setting = Setting(container, "libvpx");
    setting.edit = [](int index, uint8_t* data, int size) {
      // A VP8 frame says in its first byte that it is shown (RFC 6386, 9.1).
      if (size > 0 && (index == 3 || index == 7)) data[0] &= static_cast<uint8_t>(~0x10);
      return true;
    };
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(clip.source_frame_count, 10);
    EXPECT_EQ(Steps(clip), (std::vector<int>{0, 1, 2, 4, 5, 6, 8, 9, 10, 11}));
  }
}

TEST(VideosTest, FramesDroppedFromAnAviAreNotCounted) {
  for (const char* codec : {"mpeg4", "rawvideo"}) {
    VideoSetting setting = Setting("avi", codec);
    setting.times = {0, 1, 2, 5, 6, 7, 8, 11, 12, 13, 14, 15};
    setting.colour_space = AVCOL_SPC_SMPTE170M;
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(clip.source_frame_count, 12) << codec;
    EXPECT_EQ(Steps(clip), Range(0, 12)) << codec;
    EXPECT_EQ(clip.frames_per_second, 10) << codec;
  }
}

TEST(VideosTest, EveryContainerAndCodecGivesItsFramesInOrderAndItsRate) {
  const std::pair<const char*, const char*> cases[] = {
      {"mp4", "mpeg4"},   {"mp4", "libx264"},     {"mov", "libx264"},    {"matroska", "libx264"},
      {"avi", "libx264"}, {"avi", "mpeg4"},       {"avi", "msmpeg4"},    {"matroska", "ffv1"},
      {"webm", "libvpx"}, {"webm", "libvpx-vp9"}, {"mp4", "libvpx-vp9"}, {"avi", "rawvideo"}};
  for (const auto& [container, codec] : cases) {
    VideoSetting setting = Setting(container, codec);
    setting.with_b_frames = !absl::StartsWith(codec, "libvpx") && !absl::StartsWith(codec, "ms") &&
                            !absl::StartsWith(codec, "ff") && !absl::StartsWith(codec, "raw");
    setting.frames = 20;
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(clip.source_frame_count, 20) << container << " " << codec;
    EXPECT_EQ(Steps(clip), Range(0, 20)) << container << " " << codec;
    EXPECT_NEAR(clip.frames_per_second, 10, 1e-6) << container << " " << codec;
  }
}

TEST(VideosTest, AnMp4WithAnEmptyHeadHasItsRateFromItsFrames) {
  VideoSetting setting;
  setting.fragmented = true;
  const VideoClip clip = Decoded(MakeVideo(setting));
  EXPECT_EQ(Steps(clip), Range(0, 12));
  EXPECT_NEAR(clip.frames_per_second, 10, 1e-6);
}

TEST(VideosTest, AVaryingRateIsItsMean) {
  for (const char* container : {"mp4", "matroska"}) {
    VideoSetting setting = Setting(container, "libx264");
    setting.times = {0, 1, 2, 3, 13, 23, 33, 43, 53, 63, 73, 83};
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(Steps(clip), Range(0, 12)) << container;
    EXPECT_NEAR(clip.frames_per_second, 1.38, 0.06) << container;
  }
}

TEST(VideosTest, AnAviWhoseTicksArePartsOfAFrameHasTheRateOfItsFrames) {
  VideoSetting setting = Setting("avi", "rawvideo");
  setting.frames_per_second = 20;
  setting.frames = 6;
  setting.times = {0, 2, 4, 6, 8, 10};
  setting.colour_space = AVCOL_SPC_SMPTE170M;
  const VideoClip clip = Decoded(MakeVideo(setting));
  EXPECT_EQ(clip.source_frame_count, 6);
  EXPECT_NEAR(clip.frames_per_second, 10, 1e-6);
}

TEST(VideosTest, APictureBesideAVideoIsItsCover) {
  for (const char* container : {"mp4", "mov", "matroska"}) {
    VideoSetting setting = Setting(container, "libx264");
    setting.cover =
        MakeJpeg(TestPicture(setting.height, setting.width), setting.height, setting.width);
    const VideoClip clip = Decoded(MakeVideo(setting));
    EXPECT_EQ(clip.source_frame_count, 12) << container;
    EXPECT_EQ(Steps(clip), Range(0, 12)) << container;
  }
}

// Y, Cb, Cr to R, G, B as ITU-R and SMPTE define them: the same colour comes back whatever the
// matrix that the stream states.
TEST(VideosTest, ColoursFollowTheMatrixThatTheStreamStates) {
  for (const int space :
       {AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M, AVCOL_SPC_SMPTE240M, AVCOL_SPC_BT2020_NCL}) {
    VideoSetting setting = Setting("matroska", "ffv1");
    setting.colour_space = space;
    setting.frames = 1;
    setting.picture = [&](int) {
      std::vector<uint8_t> rgb;
      for (int i = 0; i < setting.width * setting.height; ++i) {
        rgb.insert(rgb.end(), {200, 40, 90});
      }
      return rgb;
    };
    const at::Tensor frame = Decoded(MakeVideo(setting)).frames;
    const int expected[] = {200, 40, 90};
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(frame[0][10][10][i].item<int>(), expected[i], 4) << space << " " << i;
    }
  }
}

// The data that makes a file of each container complete; for each, a complete and a truncated file.
TEST(VideosTest, WholeFilesAreToldFromCutOnes) {
  VideoSetting fragmented, streamed = Setting("matroska", "libx264");
  fragmented.fragmented = true;
  streamed.streamed = true;
  const std::pair<const char*, std::string> whole[] = {
      {"mp4", MakeVideo(VideoSetting())},
      {"fragmented mp4", MakeVideo(fragmented)},
      {"mkv", MakeVideo(Setting("matroska", "libx264"))},
      {"streamed mkv", MakeVideo(streamed)},
      {"avi", MakeVideo(Setting("avi", "mpeg4"))}};
  for (const auto& [name, bytes] : whole) {
    const VideoClip clip = Decoded(bytes);
    EXPECT_EQ(clip.source_frame_count, 12) << name;
    EXPECT_EQ(Decoded(bytes + std::string(64, '\0')).source_frame_count, 12) << name;
    const absl::Status status = Decode(bytes.substr(0, bytes.size() * 2 / 3)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name << ": " << status;
    EXPECT_TRUE(IsMediaError(status)) << name;
  }
}

TEST(VideosTest, CountsThatNothingBacksAreRefused) {
  std::string mp4 = MakeVideo(VideoSetting());
  const size_t sizes = mp4.find("stsz");
  ASSERT_NE(sizes, std::string::npos);
  std::string claims = mp4;
  claims.replace(sizes + 12, 4, BigEndianBytes(50000000, 4));
  absl::Status status = Decode(claims).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "50000000")) << status;
  claims.replace(sizes + 8, 4, BigEndianBytes(1, 4));  // all of one byte
  status = Decode(claims).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "50000000 samples")) << status;
  const size_t edits = mp4.find("elst");
  ASSERT_NE(edits, std::string::npos);
  claims = mp4;
  claims.replace(edits + 8, 4, BigEndianBytes(2000000, 4));
  status = Decode(claims).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "2000000")) << status;
}

}  // namespace
}  // namespace unival
