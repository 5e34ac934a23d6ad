// unival: speaking.h
//
// Whether a language model can say given texts at all: it is asked to repeat them from text. What a
// frozen model cannot even repeat, no trained connection will make it say.
//
//   UNIVAL_ASSIGN_OR_RETURN(SpeakingReport report, CheckSpeaking(*model, {" a still target"}, {}));
//   for (const HardWord& word : report.hard_words) ...  // {"target", "tt", 1}
#ifndef UNIVAL_TRAINING_EVALUATION_SPEAKING_H_
#define UNIVAL_TRAINING_EVALUATION_SPEAKING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/model.h"
#include "sdk/native/task.h"
#include "training/data/read/source.h"

namespace unival {

// A word that did not come back.
struct HardWord {
  std::string word;
  std::string instead;  // what stood in its place the first time; empty: nothing
  int64_t texts = 0;    // how many times
};

struct MissedText {
  std::string text;
  std::string said;
};

struct SpeakingReport {
  int64_t texts = 0;
  std::vector<MissedText> missed;    // in the order of the texts
  std::vector<HardWord> hard_words;  // the most frequent first, then by word
};

struct SpeakingOptions {
  int batch = 64;  // texts repeated together
  std::function<void(int64_t done, int64_t total)> progress;
};

// Asks the model to repeat each text. Texts are compared without blanks at their ends; they should
// begin with a blank, as prompts and targets do. A text too long for the model counts as missed.
// The model runs in evaluation mode and is left in it; its modalities are not used.
absl::StatusOr<SpeakingReport> CheckSpeaking(Model& model, const std::vector<std::string>& texts,
                                             const SpeakingOptions& options);

// The different target texts of a task's records, where targets are text alone: at most `most`,
// from records spread over the whole source, in the records' order. Errors: those of reading a
// record or making its target.
absl::StatusOr<std::vector<std::string>> TargetTexts(const Task& task, const Source& source,
                                                     const VocabularyView& vocabulary, size_t most);

// A warning for users: at most `most_words` words that the model cannot say, and what to do about
// it. Empty when it can say all.
std::string SpeakingWarning(const SpeakingReport& report, size_t most_words);

// The words of `text` that `said` lacks or has something else for; texts == 1 each.
std::vector<HardWord> CompareWords(absl::string_view text, absl::string_view said);

}  // namespace unival

#endif  // UNIVAL_TRAINING_EVALUATION_SPEAKING_H_
