#include "training/data/check/rendered_record.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

std::string NameOfToken(const VocabularyView& vocabulary, int64_t id) {
  if (id == vocabulary.bos()) return "<s>";
  if (id == vocabulary.pad()) return "<pad>";
  if (id == vocabulary.eos()) return "</s>";
  if (id == vocabulary.unk()) return "<unk>";
  const auto token = vocabulary.Identify(id);
  return token.ok() ? absl::StrCat(token->block, ":", token->index) : absl::StrCat(id);
}

// The text that each token adds. A token decoded alone would lose the blank before it, and a
// character may span several tokens, so tokens before it are decoded with it. A few are enough, and
// with only a few the time grows with the length of the text and not with its square.
absl::StatusOr<std::vector<RenderedPiece>> Pieces(const VocabularyView& vocabulary,
                                                  const std::vector<int64_t>& tokens) {
  constexpr size_t kMostBefore = 64, kFewestBefore = 16;
  std::vector<RenderedPiece> pieces;
  std::string before;
  size_t begin = 0;  // of the tokens whose text is `before`
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i - begin == kMostBefore) {
      begin = i - kFewestBefore;
      UNIVAL_ASSIGN_OR_RETURN(before,
                              vocabulary.DecodeText(absl::MakeSpan(&tokens[begin], kFewestBefore)));
    }
    UNIVAL_ASSIGN_OR_RETURN(const std::string text,
                            vocabulary.DecodeText(absl::MakeSpan(&tokens[begin], i + 1 - begin)));
    std::string piece =
        text.compare(0, before.size(), before) == 0 ? text.substr(before.size()) : text;
    if (piece.empty()) piece = NameOfToken(vocabulary, tokens[i]);
    pieces.push_back({static_cast<int64_t>(i), tokens[i], std::move(piece)});
    before = text;
  }
  return pieces;
}

// Media within the prompt as pieces of it, and the tokens behind them at the positions that they
// leave.
std::vector<RenderedPiece> WithMedia(std::vector<RenderedPiece> tokens,
                                     const std::vector<MediaInput>& media) {
  std::map<int64_t, const MediaInput*> placed;
  for (const MediaInput& input : media) {
    if (input.place >= 0) placed[input.place] = &input;
  }
  std::vector<RenderedPiece> pieces;
  const auto add = [&pieces](RenderedPiece piece) {
    piece.position = static_cast<int64_t>(pieces.size());
    pieces.push_back(std::move(piece));
  };
  const auto add_media = [&] {
    for (auto next = placed.find(static_cast<int64_t>(pieces.size())); next != placed.end();
         next = placed.find(static_cast<int64_t>(pieces.size()))) {
      const MediaInput& input = *next->second;
      add({0, kMediaPiece, absl::StrCat("{", input.modality, ": ", input.media.name, "}")});
    }
  };
  for (RenderedPiece& token : tokens) {
    add_media();
    add(std::move(token));
  }
  add_media();
  return pieces;
}

}  // namespace

absl::StatusOr<RenderedRecord> RenderRecord(const Task& task, const VocabularyView& vocabulary,
                                            const TaskSample& sample) {
  UNIVAL_ASSIGN_OR_RETURN(const Seq2SeqExample example,
                          task.MakeExample(sample, ExampleMode::kPrediction, 0));
  RenderedRecord rendered;
  rendered.key = sample.key;
  for (const MediaInput& input : example.media) {
    rendered.media.push_back(absl::StrCat(input.modality, ": ", input.media.name));
  }
  UNIVAL_ASSIGN_OR_RETURN(rendered.prompt, Pieces(vocabulary, example.source));
  rendered.prompt = WithMedia(std::move(rendered.prompt), example.media);
  UNIVAL_ASSIGN_OR_RETURN(rendered.prefix, Pieces(vocabulary, example.prefix));
  UNIVAL_ASSIGN_OR_RETURN(rendered.target, Pieces(vocabulary, example.target));
  rendered.answers = static_cast<int64_t>(example.constraint.answers.size());
  return rendered;
}

}  // namespace unival
