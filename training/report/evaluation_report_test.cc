#include "training/report/evaluation_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "modalities/io/decoder.h"
#include "modalities/io/encode.h"
#include "training/report/media_pictures.h"

namespace unival::report {
namespace {

MediaSource InMemory(std::string bytes) {
  return {"case", "", std::make_shared<const std::string>(std::move(bytes))};
}

TEST(MediaPictures, APictureIsMadeSmallEnough) {
  const std::vector<uint8_t> pixels(640 * 100 * 3, 200);
  const auto pictures = PicturesOf(*NewFfmpegDecoder(), InMemory(*EncodePng(pixels, 640, 100, 3)));
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].kind, "picture");
  EXPECT_EQ(pictures[0].width, 320);
  EXPECT_EQ(pictures[0].height, 50);
}

TEST(MediaPictures, ASoundIsAWaveformAndASpectrogram) {
  std::vector<float> samples(16000);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = 0.5F * std::sin(0.3F * static_cast<float>(i));
  const auto pictures = PicturesOf(*NewFfmpegDecoder(), InMemory(*EncodeWav(samples, 16000)));
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0].kind, "waveform");
  EXPECT_EQ(pictures[1].kind, "spectrogram");
}

TEST(MediaPictures, AVideoIsAStripOfFrames) {
  const std::vector<uint8_t> frames(12 * 48 * 64 * 3, 90);
  const auto pictures =
      PicturesOf(*NewFfmpegDecoder(), InMemory(*EncodeMp4(frames, 12, 64, 48, 12)));
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].kind, "frames");
  EXPECT_EQ(pictures[0].width, 6 * 66 - 2);
}

TEST(MediaPictures, WhatNobodyReadsHasNone) {
  EXPECT_TRUE(PicturesOf(*NewFfmpegDecoder(), InMemory("no media")).empty());
}

}  // namespace
}  // namespace unival::report
