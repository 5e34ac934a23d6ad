#include "tests/adversarial/attack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

namespace unival {
namespace {

constexpr double kMostSeconds = 20;  // long enough for a busy machine

std::atomic<int>& Counter() {
  static std::atomic<int> counter{0};
  return counter;
}

bool Contains(const absl::Status& status, absl::string_view word) {
  return status.message().find(word) != absl::string_view::npos;
}

}  // namespace

int Attack::Count() { return Counter(); }

void Attack::Answered() const {
  ++Counter();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
  EXPECT_LT(took.count(), kMostSeconds) << name_;
}

void Attack::Refused(const absl::Status& status) const {
  Answered();
  EXPECT_FALSE(status.ok()) << name_ << ": was taken";
  EXPECT_GT(status.message().size(), 8u) << name_ << ": " << status;
  for (const char* word : {"internal error", "filesystem error", "std::", "terminate"}) {
    EXPECT_FALSE(Contains(status, word)) << name_ << ": " << status;
  }
}

void Attack::Harmless(const absl::Status& status) const {
  Answered();
  EXPECT_TRUE(status.ok()) << name_ << ": " << status;
}

}  // namespace unival
