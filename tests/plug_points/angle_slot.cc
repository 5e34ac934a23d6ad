#include "tests/plug_points/angle_slot.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

constexpr double kFullTurn = 360;

class Angle : public SlotType {
 public:
  std::string name() const override { return "angle"; }
  ValueKind value_kind() const override { return ValueKind::kNumber; }
  std::map<std::string, ValueKind> companion_columns() const override {
    return {{"declination", ValueKind::kNumber}};
  }
  int64_t token_count() const override { return 1; }
  std::string Block(const SlotPlace& place) const override { return place.slot.options; }

  absl::Status Check(const SlotPlace& place) const override {
    if (!place.slot.options.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("needs the block that angles are written in");
  }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView& vocabulary,
                               const TaskSample& sample, const RenderOptions&,
                               SeededRandom&) const override {
    UNIVAL_ASSIGN_OR_RETURN(const double degrees, Degrees(place, sample));
    UNIVAL_ASSIGN_OR_RETURN(const int64_t steps, vocabulary.BlockSize(Block(place)));
    const auto step = static_cast<int64_t>(std::nearbyint(degrees / kFullTurn * steps)) % steps;
    UNIVAL_ASSIGN_OR_RETURN(const int64_t token, vocabulary.GlobalId(Block(place), step));
    return Chunk{"", {token}};
  }

  // Text: whole degrees.
  absl::Status Interpret(const SlotPlace& place, const VocabularyView& vocabulary,
                         absl::Span<const BlockToken> tokens,
                         Prediction* prediction) const override {
    UNIVAL_ASSIGN_OR_RETURN(const int64_t steps, vocabulary.BlockSize(Block(place)));
    for (const BlockToken& token : tokens) {
      if (token.block != Block(place)) continue;
      prediction->text = absl::StrCat(
          std::llround(static_cast<double>(token.index) / static_cast<double>(steps) * kFullTurn));
      break;
    }
    return absl::OkStatus();
  }

  absl::Status AddReference(const SlotPlace& place, const TaskSample& sample,
                            References* references) const override {
    UNIVAL_ASSIGN_OR_RETURN(const double degrees, Degrees(place, sample));
    references->texts = {absl::StrCat(std::llround(degrees))};
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<double> Degrees(const SlotPlace& place, const TaskSample& sample) {
    UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, place.slot.text));
    const auto* degrees = std::get_if<double>(value);
    if (degrees == nullptr) return WrongKind(sample, place.slot.text, "degrees", *value);
    if (!(*degrees >= 0 && *degrees < kFullTurn)) {
      return AtColumn(InvalidArgument("expected 0 to 360 degrees, got ", *degrees), sample,
                      place.slot.text);
    }
    const auto declination = sample.fields.find("declination");
    if (declination == sample.fields.end()) return *degrees;
    const auto* turned = std::get_if<double>(&declination->second);
    if (turned == nullptr) return WrongKind(sample, "declination", "degrees", declination->second);
    return std::fmod(*degrees + *turned + kFullTurn, kFullTurn);
  }
};

}  // namespace

std::shared_ptr<const SlotType> AngleSlot() { return std::make_shared<Angle>(); }

}  // namespace unival
