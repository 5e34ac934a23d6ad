// unival: stop_requests.h
//
// Counts how often a program was asked to stop. The first request asks it to end in order, the
// second to end at once.
//
//   StopRequests requests;
//   void OnSignal(int) { requests.Add() == 1 ? AskToEnd() : EndAtOnce(); }
#ifndef UNIVAL_SDK_BASE_STOP_REQUESTS_H_
#define UNIVAL_SDK_BASE_STOP_REQUESTS_H_

#include <atomic>
#include <cstdint>
#include <ctime>

namespace unival {

// One request may reach a program as several signals: timeout(1) signals the program and then its
// process group, and a parent process passes on a signal that the terminal has already sent to its
// children. So a request within one second of the last counted one is taken as the same request.
// Async-signal-safe. Several signals may share one object, also on several threads.
class StopRequests {
 public:
  // Returns the number of requests so far, including this one. A repetition does not change the
  // number.
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

  // Time of a monotonic clock in milliseconds; above 0.
  static int64_t Milliseconds() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1 + static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
  }

  std::atomic<int64_t> last_{0};  // when the last request was counted; 0: none yet
  std::atomic<int> count_{0};
};

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_STOP_REQUESTS_H_
