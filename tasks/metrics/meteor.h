// unival: meteor.h
//
// METEOR 1.5 for English with its modules "exact" and "stem" (Denkowski and Lavie, "Meteor
// Universal", 2014): what `java -jar meteor-1.5.jar -l en -norm -m "exact stem"` gives. Synonyms
// (WordNet) and paraphrases are not used, so that values are lower than those of all four modules,
// which the COCO caption evaluation prints as METEOR.
//
//   double score = MeteorScore(CountMeteor({"a dog runs", {"the dog is running"}}));
//
// Pure functions; thread-safe.
#ifndef UNIVAL_TASKS_METRICS_METEOR_H_
#define UNIVAL_TASKS_METRICS_METEOR_H_

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "tasks/metrics/caption_scores.h"

namespace unival {

// The remark to show beside a value of METEOR: values compare only if the same modules made them.
inline constexpr char kMeteorModules[] = "modules exact and stem";

// Counts, whose sums over items give the corpus score.
enum MeteorCount {
  kCandidateWords,
  kReferenceWords,
  kCandidateFunctionWords,
  kReferenceFunctionWords,
  // Matched words, by the module that matched them, apart for function words and others.
  kCandidateExact,
  kCandidateExactFunction,
  kCandidateStem,
  kCandidateStemFunction,
  kReferenceExact,
  kReferenceExactFunction,
  kReferenceStem,
  kReferenceStemFunction,
  kChunks,  // runs of matched words in the same order in both
  kMeteorCounts
};
using MeteorCounts = std::array<double, kMeteorCounts>;

// Against the reference with the highest score. Texts as TokenizeCaptions gives them.
MeteorCounts CountMeteor(const CaptionItem& item);

// alpha 0.85, beta 0.2, gamma 0.6, delta 0.75; matches weigh 1 (exact) and 0.6 (stem).
double MeteorScore(const MeteorCounts& counts);

// Words as METEOR's -norm splits lower-cased text: hyphens part words, apostrophes begin one.
std::string MeteorText(absl::string_view text);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_METEOR_H_
