// {c:box}: [x0, y0, x1, y1] in pixels of columns `width` x `height`, or fractions where these are
// absent; four tokens of core.location_bin.
#include <array>

#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

constexpr char kLocationBins[] = "core.location_bin";
constexpr int64_t kCorners = 4;

bool IsNumber(const TaskSample& sample, const std::string& column) {
  const auto found = sample.fields.find(column);
  return found == sample.fields.end() || IsOfKind(found->second, ValueKind::kNumber);
}

// The kind of fault of a box that was refused.
std::string KindOfRefusedBox(const std::vector<double>& box) {
  if (box.size() != kCorners) return kBadValue;
  return box[2] < box[0] || box[3] < box[1] ? kBoxOrder : kBoxOutside;
}

class Box : public SlotType {
 public:
  std::string name() const override { return "box"; }
  ValueKind value_kind() const override { return ValueKind::kNumbers; }
  std::map<std::string, ValueKind> companion_columns() const override {
    return {{kWidthColumn, ValueKind::kNumber}, {kHeightColumn, ValueKind::kNumber}};
  }
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

  // A box without an area is no error, and yet hardly what was meant.
  absl::optional<ValueFault> FaultOf(const SlotPlace& place, const TaskSample& sample,
                                     const absl::Status& rendered) const override {
    const auto* box = std::get_if<std::vector<double>>(&sample.fields.at(place.slot.text));
    if (box == nullptr) return SlotType::FaultOf(place, sample, rendered);
    if (rendered.ok()) {
      const bool has_area = (*box)[2] > (*box)[0] && (*box)[3] > (*box)[1];
      if (has_area) return absl::nullopt;
      return ValueFault{kBoxEmpty, "the box has no area"};
    }
    std::string kind = KindOfRefusedBox(*box);
    if (!IsNumber(sample, kWidthColumn) || !IsNumber(sample, kHeightColumn)) kind = kWrongType;
    if (sample.fields.count(kWidthColumn) != sample.fields.count(kHeightColumn)) {
      kind = kMissingColumn;
    }
    return ValueFault{std::move(kind), std::string(rendered.message())};
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
