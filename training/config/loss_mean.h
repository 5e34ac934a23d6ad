// unival: loss_mean.h - what the loss of a micro-batch with rows of several sources is a mean of.
#ifndef UNIVAL_TRAINING_CONFIG_LOSS_MEAN_H_
#define UNIVAL_TRAINING_CONFIG_LOSS_MEAN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace unival {

enum class LossMean {
  kTokens,   // every token counts alike: rows count by their lengths
  kRows,     // every row counts alike, whose loss is the mean of its tokens
  kSources,  // every source in the batch counts alike, whose loss is the mean of its tokens
};

// Reads the word of a plan: "token", "row" or "source"; no word means "token". Another text gives
// none.
absl::optional<LossMean> ParseLossMean(absl::string_view text);

// What ParseLossMean understands, the default first.
std::vector<std::string> LossMeanNames();

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_LOSS_MEAN_H_
