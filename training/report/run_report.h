// unival: run_report.h - a training run as text, and as one HTML file that needs nothing else.
//
//   std::cout << RunText(history);
//   page = RenderRun(history, samples);
#ifndef UNIVAL_TRAINING_REPORT_RUN_REPORT_H_
#define UNIVAL_TRAINING_REPORT_RUN_REPORT_H_

#include <map>
#include <string>
#include <vector>

#include "training/report/run_history.h"

namespace unival {

// Where the run stands, in a few lines, each ended.
std::string RunText(const RunHistory& history);

// Name of a validation's evaluation -> records with their answers over time.
using RunSamples = std::map<std::string, std::vector<RecordOverTime>>;

// The run as an HTML page: curves of loss, rate, speed and metrics, where the seconds went, batches
// that were left out, and the answers to the same records over time.
std::string RenderRun(const RunHistory& history, const RunSamples& samples);

}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_RUN_REPORT_H_
