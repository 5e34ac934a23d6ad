// unival: caption_scores.h
//
// BLEU, ROUGE-L and CIDEr-D of candidate captions against several references each, as the COCO
// caption evaluation and the reference's training metric define them. Texts are split at white
// space; clean them first.
#ifndef UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_
#define UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_

#include <array>
#include <string>
#include <vector>

namespace unival {

struct CaptionItem {
  std::string candidate;
  std::vector<std::string> references;
};

// Corpus BLEU-1..4, closest reference length. Zeros for no items.
std::array<double, 4> Bleu(const std::vector<CaptionItem>& items);

// Of one item, beta 1.2: best precision and best recall over the references.
double RougeL(const CaptionItem& item);

// CIDEr-D of every item, times 10; document frequencies are those of the items' references.
std::vector<double> CiderD(const std::vector<CaptionItem>& items);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_CAPTION_SCORES_H_
