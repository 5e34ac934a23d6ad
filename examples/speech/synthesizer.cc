#include "examples/speech/synthesizer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

extern char** environ;

namespace unival::speech {
namespace {

uint32_t LittleEndian(absl::string_view bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::string ReadToEnd(int file) {
  std::string bytes;
  char buffer[16384];
  while (true) {
    const ssize_t count = read(file, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
  }
}

absl::Status SpawnError(const std::string& program, int error) {
  if (error != ENOENT) {
    return absl::FailedPreconditionError(absl::StrCat(program, ": ", std::strerror(error)));
  }
  return absl::NotFoundError(absl::StrCat(
      program,
      ": no such program; speech is synthesised with espeak-ng: apt-get install espeak-ng "
      "(Debian), or name the program with --espeak"));
}

// What the program writes to its standard output. Its error output is discarded.
absl::StatusOr<std::string> RunProgram(const std::vector<std::string>& command) {
  int ends[2];
  // O_CLOEXEC: another thread may start a program meanwhile, which must not inherit the pipe.
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::InternalError(std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t process = 0;
  const int error =
      posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output = error == 0 ? ReadToEnd(ends[0]) : "";
  close(ends[0]);
  if (error != 0) return SpawnError(command[0], error);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return absl::InternalError(absl::StrCat(command[0], ": expected exit status 0, got ",
                                          WIFEXITED(status) ? WEXITSTATUS(status) : status));
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
    const size_t size = std::min<size_t>(LittleEndian(bytes, at + 4, 4), bytes.size() - at - 8);
    at += 8;
    if (name == "fmt ") {
      const bool plain = size >= 16 && LittleEndian(bytes, at, 2) == 1 &&
                         LittleEndian(bytes, at + 2, 2) == 1 &&
                         LittleEndian(bytes, at + 14, 2) == 16;
      if (!plain) return absl::InvalidArgumentError("WAV: expected 16-bit mono PCM");
      speech.sample_rate_hz = static_cast<int>(LittleEndian(bytes, at + 4, 4));
    } else if (name == "data" && speech.sample_rate_hz > 0) {
      for (size_t i = at; i + 1 < at + size; i += 2) {
        speech.samples.push_back(static_cast<int16_t>(LittleEndian(bytes, i, 2)) / 32768.0f);
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
