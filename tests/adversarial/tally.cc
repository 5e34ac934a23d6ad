// Prints the number of attacks, and fails when there are fewer than promised.

#include <gtest/gtest.h>

#include <iostream>

#include "tests/adversarial/attack.h"

namespace unival {
namespace {

constexpr int kPromised = 200;

class Tally : public ::testing::Environment {
  void TearDown() override {
    std::cout << Attack::Count() << " attacks on the libraries\n";
    const bool whole = ::testing::UnitTest::GetInstance()->test_to_run_count() ==
                       ::testing::UnitTest::GetInstance()->total_test_count();
    if (whole) {
      EXPECT_GE(Attack::Count(), kPromised);
    }
  }
};
const auto* const kTally = ::testing::AddGlobalTestEnvironment(new Tally);

}  // namespace
}  // namespace unival
