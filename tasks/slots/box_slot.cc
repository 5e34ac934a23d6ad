#include <array>

#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

constexpr char kLocationBins[] = "core.location_bin";
constexpr int64_t kCorners = 4;

class Box : public SlotType {
 public:
  std::string name() const override { return "box"; }
  bool gives_box() const override { return true; }
  int64_t token_count() const override { return kCorners; }
  std::string Block(const SlotPlace&) const override { return kLocationBins; }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView& vocabulary,
                               const TaskSample& sample, const RenderOptions&,
                               SeededRandom&) const override {
    UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox box, BoxOfColumn(sample, place.slot.text));
    UNIVAL_ASSIGN_OR_RETURN(const int64_t bins, vocabulary.BlockSize(kLocationBins));
    Chunk chunk;
    for (const int64_t bin : QuantizeBox(box, bins)) {
      UNIVAL_ASSIGN_OR_RETURN(const int64_t id, vocabulary.GlobalId(kLocationBins, bin));
      chunk.tokens.push_back(id);
    }
    return chunk;
  }

  // The first four location bins in a row.
  absl::Status Interpret(const SlotPlace&, const VocabularyView& vocabulary,
                         absl::Span<const BlockToken> tokens,
                         Prediction* prediction) const override {
    UNIVAL_ASSIGN_OR_RETURN(const int64_t count, vocabulary.BlockSize(kLocationBins));
    std::array<int64_t, kCorners> bins;
    size_t run = 0;
    for (const BlockToken& token : tokens) {
      run = token.block == kLocationBins ? run + 1 : 0;
      if (run > 0) bins[run - 1] = token.index;
      if (run < bins.size()) continue;
      prediction->box = DequantizeBox(bins, count);
      break;
    }
    return absl::OkStatus();
  }

  absl::Status AddReference(const SlotPlace& place, const TaskSample& sample,
                            References* references) const override {
    if (references->box.has_value()) return absl::OkStatus();  // of several, the first
    UNIVAL_ASSIGN_OR_RETURN(references->box, BoxOfColumn(sample, place.slot.text));
    return absl::OkStatus();
  }
};

}  // namespace

std::shared_ptr<const SlotType> BoxSlot() { return std::make_shared<Box>(); }

}  // namespace unival
