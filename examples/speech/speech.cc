#include "examples/speech/speech.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/speech/clip.h"
#include "examples/speech/synthesizer.h"
#include "examples/world/lexicon.h"
#include "examples/world/record_writer.h"
#include "modalities/io/encode.h"
#include "sdk/base/status_macros.h"

namespace unival::speech {
namespace {

using world::Random;
using world::RecordWriter;
using world::Split;

constexpr int kRateHz = 8000;
constexpr int kTogether = 200;  // clips made between two writes

struct Clip {
  std::string wav;
  std::string word;
  std::string voice;
};

absl::StatusOr<Clip> SpeakClip(const Synthesizer& synthesizer, const std::string& word, Split split,
                               uint64_t seed) {
  Random random(seed);
  VoiceSettings settings;
  settings.voice = random.Pick(SpeechVoices(split));
  settings.words_per_minute = random.Between(130, 190);
  settings.pitch = random.Between(25, 75);
  UNIVAL_ASSIGN_OR_RETURN(const Speech speech, synthesizer.Speak(word, settings));
  const Resampler resampler(speech.sample_rate_hz, kRateHz);
  const std::vector<float> samples =
      MakeClip(resampler.Resample(TrimSilence(speech.samples)), ClipOptions(), &random);
  UNIVAL_ASSIGN_OR_RETURN(std::string wav, EncodeWav(samples, kRateHz));
  return Clip{std::move(wav), word, settings.voice};
}

// Clips [begin, end) of the split, made by several threads, in order. Clip i says word i mod the
// number of words.
std::vector<absl::StatusOr<Clip>> SpeakRange(const SpeechOptions& options,
                                             const Synthesizer& synthesizer, Split split,
                                             int64_t begin, int64_t end) {
  std::vector<absl::StatusOr<Clip>> clips(end - begin, absl::UnknownError("not made"));
  std::vector<std::future<void>> workers;
  for (int worker = 0; worker < options.threads; ++worker) {
    workers.push_back(std::async(std::launch::async, [&, worker] {
      for (int64_t i = begin + worker; i < end; i += options.threads) {
        const std::string& word = options.words[i % options.words.size()];
        const uint64_t seed = world::SampleSeed(options.seed, "speech", split, i);
        clips[i - begin] = SpeakClip(synthesizer, word, split, seed);
      }
    }));
  }
  for (std::future<void>& worker : workers) worker.get();
  return clips;
}

absl::Status WriteClip(const Clip& clip, int64_t index, RecordWriter* writer) {
  const std::string member = absl::StrFormat("%06d.wav", index);
  UNIVAL_ASSIGN_OR_RETURN(const std::string path, writer->AddMedia(member, clip.wav));
  return writer->AddRecord("word", {{"audio", path}, {"word", clip.word}, {"voice", clip.voice}});
}

absl::Status GenerateSplit(const SpeechOptions& options, const Synthesizer& synthesizer,
                           Split split) {
  const int64_t each = split == Split::kTrain ? options.train_clips : options.eval_clips;
  const int64_t total = each * static_cast<int64_t>(options.words.size());
  UNIVAL_ASSIGN_OR_RETURN(
      const std::unique_ptr<RecordWriter> writer,
      RecordWriter::Create(absl::StrCat(options.output_dir, "/speech/", SplitName(split)),
                           "speech.tar"));
  for (int64_t begin = 0; begin < total; begin += kTogether) {
    const int64_t end = std::min(total, begin + kTogether);
    int64_t index = begin;
    for (const absl::StatusOr<Clip>& clip : SpeakRange(options, synthesizer, split, begin, end)) {
      UNIVAL_RETURN_IF_ERROR(clip.status());
      UNIVAL_RETURN_IF_ERROR(WriteClip(*clip, index++, writer.get()));
    }
    if (options.progress) options.progress(split, end, total);
  }
  return writer->Finish();
}

}  // namespace

const std::vector<std::string>& SpeechVoices(Split split) {
  // "en-gb" takes no variants.
  static const auto* train = new std::vector<std::string>{
      "en-us",         "en-us+m1",       "en-us+m3",          "en-us+m7",
      "en-us+f1",      "en-us+f2",       "en-us+f4",          "en-us+klatt2",
      "en-us+klatt4",  "en-us+Andy",     "en-us+Mike",        "en-us+linda",
      "en-us+steph",   "en-gb",          "en-gb-x-rp",        "en-gb-x-rp+m5",
      "en-gb-x-rp+f2", "en-gb-scotland", "en-gb-scotland+m1", "en-gb-scotland+f4",
      "en-029",        "en-029+m3"};
  static const auto* eval =
      new std::vector<std::string>{"en-us+m8", "en-us+f5", "en-us+david", "en-gb-x-gbclan+m3"};
  return split == Split::kTrain ? *train : *eval;
}

absl::Status GenerateSpeech(const SpeechOptions& requested) {
  SpeechOptions options = requested;
  if (options.words.empty()) options.words = world::SpokenWords();
  if (options.output_dir.empty()) {
    return absl::InvalidArgumentError("output_dir: expected a folder, got nothing");
  }
  if (options.train_clips < 0 || options.eval_clips < 0 || options.threads < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected train_clips and eval_clips of 0 or more and threads of 1 or more, got ",
        options.train_clips, ", ", options.eval_clips, ", ", options.threads));
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Synthesizer> synthesizer,
                          Synthesizer::Create(options.program));
  UNIVAL_RETURN_IF_ERROR(GenerateSplit(options, *synthesizer, Split::kTrain));
  return GenerateSplit(options, *synthesizer, Split::kEval);
}

}  // namespace unival::speech
