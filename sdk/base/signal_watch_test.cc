#include "sdk/base/signal_watch.h"

#include <gtest/gtest.h>

#include <atomic>

namespace unival {
namespace {

std::atomic<int> seen{0}, seen_by_the_other{0};

void See(int signal, siginfo_t*, void*) { seen = signal; }

void SeeToo(int signal) { seen_by_the_other = signal; }

TEST(SignalWatch, TakesSignalsWhileItLivesAndPutsBackWhatWasThere) {
  const auto before = std::signal(SIGTERM, SeeToo);
  {
    const SignalWatch watch({SIGINT, SIGTERM}, See, IgnoredSignals::kAreWatched);
    std::raise(SIGTERM);
    EXPECT_EQ(seen, SIGTERM);
    std::raise(SIGINT);
    EXPECT_EQ(seen, SIGINT);
    EXPECT_EQ(seen_by_the_other, 0);
  }
  std::raise(SIGTERM);
  EXPECT_EQ(seen, SIGINT);
  EXPECT_EQ(seen_by_the_other, SIGTERM);
  std::signal(SIGTERM, before);
}

TEST(SignalWatch, LeavesIgnoredSignalsAloneWhereItIsToldTo) {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  seen = 0;
  {
    const SignalWatch watch({SIGHUP}, See, IgnoredSignals::kStayIgnored);
    std::raise(SIGHUP);
  }
  EXPECT_EQ(seen, 0);
  {
    const SignalWatch watch({SIGHUP}, See, IgnoredSignals::kAreWatched);
    std::raise(SIGHUP);
  }
  EXPECT_EQ(seen, SIGHUP);
  EXPECT_EQ(std::signal(SIGHUP, before), SIG_IGN);
}

}  // namespace
}  // namespace unival
