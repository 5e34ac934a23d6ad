// Files "preprocess_grounding": boxes to bins, and how far boxes overlap.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "sdk/testing/golden.h"
#include "tasks/metrics/boxes.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kGroundingStage[] = "preprocess";

absl::Status CheckBox(const Json& golden, int64_t bins, Checker& check) {
  const ImageSize size{golden.at("image_wh").at(0), golden.at("image_wh").at(1)};
  const auto box = golden.at("box").get<std::vector<double>>();
  UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox fractions, BoxFractions(box, size));
  const std::array<int64_t, 4> quantized = QuantizeBox(fractions, bins);
  const std::string name = absl::StrCat("box ", golden.at("box").dump());
  check.EqualJson(kGroundingStage, name + ", bins", quantized, golden.at("bins"));
  const Json& back = OrNull(golden, "dequantized");
  if (back.is_null()) return absl::OkStatus();
  const NormalizedBox restored = DequantizeBox(quantized, bins);
  for (int i = 0; i < 4; ++i) {
    check.Number(kGroundingStage, absl::StrCat(name, ", back to pixels ", i),
                 restored[i] * (i % 2 == 0 ? size.width : size.height), back.at(i), {1e-4, 0});
  }
  return absl::OkStatus();
}

NormalizedBox BoxOf(const Json& json) {
  NormalizedBox box;
  json.get_to(box);
  return box;
}

bool AreApart(const NormalizedBox& a, const NormalizedBox& b) {
  return std::min(a[2], b[2]) <= std::max(a[0], b[0]) ||
         std::min(a[3], b[3]) <= std::max(a[1], b[1]);
}

// Boxes that do not meet have a number without meaning in the reference; they never count as hits.
void CheckOverlaps(const Json& score, Checker& check) {
  for (size_t i = 0; i < score.at("hyps").size(); ++i) {
    const NormalizedBox hypothesis = BoxOf(score.at("hyps").at(i));
    const double same = IntersectionOverUnion(hypothesis, BoxOf(score.at("refs").at(i)));
    const double other = IntersectionOverUnion(hypothesis, BoxOf(score.at("refs_rolled").at(i)));
    const std::string pair = absl::StrCat("pair ", i, ", ");
    check.Number("metrics", pair + "acc_0_5", same >= 0.5, score.at("acc_0_5").at(i), {0, 0});
    check.Number("metrics", pair + "acc_0_5_rolled", other >= 0.5, score.at("acc_0_5_rolled").at(i),
                 {0, 0});
    check.Number("metrics", pair + "acc_0_3_rolled", other >= 0.3, score.at("acc_0_3_rolled").at(i),
                 {0, 0});
    const bool apart = AreApart(hypothesis, BoxOf(score.at("refs_rolled").at(i)));
    const double expected = apart ? 0 : score.at("iou_rolled").at(i).get<double>();
    check.Number("metrics", pair + "iou_rolled", other, expected, {1e-5, 0});
  }
}

}  // namespace

absl::Status ReplayGrounding(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  constexpr int64_t kPublishedBins = 1000;
  for (const char* list : {"per_image", "boxes"}) {
    context.Case(entry, list, [&](Checker& check) -> absl::Status {
      for (const Json& golden : file->at(list)) {
        UNIVAL_RETURN_IF_ERROR(CheckBox(golden, golden.value("num_bins", kPublishedBins), check));
      }
      return absl::OkStatus();
    });
  }
  context.Case(entry, "score", [&](Checker& check) {
    CheckOverlaps(file->at("score"), check);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
