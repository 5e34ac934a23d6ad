// Spoken words: the program, its output, clips, and the files written.
#include "examples/speech/speech.h"

#include <cmath>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/speech/clip.h"
#include "examples/speech/synthesizer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sdk/base/test_files.h"

namespace unival::speech {
namespace {

using ::testing::HasSubstr;
using world::Random;
using world::Split;

std::vector<float> Sine(double hz, int rate_hz, int count) {
  std::vector<float> samples;
  for (int i = 0; i < count; ++i) {
    samples.push_back(static_cast<float>(0.5 * std::sin(6.283185307179586 * hz * i / rate_hz)));
  }
  return samples;
}

TEST(ResamplerTest, KeepsTonesThatTheLowerRateCanCarry) {
  const std::vector<float> out = Resampler(22050, 8000).Resample(Sine(1000, 22050, 11025));
  const std::vector<float> expected = Sine(1000, 8000, 4000);
  ASSERT_EQ(out.size(), expected.size());
  for (size_t i = 100; i < 3900; ++i) EXPECT_NEAR(out[i], expected[i], 2e-3) << i;
}

TEST(ResamplerTest, RemovesTonesThatItCannot) {
  const std::vector<float> out = Resampler(22050, 8000).Resample(Sine(5500, 22050, 11025));
  for (size_t i = 100; i < 3900; ++i) EXPECT_NEAR(out[i], 0, 2e-3) << i;
}

TEST(ClipTest, HasTheLengthWhateverTheWord) {
  for (int count : {0, 10, 4000, 8000, 20000}) {
    Random random(count);
    const std::vector<float> clip = MakeClip(Sine(300, 8000, count), ClipOptions(), &random);
    ASSERT_EQ(clip.size(), 8000u);
    for (float sample : clip) EXPECT_LE(std::abs(sample), 1.0f);
  }
}

TEST(ClipTest, TrimmingLeavesTheLoudPart) {
  std::vector<float> samples(100, 0.001f);
  samples[40] = 0.5f;
  samples[60] = -0.5f;
  EXPECT_EQ(TrimSilence(samples).size(), 21u);
  EXPECT_TRUE(TrimSilence(std::vector<float>(10, 0.0f)).empty());
}

TEST(WavTest, RefusesWhatIsNotPlainWav) {
  EXPECT_FALSE(ParseWav("").ok());
  EXPECT_FALSE(ParseWav("RIFF....WAVE").ok());
  std::string stereo("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x22\x56\0\0\0\0\0\0\x04\0\x10\0",
                     36);
  EXPECT_THAT(std::string(ParseWav(stereo).status().message()), HasSubstr("16-bit mono"));
  std::string mono = stereo;
  mono[22] = 1;
  // A length beyond the end of the file, as written by programs that write to a pipe.
  mono += std::string("data\xff\xff\xff\x7f\x00\x40\x00\xc0", 12);
  const auto speech = ParseWav(mono);
  ASSERT_TRUE(speech.ok()) << speech.status();
  EXPECT_EQ(speech->sample_rate_hz, 22050);
  EXPECT_THAT(speech->samples, ::testing::ElementsAre(0.5f, -0.5f));
}

TEST(SynthesizerTest, NamesThePackageWhenTheProgramIsMissing) {
  const auto missing = Synthesizer::Create("no-such-espeak");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("apt-get install espeak-ng"));
}

TEST(SynthesizerTest, RefusesWordsThatAreOptions) {
  const auto synthesizer = Synthesizer::Create("espeak-ng");
  ASSERT_TRUE(synthesizer.ok()) << synthesizer.status();
  EXPECT_EQ((*synthesizer)->Speak("-w file", {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*synthesizer)->Speak("", {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(SpeechTest, VoicesOfEvalAreNotHeardInTrain) {
  for (const std::string& voice : SpeechVoices(Split::kEval)) {
    EXPECT_THAT(SpeechVoices(Split::kTrain), ::testing::Not(::testing::Contains(voice)));
  }
}

TEST(SpeechTest, EveryVoiceSpeaks) {
  const auto synthesizer = Synthesizer::Create("espeak-ng");
  ASSERT_TRUE(synthesizer.ok()) << synthesizer.status();
  std::set<std::vector<float>> sounds;
  for (Split split : {Split::kTrain, Split::kEval}) {
    for (const std::string& voice : SpeechVoices(split)) {
      const auto speech = (*synthesizer)->Speak("banana", {voice, 150, 50});
      ASSERT_TRUE(speech.ok()) << speech.status();
      EXPECT_GT(TrimSilence(speech->samples).size(), 4000u) << voice;
      sounds.insert(speech->samples);
    }
  }
  // The synthesiser would replace an unknown voice or variant by another one.
  EXPECT_EQ(sounds.size(), SpeechVoices(Split::kTrain).size() + SpeechVoices(Split::kEval).size());
}

TEST(SpeechTest, WritesReproducibleClipsWithTheirWords) {
  SpeechOptions options;
  options.words = {"apple", "circle", "green"};
  options.train_clips = 2;
  std::string tars[2];
  for (int run = 0; run < 2; ++run) {
    options.output_dir = absl::StrCat(::testing::TempDir(), "/speech_run_", run);
    options.threads = 1 + run;
    const absl::Status made = GenerateSpeech(options);
    ASSERT_TRUE(made.ok()) << made;
    tars[run] = ReadText(options.output_dir + "/speech/train/speech.tar");
  }
  EXPECT_EQ(tars[0], tars[1]);
  std::vector<std::string> words;
  const std::string lines = ReadText(options.output_dir + "/speech/train/word.jsonl");
  for (absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    const auto record = nlohmann::json::parse(line.begin(), line.end());
    EXPECT_THAT(tars[1], HasSubstr(record["audio"].get<std::string>().substr(11)));
    words.push_back(record["word"]);
  }
  EXPECT_THAT(words,
              ::testing::ElementsAre("apple", "circle", "green", "apple", "circle", "green"));
}

TEST(SpeechTest, RefusesImpossibleOptions) {
  SpeechOptions options;
  EXPECT_EQ(GenerateSpeech(options).code(), absl::StatusCode::kInvalidArgument);
  options.output_dir = absl::StrCat(::testing::TempDir(), "/speech_refused");
  options.words = {"one2"};
  EXPECT_EQ(GenerateSpeech(options).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace unival::speech
