// unival: signal_watch.h
//
// While it lives, signals that would end this program are handed to a function instead.
//
//   std::atomic<bool> stop{false};
//   void OnSignal(int, siginfo_t*, void*) { stop = true; }
//   const SignalWatch watch({SIGINT, SIGTERM}, OnSignal, IgnoredSignals::kAreWatched);
#ifndef UNIVAL_SDK_BASE_SIGNAL_WATCH_H_
#define UNIVAL_SDK_BASE_SIGNAL_WATCH_H_

#include <csignal>
#include <utility>
#include <vector>

namespace unival {

// What becomes of signals that this program was started to ignore, as SIGHUP under nohup and SIGINT
// of what a script has put in the background.
enum class IgnoredSignals { kAreWatched, kStayIgnored };

// System calls that a signal interrupts are taken up again. The destructor puts back what was there
// before. Watches of one signal must end in the reverse order of their beginning.
class SignalWatch {
 public:
  // Must be async-signal-safe.
  using Handler = void (*)(int signal, siginfo_t* info, void* context);

  SignalWatch(const std::vector<int>& signals, Handler handler, IgnoredSignals ignored);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_SIGNAL_WATCH_H_
