#include "tasks/slots/builtin_slots.h"

namespace unival {
namespace {

class MediaPlace : public SlotType {
 public:
  std::string name() const override { return "media"; }
  bool is_media() const override { return true; }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView&, const TaskSample&,
                               const RenderOptions&, SeededRandom&) const override {
    return Chunk{"", {}, place.slot.text};
  }
};

}  // namespace

std::shared_ptr<const SlotType> MediaSlot() {
  static const auto* const kSlot = new std::shared_ptr<const SlotType>(new MediaPlace);
  return *kSlot;
}

}  // namespace unival
