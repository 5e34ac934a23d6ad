#include "training/config/loss_mean.h"

namespace unival {
namespace {

struct NamedMean {
  const char* name;
  LossMean mean;
};

constexpr NamedMean kMeans[] = {
    {"token", LossMean::kTokens}, {"row", LossMean::kRows}, {"source", LossMean::kSources}};

}  // namespace

absl::optional<LossMean> ParseLossMean(absl::string_view text) {
  if (text.empty()) return kMeans[0].mean;
  for (const NamedMean& entry : kMeans) {
    if (text == entry.name) return entry.mean;
  }
  return absl::nullopt;
}

std::vector<std::string> LossMeanNames() {
  std::vector<std::string> names;
  for (const NamedMean& entry : kMeans) names.emplace_back(entry.name);
  return names;
}

}  // namespace unival
