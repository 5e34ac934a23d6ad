#include "training/data/check/length_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "backbone/model/model_config.h"
#include "sdk/base/random.h"
#include "sdk/native/generation_check.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/template_fault.h"
#include "tasks/templates/template_render.h"

namespace unival {
namespace {

size_t AlternativesOf(const TaskSample& sample, const Pattern& pattern) {
  size_t alternatives = 1;
  for (const std::string& column : PatternColumns(pattern)) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    const auto* list = std::get_if<std::vector<std::string>>(&found->second);
    if (list != nullptr) alternatives = std::max(alternatives, list->size());
  }
  return alternatives;
}

std::vector<std::string> WordsOf(const std::string& text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
}

// The answers of a slot that is the whole target have this many tokens.
int64_t TokensOfSlot(const Pattern& target) {
  const PatternPiece* only = OnlySlot(target);
  return only == nullptr ? 0 : only->type->token_count();
}

}  // namespace

std::string FieldOfWording(size_t wording) {
  return wording == 0 ? "prompt" : absl::StrCat("paraphrase:", wording - 1);
}

void Spread::Add(int64_t value) {
  least = count == 0 ? value : std::min(least, value);
  most = count == 0 ? value : std::max(most, value);
  sum += value;
  ++count;
}

LengthCheck::LengthCheck(const TemplateReading& reading, const VocabularyView& vocabulary,
                         const BackboneConfig& backbone)
    : reading_(reading),
      vocabulary_(vocabulary),
      max_positions_(backbone.max_positions()),
      code_cells_(CodeGridCells(backbone)),
      unbounded_(reading.source->proto) {
  for (ColumnCleaning& clean : *unbounded_.mutable_clean()) clean.clear_max_words();
  const int32_t set = unbounded_.generation().max_tokens();
  answer_bound_ = set > 0 ? set : kDefaultMaxTokens;
  if (set == 0) answer_bound_ = std::max(answer_bound_, TokensOfSlot(reading.target));
  const PatternPiece* first = FirstPiece(reading.target);
  writes_image_codes_ = first != nullptr && first->type != nullptr &&
                        first->type->Block({unbounded_, *first}) == kImageCodeBlock;
}

Problem LengthCheck::At(const std::string& kind, const std::string& field,
                        const std::string& slot) const {
  const TemplateFault place = FaultAt(*reading_.source, field, slot, absl::UnknownError(""));
  Problem problem;
  problem.kind = kind;
  problem.file = place.file;
  problem.line = place.line;
  problem.task = place.task;
  problem.field = field;
  problem.slot = slot;
  return problem;
}

std::vector<std::string> LengthCheck::UnknownWords(const std::string& text) const {
  std::vector<std::string> unknown;
  AddUnknownWords(text, &unknown);
  return unknown;
}

void LengthCheck::AddUnknownWords(const std::string& text,
                                  std::vector<std::string>* unknown) const {
  const auto has_unknown = [this](const std::string& piece) {
    const auto tokens = vocabulary_.EncodeText(piece);
    return tokens.ok() &&
           std::find(tokens->begin(), tokens->end(), vocabulary_.unk()) != tokens->end();
  };
  if (!has_unknown(text)) return;
  for (const std::string& word : WordsOf(text)) {
    if (has_unknown(absl::StrCat(" ", word)) &&
        std::find(unknown->begin(), unknown->end(), word) == unknown->end()) {
      unknown->push_back(word);
    }
  }
}

void LengthCheck::CheckPieces(const std::string& field, const Pattern& pattern,
                              const TaskSample& sample, ProblemList* problems) {
  RenderOptions options;
  for (const PatternPiece& slot : pattern) {
    // What is wrong with a closed set was said of the set.
    if (slot.type == nullptr || !slot.type->ClosedSet({unbounded_, slot}).empty()) continue;
    std::vector<std::string> unknown;
    const size_t alternatives = AlternativesOf(sample, pattern);
    for (options.alternative = 0; options.alternative < alternatives; ++options.alternative) {
      SeededRandom unused(0);
      const auto chunk =
          slot.type->Render({unbounded_, slot}, vocabulary_, sample, options, unused);
      if (!chunk.ok()) continue;
      AddUnknownWords(absl::StrCat(" ", chunk->text), &unknown);
    }
    if (unknown.empty()) continue;
    Problem problem = At("unknown_piece", field, slot.text);
    problem.remedy = "use other words, or a model whose tokenizer can write them";
    problems->Add(std::move(problem), sample.key,
                  absl::StrCat("the model has no pieces for ", QuotedWords(unknown)));
  }
}

// Tokens of every alternative; none where it cannot be rendered.
Spread LengthCheck::TokenCounts(const Pattern& pattern, const TaskSample& sample) const {
  Spread counts;
  RenderOptions options;
  const size_t alternatives = AlternativesOf(sample, pattern);
  for (; options.alternative < alternatives; ++options.alternative) {
    SeededRandom unused(0);
    const auto chunks = RenderPattern(unbounded_, pattern, vocabulary_, sample, options, unused);
    if (!chunks.ok()) continue;
    const auto tokens = EncodeChunks(*chunks, vocabulary_);
    if (tokens.ok()) counts.Add(static_cast<int64_t>(tokens->size()));
  }
  return counts;
}

// Adds a problem when `tokens` is beyond `bound`; 0: no bound. `remedy` makes advice of the largest
// number of tokens so far.
void LengthCheck::Bound(Problem problem, int64_t tokens, int64_t bound, const std::string& what,
                        const TaskSample& sample, const Remedy& remedy, ProblemList* problems) {
  if (bound <= 0 || tokens <= bound) return;
  int64_t& most = longest_[absl::StrCat(problem.kind, " ", problem.field)];
  most = std::max(most, tokens);
  problems
      ->Add(std::move(problem), sample.key,
            absl::StrCat(what, " has ", tokens, " tokens, more than ", bound))
      .remedy = remedy(most);
}

// Words that `clean { max_words }` drops.
void LengthCheck::CheckWords(const TaskSample& sample, ProblemList* problems) {
  for (const auto& clean : reading_.source->proto.clean()) {
    const auto found = sample.fields.find(clean.column());
    if (clean.max_words() <= 0 || found == sample.fields.end()) continue;
    std::vector<std::string> texts;
    if (const auto* text = std::get_if<std::string>(&found->second)) texts = {*text};
    if (const auto* list = std::get_if<std::vector<std::string>>(&found->second)) texts = *list;
    size_t most = 0;
    for (const std::string& text : texts) {
      most = std::max(most, WordsOf(text).size());
    }
    if (most <= static_cast<size_t>(clean.max_words())) continue;
    Problem& problem = problems->Add(
        At("words_cut", "clean", clean.column()), sample.key,
        absl::StrCat("has ", most, " words, of which max_words keeps ", clean.max_words()));
    int64_t& longest = longest_[absl::StrCat("words ", clean.column())];
    longest = std::max(longest, static_cast<int64_t>(most));
    problem.remedy = absl::StrCat("set max_words: ", longest, ", or shorten the texts");
  }
}

void LengthCheck::CheckPrompt(const TaskSample& sample, size_t wording, ProblemList* problems) {
  const std::string field = FieldOfWording(wording);
  const int64_t bound = reading_.source->proto.max_source_tokens();
  const Spread counts = TokenCounts(reading_.prompts[wording], sample);
  if (counts.count == 0) return;
  if (wording == 0) prompt_tokens_.Add(counts.most);
  CheckPieces(field, reading_.prompts[wording], sample, problems);
  Bound(
      At("prompt_cut", field, ""), counts.most, bound, "the prompt", sample,
      [](int64_t most) {
        return absl::StrCat("set max_source_tokens: ", most, ", or shorten the texts");
      },
      problems);
  const int64_t tokens = bound > 0 ? std::min(counts.most, bound) : counts.most;
  prompt_of_record_ = std::max(prompt_of_record_, tokens);
  // Each media item within the text takes the place of a token.
  const Pattern& prompt = reading_.prompts[wording];
  const auto media = std::count_if(prompt.begin(), prompt.end(), [](const PatternPiece& piece) {
    return piece.type != nullptr && piece.type->is_media();
  });
  // With <s> and </s>.
  Bound(
      At("prompt_too_long", field, ""), tokens + media + 2, max_positions_, "the prompt", sample,
      [this](int64_t) {
        return absl::StrCat("the model has positions for ", max_positions_,
                            "; shorten the texts, or let max_source_tokens cut them");
      },
      problems);
}

// The bounds of a target, in one piece: each counts what the one before it leaves.
void LengthCheck::CheckTarget(const TaskSample& sample, ProblemList* problems) {
  const TaskTemplate& task = reading_.source->proto;
  const Spread counts = TokenCounts(reading_.target, sample);
  if (counts.count == 0) return;
  target_tokens_.Add(counts.most);
  CheckPieces("target", reading_.target, sample, problems);
  const int64_t bound = task.max_target_tokens();
  Bound(
      At("target_cut", "target", ""), counts.most, bound, "the target", sample,
      [](int64_t most) {
        return absl::StrCat("set max_target_tokens: ", most, ", or shorten the texts");
      },
      problems);
  const int64_t tokens = bound > 0 ? std::min(counts.most, bound) : counts.most;
  Bound(
      At("answer_cut", "target", ""), tokens, answer_bound_, "the target, as an answer,", sample,
      [](int64_t most) {
        return absl::StrCat(
            "answers end after generation.max_tokens and score as wrong; set "
            "generation { max_tokens: ",
            most, " }");
      },
      problems);
  const int64_t least = task.generation().min_tokens();
  if (least > counts.least) {
    Problem problem = At("answer_too_short", "generation", "");
    problem.remedy = "lower generation.min_tokens: such an answer can never be given";
    problems->Add(std::move(problem), sample.key,
                  absl::StrCat("the target has ", counts.least, " tokens, fewer than the ", least,
                               " of generation.min_tokens"));
  }
  if (writes_image_codes_) return;  // they have the positions of their grid
  const int64_t prefix =
      task.prompt_in_decoder() ? prompt_of_record_ + (task.prompt_end_in_decoder() ? 1 : 0) : 0;
  // The decoder reads <s>, the prefix, and the target without its </s>.
  Bound(
      At("target_too_long", "target", ""), prefix + tokens + 1, max_positions_,
      prefix > 0 ? "what the decoder reads" : "the target", sample,
      [this](int64_t) {
        return absl::StrCat("the model has positions for ", max_positions_,
                            "; shorten the texts, or let max_target_tokens cut them");
      },
      problems);
}

void LengthCheck::Check(const TaskSample& sample, ProblemList* problems) {
  prompt_of_record_ = 0;
  CheckWords(sample, problems);
  for (size_t i = 0; i < reading_.prompts.size(); ++i) CheckPrompt(sample, i, problems);
  CheckTarget(sample, problems);
}

}  // namespace unival
