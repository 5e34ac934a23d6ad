// The part of LengthCheck that is the same for all records: literal texts, closed sets and the
// least length of answers.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/random.h"
#include "tasks/templates/template_render.h"
#include "training/data/check/length_check.h"

namespace unival {
namespace {

constexpr size_t kWordsShown = 8;

// The words of a text with one blank between them.
std::string SingleBlanked(const std::string& text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  return absl::StrJoin(words, " ");
}

}  // namespace

std::string QuotedWords(const std::vector<std::string>& words) {
  const size_t shown = std::min(words.size(), kWordsShown);
  std::string text = absl::StrJoin(
      words.begin(), words.begin() + shown, ", ",
      [](std::string* out, const std::string& word) { absl::StrAppend(out, "\"", word, "\""); });
  if (shown < words.size()) absl::StrAppend(&text, " and ", words.size() - shown, " more");
  return text;
}

void LengthCheck::CheckLiterals(const std::string& field, const Pattern& pattern,
                                ProblemList* problems) {
  std::vector<std::string> unknown;
  for (const PatternPiece& piece : pattern) {
    if (piece.type != nullptr) continue;
    AddUnknownWords(piece.text, &unknown);
  }
  if (unknown.empty()) return;
  Problem problem = At("unknown_piece", field, "");
  problem.what =
      absl::StrCat("the model has no pieces for ", QuotedWords(unknown), ": it reads <unk> there");
  problem.remedy = "use other words";
  problems->Add(std::move(problem));
}

void LengthCheck::AddLabel(const std::string& kind, const PatternPiece& slot,
                           const std::string& label, const std::string& what,
                           const std::string& remedy, ProblemList* problems) const {
  Problem problem = At(kind, "labels", slot.text);
  problem.what = absl::StrCat("value \"", label, "\"", what);
  problem.remedy = remedy;
  problems->Add(std::move(problem));
}

// The tokens of one label; none where they cannot be made, which is said.
std::vector<int64_t> LengthCheck::LabelTokens(const PatternPiece& slot, const std::string& label,
                                              const LabelIndex& labels,
                                              ProblemList* problems) const {
  // Literal text beside the label is part of each answer.
  Pattern answer;
  for (const PatternPiece& piece : reading_.target) {
    if (piece.type == nullptr || piece.text == slot.text) answer.push_back(piece);
  }
  const TaskSample sample{"label", {{slot.text, label}}};
  SeededRandom unused(0);
  RenderOptions options;
  options.labels = &labels;
  const auto chunks = RenderPattern(unbounded_, answer, vocabulary_, sample, options, unused);
  const auto tokens = chunks.ok() ? EncodeChunks(*chunks, vocabulary_) : chunks.status();
  if (!tokens.ok()) {
    AddLabel("label_not_itself", slot, label, absl::StrCat(": ", tokens.status().message()),
             "write it as its cleaning leaves it, or take out clean", problems);
    return {};
  }
  if (tokens->empty()) {
    AddLabel("label_empty", slot, label, " has no tokens", "take it out", problems);
  }
  return *tokens;
}

// All faults of each label, in one piece: whether the next question is asked depends on the answer
// to the one before.
void LengthCheck::CheckLabels(const PatternPiece& slot, ProblemList* problems) {
  std::map<std::vector<int64_t>, std::string> first_of;
  std::map<std::string, std::string> first_of_words;
  const LabelIndex labels(unbounded_);
  for (const std::string& label : slot.type->ClosedSet({unbounded_, slot})) {
    // Nobody sees blanks at the ends of an answer, or how many stand between words.
    const std::string words = SingleBlanked(label);
    if (words.empty()) {
      AddLabel("label_empty", slot, label, " has no words", "take it out", problems);
      continue;
    }
    const auto [like, is_first] = first_of_words.emplace(words, label);
    if (!is_first && like->second != label) {
      AddLabel("label_same_pieces", slot, label,
               absl::StrCat(" differs from \"", like->second, "\" in blanks alone"),
               "keep one of them", problems);
      continue;  // their tokens may be equal too: one report of a pair is enough
    }
    const std::vector<int64_t> tokens = LabelTokens(slot, label, labels, problems);
    if (tokens.empty()) continue;
    const std::vector<std::string> unknown = UnknownWords(absl::StrCat(" ", label));
    if (!unknown.empty()) {
      AddLabel("label_unknown_piece", slot, label,
               absl::StrCat(": the model has no pieces for ", QuotedWords(unknown),
                            ": it becomes <unk>"),
               "use other words for it", problems);
    }
    const auto [same, is_new] = first_of.emplace(tokens, label);
    if (!is_new) {
      AddLabel("label_same_pieces", slot, label,
               absl::StrCat(" becomes the same pieces as \"", same->second,
                            "\": the model cannot tell them apart"),
               "use other words for one of them", problems);
    }
    if (static_cast<int64_t>(tokens.size()) > answer_bound_) {
      AddLabel("label_too_long", slot, label,
               absl::StrCat(" has ", tokens.size(), " tokens, more than the ", answer_bound_,
                            " of generation.max_tokens"),
               absl::StrCat("set generation { max_tokens: ", tokens.size(), " }"), problems);
    }
  }
}

void LengthCheck::CheckLeastLength(ProblemList* problems) const {
  const int64_t least = reading_.source->proto.generation().min_tokens();
  const bool is_of_grid = writes_image_codes_ && code_cells_ > 0 && code_cells_ < max_positions_;
  const int64_t most = is_of_grid ? code_cells_ : max_positions_;
  if (least <= most) return;
  Problem problem = At("setting", "generation", "");
  problem.what = absl::StrCat("generation.min_tokens: expected at most ", most, ", the ",
                              is_of_grid ? "image codes of the model's grid" : "model's positions",
                              ", got ", least);
  problem.remedy = "take a model that has more, or ask for fewer";
  problems->Add(std::move(problem));
}

void LengthCheck::CheckTemplate(ProblemList* problems) {
  CheckLeastLength(problems);
  for (size_t i = 0; i < reading_.prompts.size(); ++i) {
    CheckLiterals(FieldOfWording(i), reading_.prompts[i], problems);
  }
  CheckLiterals("target", reading_.target, problems);
  for (const PatternPiece& slot : reading_.target) {
    if (slot.type == nullptr || slot.type->ClosedSet({unbounded_, slot}).empty()) continue;
    CheckLabels(slot, problems);
    break;
  }
}

}  // namespace unival
