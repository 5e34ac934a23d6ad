#include "examples/speech/synthesizer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/process.h"
#include "sdk/base/status_macros.h"

namespace unival::speech {
namespace {

// What the program writes to its standard output.
absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& command) {
  absl::StatusOr<std::string> output = OutputOf(command);
  if (!absl::IsNotFound(output.status())) return output;
  return absl::NotFoundError(absl::StrCat(
      command[0],
      ": no such program; speech is synthesised with espeak-ng: apt-get install espeak-ng "
      "(Debian), or name the program with --espeak"));
}

bool IsSpeakable(const std::string& words) {
  const bool letters = std::all_of(words.begin(), words.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == ' ' || c == '\'';
  });
  return letters && !words.empty() && words[0] >= 'a';
}

}  // namespace

absl::StatusOr<Speech> ParseWav(absl::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a WAV file, got ", bytes.size(), " bytes of something else"));
  }
  Speech speech;
  size_t at = 12;
  while (at + 8 <= bytes.size()) {
    const absl::string_view name = bytes.substr(at, 4);
    const size_t size = std::min<size_t>(LittleEndian(absl::ClippedSubstr(bytes, at + 4), 4),
                                         bytes.size() - at - 8);
    at += 8;
    if (name == "fmt ") {
      const bool plain = size >= 16 && LittleEndian(absl::ClippedSubstr(bytes, at), 2) == 1 &&
                         LittleEndian(absl::ClippedSubstr(bytes, at + 2), 2) == 1 &&
                         LittleEndian(absl::ClippedSubstr(bytes, at + 14), 2) == 16;
      if (!plain) return absl::InvalidArgumentError("WAV: expected 16-bit mono PCM");
      speech.sample_rate_hz = static_cast<int>(LittleEndian(absl::ClippedSubstr(bytes, at + 4), 4));
    } else if (name == "data" && speech.sample_rate_hz > 0) {
      for (size_t i = at; i + 1 < at + size; i += 2) {
        speech.samples.push_back(
            static_cast<int16_t>(LittleEndian(absl::ClippedSubstr(bytes, i), 2)) / 32768.0f);
      }
      return speech;
    }
    at += size + size % 2;
  }
  return absl::InvalidArgumentError("WAV: expected a format and a data chunk, got none");
}

absl::StatusOr<std::unique_ptr<Synthesizer>> Synthesizer::Create(const std::string& program) {
  UNIVAL_RETURN_IF_ERROR(RunProgram({program, "--version"}).status());
  return std::unique_ptr<Synthesizer>(new Synthesizer(program));
}

absl::StatusOr<Speech> Synthesizer::Speak(const std::string& words,
                                          const VoiceSettings& settings) const {
  if (!IsSpeakable(words)) {
    return absl::InvalidArgumentError(
        absl::StrCat("word: got \"", words, "\", expected lower-case letters and apostrophes"));
  }
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string wav,
      RunProgram({program_, "-v", settings.voice, "-s", absl::StrCat(settings.words_per_minute),
                  "-p", absl::StrCat(settings.pitch), "--stdout", words}));
  absl::StatusOr<Speech> speech = ParseWav(wav);
  if (speech.ok()) return speech;
  return absl::InternalError(absl::StrCat(program_, " saying \"", words, "\" as ", settings.voice,
                                          ": ", speech.status().message()));
}

}  // namespace unival::speech
