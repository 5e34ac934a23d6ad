// unival: own_sensor.h - a sensor that does not exist is taught to say the reader's sentences.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_OWN_SENSOR_H_
#define UNIVAL_EXAMPLES_QUICKSTART_OWN_SENSOR_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/quickstart/quickstart.h"
#include "examples/quickstart/workspace.h"
#include "examples/report/quickstart_report.h"
#include "runtime/runtime.h"

namespace unival::quickstart {

// Prints which of the sentences the base model cannot even repeat, and what to do about it.
absl::Status WarnOfSentences(const QuickstartOptions& options, const Runtime& runtime);

// Writes signals for each sentence, trains the connection of recipes/own_words.textproto on them in
// a process of its own, and returns what it says to a new signal of each.
absl::StatusOr<std::vector<report::SaidSentence>> TeachSentences(const QuickstartOptions& options,
                                                                 const Workspace& workspace);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_OWN_SENSOR_H_
