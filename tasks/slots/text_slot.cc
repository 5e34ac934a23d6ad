// {c} {c:text}: a text, a number or a list of texts: training draws one of a list, prediction takes
// the first.
#include "sdk/base/status_macros.h"
#include "tasks/slots/builtin_slots.h"
#include "tasks/slots/column_text.h"

namespace unival {
namespace {

class Text : public SlotType {
 public:
  std::string name() const override { return "text"; }
  bool maskable() const override { return true; }
  bool divisible() const override { return true; }

  absl::StatusOr<Chunk> Render(const SlotPlace& place, const VocabularyView&,
                               const TaskSample& sample, const RenderOptions& options,
                               SeededRandom& random) const override {
    UNIVAL_ASSIGN_OR_RETURN(std::string text, ColumnText(place, sample, options, random));
    return Chunk{std::move(text), {}, ""};
  }
};

}  // namespace

std::shared_ptr<const SlotType> TextSlot() { return std::make_shared<Text>(); }

}  // namespace unival
