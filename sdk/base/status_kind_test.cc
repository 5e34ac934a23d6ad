#include "sdk/base/status_kind.h"

#include <gtest/gtest.h>

namespace unival {
namespace {

constexpr StatusKind kWet("unival/wet"), kCold("unival/cold");

TEST(StatusKind, IsKeptBesideCodeAndMessage) {
  const absl::Status plain = absl::InvalidArgumentError("rain");
  const absl::Status wet = kWet.Mark(plain);
  EXPECT_TRUE(kWet.IsOf(wet));
  EXPECT_FALSE(kCold.IsOf(wet));
  EXPECT_FALSE(kWet.IsOf(plain)) << "the original was changed";
  EXPECT_EQ(wet.code(), plain.code());
  EXPECT_EQ(wet.message(), plain.message());
}

TEST(StatusKind, AStatusMayBeOfSeveral) {
  const absl::Status snow = kCold.Mark(kWet.Mark(absl::UnknownError("snow")));
  EXPECT_TRUE(kWet.IsOf(snow));
  EXPECT_TRUE(kCold.IsOf(snow));
}

TEST(StatusKind, OkIsOfNoKind) { EXPECT_FALSE(kWet.IsOf(kWet.Mark(absl::OkStatus()))); }

}  // namespace
}  // namespace unival
