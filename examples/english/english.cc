#include "examples/english/english.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "examples/english/sentences.h"
#include "examples/world/record_writer.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival::english {
namespace {

using world::Random;
using world::RecordWriter;
using world::Split;

// A word must be seen so often to be drawn by itself.
constexpr int kLeastUses = 5;

struct Texts {
  std::vector<std::string> sentences;
  std::vector<world::Record> records;  // with an answer, a kind or a label
  Words lexicon;
};

absl::StatusOr<std::vector<std::string>> FilesOf(const EnglishOptions& options, Split split) {
  const char* const end = split == Split::kTrain ? "_train.jsonl" : "_dev.jsonl";
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options.text_dir, error)) {
    if (absl::EndsWith(entry.path().string(), end)) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  if (!paths.empty()) return paths;
  return absl::NotFoundError(absl::StrCat(options.text_dir, ": no file whose name ends in ", end,
                                          error ? absl::StrCat(" (", error.message(), ")") : ""));
}

std::string Column(const world::Record& record, const char* name) {
  const auto at = record.find(name);
  return at != record.end() && at->is_string() ? at->get<std::string>() : "";
}

absl::Status AddFile(const std::string& path, const EnglishOptions& options, Texts* texts) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(bytes, '\n')) {
    ++number;
    if (line.empty()) continue;
    UNIVAL_ASSIGN_OR_RETURN(world::Record record,
                            Annotate(ParseJson<world::Record>(line), path, ":", number));
    if (!record.is_object()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": expected a JSON object on one line"));
    }
    for (const char* column : {"text", "question"}) {
      const std::string text = Column(record, column);
      const auto words = static_cast<int64_t>(SplitWords(text).size());
      if (words >= 1 && words <= options.max_words) texts->sentences.push_back(text);
    }
    if (record.contains("answer") || record.contains("word") || record.contains("label"))
      texts->records.push_back(std::move(record));
  }
  return absl::OkStatus();
}

Words LexiconOf(const std::vector<std::string>& sentences) {
  std::map<std::string, int> uses;
  for (const std::string& sentence : sentences) {
    for (const std::string& word : SplitWords(Plain(sentence))) {
      const bool letters =
          std::all_of(word.begin(), word.end(), [](char c) { return absl::ascii_isalpha(c); });
      if (letters) ++uses[word];
    }
  }
  Words lexicon;
  for (const auto& [word, count] : uses) {
    if (count >= kLeastUses) lexicon.push_back(word);
  }
  return lexicon;
}

absl::StatusOr<Texts> ReadTexts(const EnglishOptions& options, Split split) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, FilesOf(options, split));
  Texts texts;
  for (const std::string& path : paths) UNIVAL_RETURN_IF_ERROR(AddFile(path, options, &texts));
  if (texts.sentences.empty()) {
    return absl::NotFoundError(absl::StrCat(options.text_dir, ": no column \"text\" of at most ",
                                            options.max_words, " words"));
  }
  return texts;
}

// One split of the output: records of every task.
class SplitMaker {
 public:
  SplitMaker(const EnglishOptions& options, Split split, Texts texts, const Words& lexicon)
      : options_(options), split_(split), texts_(std::move(texts)), lexicon_(lexicon) {}

  absl::Status Write() {
    const std::string folder =
        absl::StrCat(options_.output_dir, "/english/", world::SplitName(split_));
    UNIVAL_ASSIGN_OR_RETURN(writer_, RecordWriter::Create(folder, ""));
    UNIVAL_RETURN_IF_ERROR(WriteCopies());
    UNIVAL_RETURN_IF_ERROR(WriteWords());
    UNIVAL_RETURN_IF_ERROR(WriteOrders());
    UNIVAL_RETURN_IF_ERROR(WriteReading());
    UNIVAL_RETURN_IF_ERROR(WriteAnswers());
    return writer_->Finish();
  }

  // A text a line, as prompts and targets hold it.
  const std::string& corpus() const { return corpus_; }

 private:
  bool trains() const { return split_ == Split::kTrain; }
  int64_t count() const { return trains() ? options_.count : options_.eval_count; }
  Random At(const char* task, int64_t index) const {
    return Random(world::SampleSeed(options_.seed, absl::StrCat("english ", task), split_, index));
  }
  const std::string& AnySentence(Random& random) const { return random.Pick(texts_.sentences); }

  // Words of a sentence that has between `least` and `most`.
  Words AnyWords(Random& random, size_t least, size_t most) const {
    for (int tries = 0; tries < 1000; ++tries) {
      Words words = SplitWords(AnySentence(random));
      if (words.size() >= least && words.size() <= most) return words;
    }
    return Words(least, lexicon_.front());
  }

  absl::Status Add(const char* task, const world::Record& record) {
    if (trains()) {
      for (const auto& [column, text] : record.items())
        absl::StrAppend(&corpus_, " ", text.get<std::string>(), "\n");
    }
    return writer_->AddRecord(task, record);
  }

  absl::Status WriteCopies() {
    const auto size = static_cast<int64_t>(texts_.sentences.size());
    const int64_t records = trains() ? size : std::min(size, options_.eval_count);
    for (int64_t i = 0; i < records; ++i) {
      Random random = At("copy", i);
      const std::string& sentence = trains() ? texts_.sentences[i] : AnySentence(random);
      UNIVAL_RETURN_IF_ERROR(
          Add("copy", {{"text", Varied(random, sentence, AnySentence(random))}}));
    }
    return absl::OkStatus();
  }

  absl::Status WriteWords() {
    for (int64_t i = 0; i < count(); ++i) {
      Random random = At("words", i);
      Words words;
      const int length = random.Between(1, 8);
      for (int n = 0; n < length; ++n)
        words.push_back(random.Chance(0.15) ? MadeWord(random, lexicon_) : random.Pick(lexicon_));
      UNIVAL_RETURN_IF_ERROR(writer_->AddRecord("words", {{"text", absl::StrJoin(words, " ")}}));
    }
    return absl::OkStatus();
  }

  absl::Status WriteOrders() {
    for (int64_t i = 0; i < count(); ++i) {
      Random random = At("order", i);
      const Words words = SplitWords(Plain(absl::StrJoin(AnyWords(random, 2, 7), " ")));
      UNIVAL_RETURN_IF_ERROR(writer_->AddRecord(
          "order", {{"given", Shuffled(random, words)}, {"text", absl::StrJoin(words, " ")}}));
    }
    return absl::OkStatus();
  }

  absl::Status WriteReading() {
    for (int64_t i = 0; i < count(); ++i) {
      Random random = At("reading", i);
      const Words words = AnyWords(random, 2, 9);
      const ReadingQuestion asked = AskAbout(random, words, lexicon_);
      UNIVAL_RETURN_IF_ERROR(writer_->AddRecord("reading", {{"text", absl::StrJoin(words, " ")},
                                                            {"question", asked.question},
                                                            {"answer", asked.answer}}));
    }
    return absl::OkStatus();
  }

  absl::Status AddAnswer(const std::string& question, const std::string& answer) {
    return Add("answer", {{"question", question}, {"answer", answer}});
  }

  absl::Status WriteAnswers() {
    int64_t left = trains() ? static_cast<int64_t>(texts_.records.size()) : options_.eval_count;
    for (const world::Record& record : texts_.records) {
      if (left-- == 0) break;
      const std::string text = Column(record, "text"), word = Column(record, "word"),
                        kind = Column(record, "kind"), question = Column(record, "question"),
                        answer = Column(record, "answer"), label = Column(record, "label");
      const bool is_short = static_cast<int64_t>(SplitWords(text).size()) <= options_.max_words;
      absl::Status added;
      if (!question.empty() && !answer.empty() && is_short) {
        added = AddAnswer(text.empty() ? question : absl::StrCat(text, " ", question), answer);
      } else if (!label.empty() && is_short) {
        added = AddAnswer(absl::StrCat(text, " what is it about?"), label);
      } else if (!kind.empty()) {
        added = AddAnswer(absl::StrCat("what kind of thing is ", word, "?"), kind);
      }
      UNIVAL_RETURN_IF_ERROR(added);
    }
    return absl::OkStatus();
  }

  const EnglishOptions& options_;
  const Split split_;
  const Texts texts_;
  const Words& lexicon_;
  std::unique_ptr<RecordWriter> writer_;
  std::string corpus_;
};

absl::Status CheckOptions(const EnglishOptions& options) {
  if (options.output_dir.empty()) return absl::InvalidArgumentError("an output folder is missing");
  if (options.max_words < 2 || options.count < 0 || options.eval_count < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected max_words of 2 or more and counts of 0 or more, got ",
                     options.max_words, ", ", options.count, ", ", options.eval_count));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status GenerateEnglish(const EnglishOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckOptions(options));
  UNIVAL_ASSIGN_OR_RETURN(Texts train, ReadTexts(options, Split::kTrain));
  UNIVAL_ASSIGN_OR_RETURN(Texts eval, ReadTexts(options, Split::kEval));
  const Words lexicon = LexiconOf(train.sentences);
  if (lexicon.empty()) {
    return absl::NotFoundError(absl::StrCat(options.text_dir, ": no word occurs ", kLeastUses,
                                            " times; more sentences are needed"));
  }
  SplitMaker made(options, Split::kTrain, std::move(train), lexicon);
  UNIVAL_RETURN_IF_ERROR(made.Write());
  UNIVAL_RETURN_IF_ERROR(SplitMaker(options, Split::kEval, std::move(eval), lexicon).Write());
  return WriteFileAtomically(options.output_dir + "/english/corpus.txt", {made.corpus()});
}

}  // namespace unival::english
