#include "tasks/templates/template_render.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Start and end of the next word at or after `from`, its leading white space included.
std::pair<size_t, size_t> NextWord(absl::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && absl::ascii_isspace(text[end])) ++end;
  while (end < text.size() && !absl::ascii_isspace(text[end])) ++end;
  return {from, end};
}

std::vector<absl::string_view> Words(absl::string_view text) {
  std::vector<absl::string_view> words;
  for (size_t position = 0; position < text.size();) {
    const auto [start, end] = NextWord(text, position);
    words.push_back(text.substr(start, end - start));
    position = end;
  }
  return words;
}

// `count` of `n` positions.
std::vector<bool> ChooseSome(size_t n, size_t count, SeededRandom& random) {
  std::vector<bool> chosen(n, false);
  for (size_t left = n, need = count; need > 0; --left) {
    if (random.Below(left) < need) {
      chosen[n - left] = true;
      --need;
    }
  }
  return chosen;
}

// Replaces a share of the words by `mask`, each with the blank before it; at least one word stays.
void AppendMasked(const std::string& text, double ratio, int64_t mask, SeededRandom& random,
                  std::vector<Chunk>* chunks) {
  const std::vector<absl::string_view> words = Words(text);
  const double share = ratio * static_cast<double>(words.size());
  const size_t most = words.empty() ? 0 : words.size() - 1;
  const size_t count =
      std::min(most, std::max<size_t>(1, static_cast<size_t>(std::nearbyint(share))));
  const std::vector<bool> masked = ChooseSome(words.size(), count, random);
  for (size_t i = 0; i < words.size(); ++i) {
    if (masked[i]) {
      chunks->push_back({"", {mask}});
    } else {
      chunks->push_back({std::string(words[i]), {}});
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<Chunk>> RenderPattern(const TaskTemplate& task, const Pattern& pattern,
                                                 const VocabularyView& vocabulary,
                                                 const TaskSample& sample,
                                                 const RenderOptions& options,
                                                 SeededRandom& random) {
  std::vector<Chunk> chunks;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == nullptr) {
      chunks.push_back({piece.text, {}});
      continue;
    }
    UNIVAL_ASSIGN_OR_RETURN(Chunk chunk,
                            piece.type->Render({task, piece}, vocabulary, sample, options, random));
    if (options.mask_words && piece.type->maskable()) {
      AppendMasked(chunk.text, task.mask_ratio(), vocabulary.mask(), random, &chunks);
    } else {
      chunks.push_back(std::move(chunk));
    }
  }
  return chunks;
}

// Neighbouring texts are joined before the tokenizer sees them. Blanks beside tokens that no
// tokenizer makes are dropped: the target " {box}" is four bins and no space.
absl::StatusOr<std::vector<int64_t>> EncodeChunks(const std::vector<Chunk>& chunks,
                                                  const VocabularyView& vocabulary) {
  std::vector<int64_t> tokens;
  std::string run;
  const auto flush = [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> encoded, vocabulary.EncodeText(run));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    run.clear();
    return absl::OkStatus();
  };
  for (const Chunk& chunk : chunks) {
    run += chunk.text;
    if (chunk.tokens.empty()) continue;
    if (absl::StripAsciiWhitespace(run).empty()) run.clear();
    if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
    tokens.insert(tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
  }
  if (!tokens.empty() && absl::StripAsciiWhitespace(run).empty()) run.clear();
  if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
  return tokens;
}

}  // namespace unival
