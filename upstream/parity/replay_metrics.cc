// Files "metrics": scores of captions.
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/caption_scores.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr Tolerance kMetric = {1e-9, 1e-6};

void CheckCaptionScores(const Json& golden, Checker& check) {
  std::vector<CaptionItem> items;
  std::vector<std::string> keys;
  for (const auto& [key, references] : golden.at("references").items()) {
    keys.push_back(key);
    items.push_back({golden.at("candidates").at(key), references});
  }
  const Json& expected = golden.at("expected");
  const std::array<double, 4> bleu = Bleu(items);
  for (int n = 0; n < 4; ++n) {
    check.Number("metrics", absl::StrCat("bleu ", n + 1), bleu[n], expected.at("bleu").at(n),
                 kMetric);
  }
  const std::vector<double> cider = CiderD(items);
  double cider_sum = 0, rouge_sum = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const double rouge = RougeL(items[i]);
    cider_sum += cider[i], rouge_sum += rouge;
    const Json& own = golden.at("per_image").at(keys[i]);
    check.Number("metrics", keys[i] + ", rouge_l", rouge, own.at("rouge_l"), kMetric);
    check.Number("metrics", keys[i] + ", cider", cider[i], own.at("cider"), kMetric);
  }
  const auto count = static_cast<double>(items.size());
  check.Number("metrics", "rouge_l", rouge_sum / count, expected.at("rouge_l"), kMetric);
  check.Number("metrics", "cider", cider_sum / count, expected.at("cider"), kMetric);
}

}  // namespace

absl::Status ReplayMetrics(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  context.Case(entry, "", [&](Checker& check) {
    CheckCaptionScores(*file, check);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
