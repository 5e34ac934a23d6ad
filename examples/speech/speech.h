// unival: speech.h
//
// A data set of spoken words in many synthetic voices, to teach an audio encoder the sounds of
// speech without any recording of the digits that are learned later.
//
//   SpeechOptions options;
//   options.output_dir = "world";
//   absl::Status made = GenerateSpeech(options);
//   // world/speech/{train,eval}/{speech.tar,word.jsonl}
//
// Records: {"audio": "speech.tar:000000.wav", "word": "banana", "voice": "en-us+f2"}. Clips are one
// second of 8 kHz mono. Voices of eval are never heard in train. The same options and espeak-ng
// version give the same bytes.
#ifndef UNIVAL_EXAMPLES_SPEECH_SPEECH_H_
#define UNIVAL_EXAMPLES_SPEECH_SPEECH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/world/random.h"

namespace unival::speech {

struct SpeechOptions {
  std::string output_dir;
  std::vector<std::string> words;  // empty: world::SpokenWords(), which has no digits
  int train_clips = 6;             // of each word
  int eval_clips = 1;
  uint64_t seed = 1;
  std::string program = "espeak-ng";
  int threads = 2;  // that wait for the program
  // Called on the calling thread with clips done and all clips of the split; may be empty.
  std::function<void(world::Split, int64_t, int64_t)> progress;
};

// Errors: NotFound (no espeak-ng), InvalidArgument (no output folder, a word that cannot be spoken,
// counts), Unavailable (no folder or tar can be made), those of SystemError (cannot write).
absl::Status GenerateSpeech(const SpeechOptions& options);

// Voices of a split, as espeak-ng names them.
const std::vector<std::string>& SpeechVoices(world::Split split);

}  // namespace unival::speech

#endif  // UNIVAL_EXAMPLES_SPEECH_SPEECH_H_
