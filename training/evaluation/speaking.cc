#include "training/evaluation/speaking.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/pipeline.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_set.h"

namespace unival {
namespace {

// The text is the prompt, as it is.
constexpr char kRepeat[] = "repeat";
constexpr char kRepeatSet[] = R"(
name: "speaking"
task {
  name: "repeat"
  prompt: "{text:text}"
  target: "{text:text}"
  generation { beam: 1 max_tokens: 60 }
  metric: "exact_match"
}
)";

constexpr size_t kRecordsRead = 2000;  // of a source, to find its different targets

using Words = std::vector<std::string>;

Words SplitWords(absl::string_view text) { return absl::StrSplit(text, ' ', absl::SkipEmpty()); }

// Pairs (i, j) of the longest common subsequence of `a` and `b`, then (a.size(), b.size()).
std::vector<std::pair<size_t, size_t>> Anchors(const Words& a, const Words& b) {
  std::vector<std::vector<size_t>> longest(a.size() + 1, std::vector<size_t>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      longest[i][j] =
          a[i] == b[j] ? longest[i + 1][j + 1] + 1 : std::max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  std::vector<std::pair<size_t, size_t>> anchors;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      anchors.emplace_back(i++, j++);
    } else {
      longest[i + 1][j] >= longest[i][j + 1] ? ++i : ++j;
    }
  }
  anchors.emplace_back(a.size(), b.size());
  return anchors;
}

std::vector<HardWord> Counted(const std::vector<HardWord>& words) {
  std::map<std::string, HardWord> by_word;
  for (const HardWord& word : words) {
    const auto [at, added] = by_word.try_emplace(word.word, word);
    if (!added) ++at->second.texts;
  }
  std::vector<HardWord> counted;
  for (const auto& entry : by_word) counted.push_back(entry.second);
  std::stable_sort(counted.begin(), counted.end(),
                   [](const HardWord& a, const HardWord& b) { return a.texts > b.texts; });
  return counted;
}

std::vector<TaskSample> Samples(const std::vector<std::string>& texts, size_t begin, size_t end) {
  std::vector<TaskSample> samples;
  for (size_t i = begin; i < end; ++i)
    samples.push_back({absl::StrCat("text ", i + 1), {{"text", texts[i]}}});
  return samples;
}

absl::StatusOr<std::unique_ptr<Pipeline>> RepeatingPipeline(Model& model) {
  UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, ParseTemplateSet(kRepeatSet, kRepeat, "."));
  return Pipeline::Create(&model, std::vector<SharedTemplateSet>{
                                      std::make_shared<const LoadedTemplateSet>(std::move(set))});
}

// The target of a record where every token of it but </s> is text; else empty.
absl::StatusOr<std::string> TargetText(const Task& task, const TaskSample& sample,
                                       const VocabularyView& vocabulary) {
  UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                          task.MakeExample(sample, ExampleMode::kTraining, 0));
  if (!example.target.empty() && example.target.back() == vocabulary.eos())
    example.target.pop_back();
  for (const int64_t token : example.target) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string piece, vocabulary.DecodeText({token}));
    if (piece.empty()) return std::string();
  }
  return vocabulary.DecodeText(example.target);
}

}  // namespace

std::vector<HardWord> CompareWords(absl::string_view text, absl::string_view said) {
  const Words wanted = SplitWords(text), got = SplitWords(said);
  std::vector<HardWord> hard;
  size_t i = 0, j = 0;
  for (const auto& [next_i, next_j] : Anchors(wanted, got)) {
    const bool in_pairs = next_i - i == next_j - j;
    const std::string all = absl::StrJoin(got.begin() + j, got.begin() + next_j, " ");
    for (size_t n = 0; i + n < next_i; ++n)
      hard.push_back({wanted[i + n], in_pairs ? got[j + n] : all, 1});
    i = next_i + 1, j = next_j + 1;
  }
  return hard;
}

absl::StatusOr<SpeakingReport> CheckSpeaking(Model& model, const std::vector<std::string>& texts,
                                             const SpeakingOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, RepeatingPipeline(model));
  model.SetTraining(false);
  SpeakingReport report;
  report.texts = static_cast<int64_t>(texts.size());
  std::vector<HardWord> hard;
  const size_t batch = static_cast<size_t>(std::max(1, options.batch));
  for (size_t begin = 0; begin < texts.size(); begin += batch) {
    const size_t end = std::min(texts.size(), begin + batch);
    UNIVAL_ASSIGN_OR_RETURN(const auto answers,
                            pipeline->PredictBatch(kRepeat, Samples(texts, begin, end)));
    for (size_t i = begin; i < end; ++i) {
      const auto& answer = answers[i - begin];
      const std::string text(absl::StripAsciiWhitespace(texts[i]));
      const std::string said(absl::StripAsciiWhitespace(answer.ok() ? answer->text : ""));
      if (said == text) continue;
      report.missed.push_back({text, said});
      const std::vector<HardWord> of_text = CompareWords(text, said);
      hard.insert(hard.end(), of_text.begin(), of_text.end());
    }
    if (options.progress) options.progress(static_cast<int64_t>(end), report.texts);
  }
  report.hard_words = Counted(hard);
  return report;
}

absl::StatusOr<std::vector<std::string>> TargetTexts(const Task& task, const Source& source,
                                                     const VocabularyView& vocabulary,
                                                     size_t most) {
  std::vector<std::string> texts;
  std::set<std::string> seen;
  const auto size = static_cast<size_t>(source.size());
  const size_t read = std::min(size, kRecordsRead);
  for (size_t n = 0; n < read && texts.size() < most; ++n) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample,
                            source.Read(static_cast<int64_t>(n * size / read)));
    UNIVAL_ASSIGN_OR_RETURN(std::string text, TargetText(task, sample, vocabulary));
    if (!text.empty() && seen.insert(text).second) texts.push_back(std::move(text));
  }
  return texts;
}

std::string SpeakingWarning(const SpeakingReport& report, size_t most_words) {
  if (report.missed.empty()) return "";
  std::vector<std::string> words;
  for (const HardWord& word : report.hard_words) {
    if (words.size() == most_words) break;
    const std::string instead =
        word.instead.empty() ? "nothing" : absl::StrCat("\"", word.instead, "\"");
    words.push_back(absl::StrCat("\"", word.word, "\" (it says ", instead, ")"));
  }
  if (report.hard_words.size() > words.size())
    words.push_back(absl::StrCat(report.hard_words.size() - words.size(), " more"));
  return absl::StrCat(
      "the frozen language model cannot repeat ", report.missed.size(), " of ", report.texts,
      " target texts; words that it cannot say: ", absl::StrJoin(words, ", "),
      ". Training what it reads will hardly make it say them: choose other words, train the "
      "language model too (trainable: \"backbone\"), or begin with another model");
}

}  // namespace unival
