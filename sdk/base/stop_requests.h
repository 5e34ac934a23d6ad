// unival: stop_requests.h
//
// Counts how often a program is asked to stop, where a second time means "at once".
//
//   StopRequests requests;
//   void OnSignal(int) { requests.Add() == 1 ? AskToEnd() : EndAtOnce(); }
#ifndef UNIVAL_SDK_BASE_STOP_REQUESTS_H_
#define UNIVAL_SDK_BASE_STOP_REQUESTS_H_

#include <atomic>
#include <cstdint>
#include <ctime>

namespace unival {

// One request may reach a program several times: timeout(1) sends its signal to the program and
// again to the process group, and a program that started others passes on to them what the terminal
// has sent them already. So a request that comes within a second of the last one that was counted
// is taken for a repetition of it. Async-signal-safe; several signals may share one object, also on
// several threads.
class StopRequests {
 public:
  // Returns the number of requests so far, this one included. A repetition does not change it.
  int Add() {
    const int64_t now = Milliseconds();
    int64_t last = last_.load();
    if ((last == 0 || now - last >= kOneRequestMs) && last_.compare_exchange_strong(last, now)) {
      ++count_;
    }
    return count_.load();
  }
  int count() const { return count_.load(); }
  void Reset() { last_ = count_ = 0; }

 private:
  static constexpr int64_t kOneRequestMs = 1000;

  // Time of a clock that cannot be set back; above 0.
  static int64_t Milliseconds() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1 + static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
  }

  std::atomic<int64_t> last_{0};  // when the last one was counted; 0: none yet
  std::atomic<int> count_{0};
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_STOP_REQUESTS_H_
