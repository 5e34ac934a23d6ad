// unival: denoising.h - texts that training damages and a model restores: masked words, masked
// spans and sentences in another order.
//
//   std::vector<Chunk> chunks;
//   AppendDamaged(task, text, vocabulary.mask(), random, &chunks);
//
// Masked words are replaced one by one (TaskTemplate.mask_ratio). Masked spans and sentence
// permutation are those of Lewis et al., "BART", ACL 2020, with the reference's rules
// (unify_dataset.py, add_whole_word_mask): lengths are drawn from a Poisson distribution until
// ceil(mask_ratio * words) words are masked, the last one is cut to that number, each span becomes
// one mask, spans that meet become one, and a span of length 0 inserts a mask.
// Thread-safe; `random` is the caller's alone.
#ifndef UNIVAL_TASKS_TEMPLATES_DENOISING_H_
#define UNIVAL_TASKS_TEMPLATES_DENOISING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sdk/base/random.h"
#include "sdk/proto/task.pb.h"
#include "tasks/slots/slot_type.h"

namespace unival {

// Means of span lengths beyond this mask whole texts.
constexpr float kMaxSpanMean = 64;
// With shorter means nearly all spans have length 0, and each of these inserts a mask: at this mean
// there are nine for every word that is masked.
constexpr float kMinSpanMean = 0.1f;

// `text` as `task` damages it. At least one word stays.
void AppendDamaged(const TaskTemplate& task, const std::string& text, int64_t mask,
                   SeededRandom& random, std::vector<Chunk>* chunks);

// A draw of the Poisson distribution of this mean, 0 to kMaxSpanMean, by inversion.
int64_t PoissonDraw(double mean, SeededRandom& random);

// The sentences of `text`, which end with ".", "!" or "?" before white space, in a drawn order with
// one blank between them.
std::string ShuffledSentences(const std::string& text, SeededRandom& random);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_DENOISING_H_
