// unival: caption_scores.h
//
// BLEU, ROUGE-L, CIDEr and CIDEr-D of candidate captions against several references each, as the
// COCO caption evaluation computes them. Texts are words joined by blanks: TokenizeCaptions
// (ptb_tokenizer.h) makes them. docs/metrics.md has the formulas and their sources.
#ifndef UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_
#define UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_

#include <array>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

struct CaptionItem {
  std::string candidate;
  std::vector<std::string> references;
};

// Corpus BLEU-1..4, closest reference length. Zeros for no items.
std::array<double, 4> Bleu(const std::vector<CaptionItem>& items);

// What BLEU is made of: n-grams of 1..4 words that are right, those that were said, words said,
// words of the closest reference. Sums over items give corpus BLEU.
using BleuCounts = std::array<double, 10>;
BleuCounts CountBleu(const CaptionItem& item);
std::array<double, 4> BleuOfCounts(const BleuCounts& counts);

// ROUGE-L of one item (beta 1.2), from the best precision and the best recall over the references.
double RougeL(const CaptionItem& item);

// CIDEr-D of every item, times 10; document frequencies are those of the items' references. It is
// what the COCO caption evaluation prints as "CIDEr".
std::vector<double> CiderD(const std::vector<CaptionItem>& items);

// CIDEr as it was first defined: the same without clipped counts and without the factor for
// unequal lengths.
std::vector<double> PlainCider(const std::vector<CaptionItem>& items);

// Words of `text` between white space, as Python's str.split() gives them; no-break spaces count as
// white space. The views are valid as long as `text`.
std::vector<absl::string_view> SplitWords(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_
