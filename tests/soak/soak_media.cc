#include "tests/soak/soak_media.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "sdk/base/random.h"

namespace unival::soak {
namespace {

constexpr int kSide = 16, kFrames = 3, kRate = 8000, kSamples = 800, kItems = 24;

MediaSource InMemory(std::string name, std::string bytes) {
  return {std::move(name), "", std::make_shared<const std::string>(std::move(bytes))};
}

std::vector<uint8_t> Pixels(uint64_t seed, int frames) {
  std::vector<uint8_t> pixels(static_cast<size_t>(frames) * kSide * kSide * 3);
  for (size_t i = 0; i < pixels.size(); ++i) {
    // Each picture has a colour of its own, and some noise.
    pixels[i] = static_cast<uint8_t>(Mix(seed, i % 3) % 200 + Mix(seed, i) % 40);
  }
  return pixels;
}

std::string Picture(uint64_t seed) { return EncodePng(Pixels(seed, 1), kSide, kSide, 3).value(); }

std::string Video(uint64_t seed) {
  return EncodeMp4(Pixels(seed, kFrames), kFrames, kSide, kSide, 10).value();
}

std::string Sound(uint64_t seed) {
  const double hertz = 200 + static_cast<double>(Mix(seed, 7) % 2000);
  std::vector<float> samples(kSamples);
  for (int i = 0; i < kSamples; ++i) {
    samples[i] = static_cast<float>(0.8 * std::sin(2 * 3.14159265 * hertz * i / kRate));
  }
  return seed % 2 == 0 ? EncodeWav(samples, kRate).value() : EncodeFlac(samples, kRate).value();
}

// Truncated, without its header, of another kind, or empty.
std::vector<std::string> Damages(const std::string& bytes) {
  std::string headless = bytes;
  headless.replace(0, 8, "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f");
  return {bytes.substr(0, bytes.size() / 2), bytes.substr(0, 6), headless, "no media at all", ""};
}

Questions MediaQuestions(const std::string& task, std::string (*make)(uint64_t)) {
  Questions questions;
  questions.task = task;
  for (uint64_t i = 0; i < kItems; ++i) {
    const std::string key = absl::StrCat(task, " ", i), bytes = make(i);
    questions.whole.push_back({key, {{task, InMemory(key, bytes)}}});
    if (i >= 4) continue;
    for (const std::string& damaged : Damages(bytes)) {
      const std::string name = absl::StrCat("damaged ", key);
      questions.damaged.push_back({name, {{task, InMemory(name, damaged)}}});
    }
  }
  return questions;
}

Questions TextQuestions() {
  const char* const words[] = {"red", "green", "blue"};
  Questions questions;
  questions.task = "text";
  for (int i = 0; i < kItems; ++i) {
    const std::string text =
        absl::StrCat(words[i % 3], " ", words[i / 3 % 3], i / 9 == 0 ? "" : " ", words[i / 9 % 3]);
    questions.whole.push_back({absl::StrCat("text ", i), {{"text", text}}});
  }
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += " green";
  questions.damaged.push_back({"a text that is too long", {{"text", endless}}});
  questions.damaged.push_back({"no text", {}});
  questions.damaged.push_back({"numbers", {{"text", std::vector<double>{1, 2}}}});
  return questions;
}

}  // namespace

std::vector<Questions> MakeQuestions() {
  return {MediaQuestions("image", &Picture), MediaQuestions("sound", &Sound),
          MediaQuestions("video", &Video), TextQuestions()};
}

}  // namespace unival::soak
