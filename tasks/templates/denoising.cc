#include "tasks/templates/denoising.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace unival {
namespace {

// Start and end of the next word at or after `from`, its leading white space included.
std::pair<size_t, size_t> NextWord(absl::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && absl::ascii_isspace(text[end])) ++end;
  while (end < text.size() && !absl::ascii_isspace(text[end])) ++end;
  return {from, end};
}

std::vector<absl::string_view> WordsWithBlanks(absl::string_view text) {
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
  const std::vector<absl::string_view> words = WordsWithBlanks(text);
  const double share = ratio * static_cast<double>(words.size());
  const size_t most = words.empty() ? 0 : words.size() - 1;
  const size_t count =
      std::min(most, std::max<size_t>(1, static_cast<size_t>(std::nearbyint(share))));
  const std::vector<bool> masked = ChooseSome(words.size(), count, random);
  for (size_t i = 0; i < words.size(); ++i) {
    if (masked[i]) {
      chunks->push_back({"", {mask}, ""});
    } else {
      chunks->push_back({std::string(words[i]), {}, ""});
    }
  }
}

// Draws lengths of spans that mask `budget` words together. A span of length 0 inserts a mask.
std::vector<int64_t> SpanLengths(double mean, int64_t budget, SeededRandom& random) {
  std::vector<int64_t> lengths;
  for (int64_t masked = 0; masked < budget; masked += lengths.back()) {
    lengths.push_back(std::min(PoissonDraw(mean, random), budget - masked));
  }
  return lengths;
}

// `count` different numbers below `n`, in the order in which they are drawn.
std::vector<size_t> DrawDifferent(size_t n, size_t count, SeededRandom& random) {
  std::vector<size_t> all(n);
  for (size_t i = 0; i < n; ++i) all[i] = i;
  for (size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.Below(n - i)]);
  all.resize(count);
  return all;
}

void InsertMasks(size_t count, int64_t mask, SeededRandom& random, std::vector<Chunk>* pieces) {
  for (size_t i = 0; i < count; ++i) {
    const auto at = static_cast<int64_t>(random.Below(pieces->size() + 1));
    pieces->insert(pieces->begin() + at, {"", {mask}, ""});
  }
}

void AppendSpans(const TaskTemplate& task, const std::string& text, int64_t mask,
                 SeededRandom& random, std::vector<Chunk>* chunks) {
  const std::vector<absl::string_view> words = WordsWithBlanks(text);
  const size_t n = words.size();
  const auto share = static_cast<size_t>(std::ceil(task.mask_ratio() * static_cast<double>(n)));
  const size_t budget = std::min(n == 0 ? 0 : n - 1, share);
  std::vector<int64_t> lengths =
      SpanLengths(task.mask_span_mean(), static_cast<int64_t>(budget), random);
  const auto inserts = static_cast<size_t>(std::count(lengths.begin(), lengths.end(), 0));
  lengths.erase(std::remove(lengths.begin(), lengths.end(), 0), lengths.end());
  const std::vector<size_t> starts = DrawDifferent(n, lengths.size(), random);
  std::vector<bool> begins(n, false), goes_on(n, false);
  for (size_t i = 0; i < starts.size(); ++i) {
    begins[starts[i]] = true;
    const size_t end = std::min(n, starts[i] + static_cast<size_t>(lengths[i]));
    for (size_t word = starts[i] + 1; word < end; ++word) goes_on[word] = true;
  }
  std::vector<Chunk> pieces;
  for (size_t i = 0; i < n; ++i) {
    if (goes_on[i]) continue;
    pieces.push_back(begins[i] ? Chunk{"", {mask}, ""} : Chunk{std::string(words[i]), {}, ""});
  }
  InsertMasks(inserts, mask, random, &pieces);
  std::move(pieces.begin(), pieces.end(), std::back_inserter(*chunks));
}

bool EndsSentence(const std::string& text, size_t at) {
  const bool is_end = text[at] == '.' || text[at] == '!' || text[at] == '?';
  return is_end && (at + 1 == text.size() || absl::ascii_isspace(text[at + 1]));
}

}  // namespace

int64_t PoissonDraw(double mean, SeededRandom& random) {
  double left = UnitInterval(random.Next());
  double p = std::exp(-mean);
  const auto most = static_cast<int64_t>(8 * mean + 32);  // beyond it p is no number any more
  int64_t k = 0;
  for (; left >= p && k < most; ++k) {
    left -= p;
    p *= mean / static_cast<double>(k + 1);
  }
  return k;
}

std::string ShuffledSentences(const std::string& text, SeededRandom& random) {
  std::vector<std::string> sentences;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!EndsSentence(text, i) && i + 1 < text.size()) continue;
    std::string sentence(absl::StripAsciiWhitespace(text.substr(begin, i + 1 - begin)));
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    begin = i + 1;
  }
  for (size_t i = sentences.size(); i > 1; --i) {
    std::swap(sentences[i - 1], sentences[random.Below(i)]);
  }
  return absl::StrJoin(sentences, " ");
}

void AppendDamaged(const TaskTemplate& task, const std::string& text, int64_t mask,
                   SeededRandom& random, std::vector<Chunk>* chunks) {
  const std::string shuffled = task.shuffle_sentences() ? ShuffledSentences(text, random) : text;
  if (task.mask_ratio() <= 0) {
    chunks->push_back({shuffled, {}, ""});
  } else if (task.mask_span_mean() > 0) {
    AppendSpans(task, shuffled, mask, random, chunks);
  } else {
    AppendMasked(shuffled, task.mask_ratio(), mask, random, chunks);
  }
}

}  // namespace unival
