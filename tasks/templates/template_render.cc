#include "tasks/templates/template_render.h"

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/denoising.h"

namespace unival {
namespace {

bool IsBlankText(const std::string& text) { return absl::StripAsciiWhitespace(text).empty(); }

}  // namespace

absl::StatusOr<std::vector<Chunk>> RenderPattern(const TaskTemplate& task, const Pattern& pattern,
                                                 const VocabularyView& vocabulary,
                                                 const TaskSample& sample,
                                                 const RenderOptions& options,
                                                 SeededRandom& random) {
  std::vector<Chunk> chunks;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == nullptr) {
      chunks.push_back({piece.text, {}, ""});
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(Chunk chunk,
                            piece.type->Render({task, piece}, vocabulary, sample, options, random));
    if (options.damage && piece.type->maskable()) {
      AppendDamaged(task, chunk.text, vocabulary.mask(), random, &chunks);
    } else {
      chunks.push_back(std::move(chunk));
    }
  }
  return chunks;
}

// Neighbouring texts are joined before the tokenizer sees them. Blanks beside tokens that no
// tokenizer makes are dropped: the target " {box}" is four bins and no space. So are those before a
// media item, since words bring the blank before them.
absl::StatusOr<std::vector<int64_t>> EncodeChunks(const std::vector<Chunk>& chunks,
                                                  const VocabularyView& vocabulary,
                                                  std::vector<MediaPlace>* places) {
  std::vector<int64_t> tokens;
  std::string run;
  bool is_first = true;  // nothing but text so far
  const auto flush = [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> encoded, vocabulary.EncodeText(run));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    run.clear();
    return absl::OkStatus();
  };
  for (const Chunk& chunk : chunks) {
    run += chunk.text;
    if (chunk.tokens.empty() && chunk.input.empty()) continue;
    if (!chunk.input.empty()) absl::StripTrailingAsciiWhitespace(&run);
    if (IsBlankText(run)) run.clear();
    if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
    tokens.insert(tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
    if (!chunk.input.empty() && places != nullptr) places->push_back({chunk.input, tokens.size()});
    is_first = false;
  }
  if (!is_first && IsBlankText(run)) run.clear();
  if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
  return tokens;
}

}  // namespace unival
