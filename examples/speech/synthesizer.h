// unival: synthesizer.h
//
// Speaks single words with the program espeak-ng, which is run as a separate process and never
// linked.
//
//   auto synthesizer = Synthesizer::Create("espeak-ng");     // NotFound names the Debian package
//   auto speech = (*synthesizer)->Speak("banana", {"en-us+f2", 150, 50});
//
// Thread-safe.
#ifndef UNIVAL_EXAMPLES_SPEECH_SYNTHESIZER_H_
#define UNIVAL_EXAMPLES_SPEECH_SYNTHESIZER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival::speech {

struct VoiceSettings {
  std::string voice = "en-us";  // espeak-ng's name, with a variant: "en-gb+m3"
  int words_per_minute = 150;   // 80 to 450
  int pitch = 50;               // 0 to 99
};

struct Speech {
  std::vector<float> samples;  // mono, in [-1, 1]
  int sample_rate_hz = 0;
};

class Synthesizer {
 public:
  // `program` is a name looked up in PATH or a path. Runs it once. Errors: NotFound when there is
  // no such program, another error when it does not work.
  static absl::StatusOr<std::unique_ptr<Synthesizer>> Create(const std::string& program);

  // `words`: lower-case letters, apostrophes and spaces. Errors: InvalidArgument (other
  // characters), Internal (the program failed or wrote something else than a WAV file).
  absl::StatusOr<Speech> Speak(const std::string& words, const VoiceSettings& settings) const;

 private:
  explicit Synthesizer(std::string program) : program_(std::move(program)) {}
  const std::string program_;
};

// Samples of a 16-bit mono PCM WAV file. The length that the header states may exceed the bytes:
// programs that write to a pipe do not know it. InvalidArgument for anything else.
absl::StatusOr<Speech> ParseWav(absl::string_view bytes);

}  // namespace unival::speech

#endif  // UNIVAL_EXAMPLES_SPEECH_SYNTHESIZER_H_
