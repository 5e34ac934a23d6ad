#include "sdk/base/status.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/cord.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

TEST(StatusTest, AnAnnotatedErrorKeepsItsCodeAndItsPayloads) {
  absl::Status damaged = absl::DataLossError("cut short");
  damaged.SetPayload("unival/bad_media", absl::Cord("image"));
  const absl::Status status = Annotate(damaged, "cat.jpg", ":", 12);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "cat.jpg:12: cut short");
  EXPECT_EQ(status.GetPayload("unival/bad_media"), absl::Cord("image"));
}

TEST(StatusTest, ASuccessIsNotAnnotated) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "cat.jpg").ok());
  EXPECT_EQ(*Annotate(absl::StatusOr<int>(3), "cat.jpg"), 3);
}

TEST(StatusTest, AResultMayBeMovedOnly) {
  absl::StatusOr<std::unique_ptr<int>> made =
      Annotate(absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(3)), "three");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(**made, 3);
}

TEST(StatusTest, AnAnnotatedResultPassesThroughTheMacros) {
  const auto length = [](absl::StatusOr<std::string> text) -> absl::StatusOr<size_t> {
    UNIVAL_ASSIGN_OR_RETURN(const std::string value, Annotate(std::move(text), "text"));
    return value.size();
  };
  EXPECT_EQ(*length(std::string("four")), 4u);
  EXPECT_EQ(length(absl::NotFoundError("none")).status(), absl::NotFoundError("text: none"));
}

TEST(StatusTest, AFieldErrorNamesFieldExpectedActualAndRemedy) {
  EXPECT_EQ(FieldError("plan.textproto: steps", "1 or more", 0, "correct the value"),
            absl::InvalidArgumentError(
                "plan.textproto: steps: expected 1 or more, got 0; correct the value"));
  EXPECT_EQ(FieldError("beam", "1 to 64", "\"x\""),
            absl::InvalidArgumentError("beam: expected 1 to 64, got \"x\""));
}

}  // namespace
}  // namespace unival
