// unival: event_file.h
//
// A run's numbers as an event file, which TensorBoard reads: records of TFRecord (length and its
// masked CRC-32C, bytes and theirs), each the protobuf message tensorflow.Event.
//
//   UNIVAL_RETURN_IF_ERROR(WriteEventFile(history, "tensorboard/depth"));
#ifndef UNIVAL_TRAINING_REPORT_EVENT_FILE_H_
#define UNIVAL_TRAINING_REPORT_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "training/report/run_history.h"

namespace unival {

// One record of an event file: scalars by tag, at a step. `wall_time`: seconds since 1970.
std::string EventRecord(double wall_time, int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars);

// The file as a whole; the same history gives the same bytes. Times are those since the run began.
std::string EventFileText(const RunHistory& history);

// Replaces `folder`/events.out.tfevents.unival in one step.
absl::Status WriteEventFile(const RunHistory& history, const std::string& folder);

}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_EVENT_FILE_H_
