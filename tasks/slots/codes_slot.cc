// {c:codes}: a list of local indices of the template's codes_block.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

class Codes : public SlotType {
 public:
  std::string name() const override { return "codes"; }
  ValueKind value_kind() const override { return ValueKind::kNumbers; }
  bool gives_codes() const override { return true; }
  std::string Block(const SlotPlace& place) const override { return place.task.codes_block(); }

  absl::Status Check(const SlotPlace& place) const override {
    UNIVAL_RETURN_IF_ERROR(SlotType::Check(place));
    if (!place.task.codes_block().empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("needs codes_block");
  }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView& vocabulary,
                               const TaskSample& sample, const RenderOptions&,
                               SeededRandom&) const override {
    UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, place.slot.text));
    const auto* codes = std::get_if<std::vector<double>>(value);
    if (codes == nullptr) return WrongKind(sample, place.slot.text, "a list of numbers", *value);
    Chunk chunk;
    for (const double code : *codes) {
      UNIVAL_ASSIGN_OR_RETURN(
          const int64_t id, AtColumn(CodeToken(code, place, vocabulary), sample, place.slot.text));
      chunk.tokens.push_back(id);
    }
    return chunk;
  }

  absl::Status Interpret(const SlotPlace& place, const VocabularyView&,
                         absl::Span<const BlockToken> tokens,
                         Prediction* prediction) const override {
    for (const BlockToken& token : tokens) {
      if (token.block == place.task.codes_block()) prediction->codes.push_back(token.index);
    }
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<int64_t> CodeToken(double code, const SlotPlace& place,
                                           const VocabularyView& vocabulary) {
    if (code != std::floor(code) || code < 0 || code > 1e9) {
      return absl::InvalidArgumentError(absl::StrCat(code, " is not a code"));
    }
    return vocabulary.GlobalId(place.task.codes_block(), static_cast<int64_t>(code));
  }
};

}  // namespace

std::shared_ptr<const SlotType> CodesSlot() { return std::make_shared<Codes>(); }

}  // namespace unival
