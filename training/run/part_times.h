// unival: part_times.h - where the seconds of training go.
//
//   { const PartTimer timer(&window.part_seconds[kWaiting]); batch = loader.Next(); }
//
// Seconds of the loader's threads are summed over them, and pass beside those of the compute
// thread. On a device that works on its own, a part's seconds are those in which the compute thread
// waited for it.
#ifndef UNIVAL_TRAINING_RUN_PART_TIMES_H_
#define UNIVAL_TRAINING_RUN_PART_TIMES_H_

#include <chrono>

namespace unival {

// On loader threads: records to examples; media to tensors.
inline constexpr char kReading[] = "reading", kDecoding[] = "decoding";
// On the compute thread: for a batch; forward through encoders; the rest of forward, and backward;
// clipping, update and average; measuring; writing checkpoints.
inline constexpr char kWaiting[] = "waiting", kEncoder[] = "encoder", kBackbone[] = "backbone",
                      kOptimizer[] = "optimizer", kValidation[] = "validation",
                      kCheckpoint[] = "checkpoint";

// Adds the seconds of its life to `seconds`, which must outlive it.
class PartTimer {
 public:
  using Clock = std::chrono::steady_clock;

  explicit PartTimer(double* seconds) : seconds_(seconds), start_(Clock::now()) {}
  ~PartTimer() { *seconds_ += Since(start_); }
  PartTimer(const PartTimer&) = delete;
  PartTimer& operator=(const PartTimer&) = delete;

  // Seconds.
  static double Since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  double* const seconds_;
  const Clock::time_point start_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_PART_TIMES_H_
