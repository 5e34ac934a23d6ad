#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/base/random.h"
#include "sdk/base/status_kind.h"
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/slots/fields.h"
#include "tasks/slots/pattern.h"
#include "tasks/slots/slot_types.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class Named : public SlotType {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  absl::StatusOr<Chunk> Render(const SlotPlace&, const VocabularyView&, const TaskSample&,
                               const RenderOptions&, SeededRandom&) const override {
    return Chunk();
  }

 private:
  const std::string name_;
};

TEST(Fields, TextsOfNumbersAreShortAndTellThemApart) {
  for (const auto& [number, text] : {std::pair(3.0, "3"),
                                     {2.5, "2.5"},
                                     {-0.1, "-0.1"},
                                     {1234567.0, "1234567"},
                                     {1234.5678, "1234.5678"},
                                     {0.12345678, "0.12345678"},
                                     {1e20, "1e+20"},
                                     {1.0 / 3, "0.3333333333333333"}}) {
    EXPECT_EQ(NumberText(number), text);
  }
}

TEST(SlotTypes, ThatShipAreAllThereAndTextIsTheFirst) {
  std::vector<std::string> names;
  for (const auto& type : BuiltinSlotTypes().all()) names.push_back(type->name());
  EXPECT_THAT(names, ElementsAre("text", "number", "label", "box", "codes"));
}

TEST(SlotTypes, RefuseANameThatIsTakenOrNoName) {
  SlotTypes types = BuiltinSlotTypes();
  EXPECT_EQ(types.Add(std::make_shared<Named>("box")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(types.Add(std::make_shared<Named>("My Slot")).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(types.Add(std::make_shared<Named>("angle")).ok());
  EXPECT_EQ(BuiltinSlotTypes().Find("angle"), nullptr) << "copies are their own";
}

TEST(Pattern, HandsOptionsToTheSlot) {
  SlotTypes types = BuiltinSlotTypes();
  ASSERT_TRUE(types.Add(std::make_shared<Named>("angle")).ok());
  const auto pattern = ParsePattern(" {a:angle:steps=8:x}", types);
  ASSERT_TRUE(pattern.ok()) << pattern.status();
  const PatternPiece* only = OnlySlot(*pattern);
  ASSERT_NE(only, nullptr);
  EXPECT_EQ(only->text, "a");
  EXPECT_EQ(only->options, "steps=8:x");
  EXPECT_EQ(only->type->name(), "angle");
}

TEST(Pattern, NamesTheTypesThatThereAre) {
  EXPECT_THAT(Message(ParsePattern("{a:angle}").status()),
              HasSubstr("unknown slot type \"angle\"; expected text, number, label, box or codes"));
}

constexpr StatusKind kBroken("unival/broken");

class BrokenVocabulary : public ByteVocabulary {
 public:
  BrokenVocabulary() : ByteVocabulary(ByteVocabulary::Published()) {}
  absl::StatusOr<int64_t> GlobalId(absl::string_view, int64_t) const override {
    return kBroken.Mark(absl::DataLossError("it broke"));
  }
};

TEST(SlotTypes, SayWhereAnErrorCameFromAndKeepItsKind) {
  TaskTemplate task;
  task.set_codes_block("core.image_code");
  TaskSample sample;
  sample.key = "r:1";
  sample.fields["c"] = std::vector<double>{3};
  SeededRandom random(1);
  const auto codes = BuiltinSlotTypes().Find("codes");
  const absl::Status status =
      codes->Render({task, {codes, "c", ""}}, BrokenVocabulary(), sample, {}, random).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Message(status), "record \"r:1\": column \"c\": it broke");
  EXPECT_TRUE(kBroken.IsOf(status));
}

TEST(SlotTypes, ThatShipTakeNoOptions) {
  TaskTemplate task;
  task.set_codes_block("core.image_code");
  task.mutable_labels()->set_slot("c");
  task.mutable_labels()->add_values("a");
  for (const auto& type : BuiltinSlotTypes().all()) {
    EXPECT_TRUE(type->Check({task, {type, "c", ""}}).ok()) << type->name();
    EXPECT_THAT(Message(type->Check({task, {type, "c", "x"}})), HasSubstr("no options, got \"x\""));
  }
}

}  // namespace
}  // namespace unival
