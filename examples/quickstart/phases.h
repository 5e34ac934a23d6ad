// unival: phases.h - announces the steps of a longer job and takes their times.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_PHASES_H_
#define UNIVAL_EXAMPLES_QUICKSTART_PHASES_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/report/quickstart_report.h"

namespace unival::quickstart {

class Phases {
 public:
  explicit Phases(int count) : count_(count) {}

  // Prints "[2/9] name ..." on standard output, runs `work`, prints its time. On failure the status
  // names the phase.
  absl::Status Run(const std::string& name, const std::function<absl::Status()>& work);
  const std::vector<report::PhaseTime>& times() const { return times_; }

 private:
  const int count_;
  std::vector<report::PhaseTime> times_;
};

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_PHASES_H_
