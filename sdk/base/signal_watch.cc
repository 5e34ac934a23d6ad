#include "sdk/base/signal_watch.h"

namespace unival {

SignalWatch::SignalWatch(const std::vector<int>& signals, Handler handler, IgnoredSignals ignored) {
  struct sigaction watched = {};
  watched.sa_sigaction = handler;
  watched.sa_flags = SA_SIGINFO | SA_RESTART;
  for (const int signal : signals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    if (ignored == IgnoredSignals::kStayIgnored && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &watched, nullptr);
    before_.emplace_back(signal, before);
  }
}

SignalWatch::~SignalWatch() {
  // Backward: of a signal that was listed twice, the first entry holds what was there before.
  for (auto entry = before_.rbegin(); entry != before_.rend(); ++entry) {
    sigaction(entry->first, &entry->second, nullptr);
  }
}

}  // namespace unival
