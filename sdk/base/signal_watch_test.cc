#include "sdk/base/signal_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace unival {
namespace {

std::atomic<int> seen{0}, seen_by_the_other{0};

void See(int signal, siginfo_t*, void*) { seen = signal; }

void SeeToo(int signal) { seen_by_the_other = signal; }

TEST(SignalWatch, TakesSignalsWhileItLivesAndPutsBackWhatWasThere) {
  const auto before = std::signal(SIGTERM, SeeToo);
  seen = 0;
  seen_by_the_other = 0;
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

TEST(SignalWatch, PutsBackWhatWasThereOfASignalThatIsListedTwice) {
  const auto before = std::signal(SIGTERM, SeeToo);
  { const SignalWatch watch({SIGTERM, SIGTERM}, See, IgnoredSignals::kAreWatched); }
  EXPECT_EQ(std::signal(SIGTERM, before), SeeToo);
}

int pipe_ends[2];

// The read that waits gets its byte from here, after the signal has interrupted it.
void SeeAndWrite(int signal, siginfo_t*, void*) {
  seen = signal;
  if (write(pipe_ends[1], "x", 1) != 1) seen = -1;
}

// The alarm comes while the read waits: nothing else writes to the pipe.
TEST(SignalWatch, AReadThatASignalInterruptsGoesOn) {
  seen = 0;
  ASSERT_EQ(pipe(pipe_ends), 0);
  char byte = 0;
  {
    const SignalWatch watch({SIGALRM}, SeeAndWrite, IgnoredSignals::kAreWatched);
    ualarm(100000, 0);
    EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1) << std::strerror(errno);
  }
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(seen, SIGALRM);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace unival
