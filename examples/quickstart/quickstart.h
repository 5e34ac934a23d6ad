// unival: quickstart.h
//
// A new modality joins a frozen model, start to end: data, plugin, templates, training of the
// connection, evaluation, receipt, controls, and a report.
//
//   QuickstartOptions options;
//   options.plugin = "bazel-bin/plugins/depth/libdepth.so";
//   UNIVAL_ASSIGN_OR_RETURN(std::string report, RunQuickstart(options));
//   // report: "quickstart_out/report.html"
#ifndef UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_H_
#define UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace unival::quickstart {

struct QuickstartOptions {
  std::string output = "quickstart_out";  // new, empty, or of an earlier quickstart (then replaced)
  std::string model = "models/nano";
  std::string recipes = "recipes";
  std::string program;  // `unival`, which trains and answers in processes of its own
  std::string plugin;   // empty: beside the program, as built
  std::string device = "cpu";
  uint64_t seed = 1;
  int threads = 0;    // training runs side by side; 0: as many as cores
  bool fast = false;  // a quarter of the work and the connection alone, for a look
  // Also trains the same plan with one thing changed each: a random backbone, an untrained encoder,
  // a backbone without text (of `fast` the first alone). They take twice the time of all else.
  bool controls = false;
  // Sentences that a second sensor, which does not exist, is taught to say at the end; empty: none.
  std::vector<std::string> say;
  std::string base = "models/base";  // the model that says them
  std::string series_plugin;         // reads that sensor's signals; empty: beside the program
};

// Progress goes to standard output, one line per phase with its time. Errors name what is missing
// and the remedy.
absl::StatusOr<std::string> RunQuickstart(const QuickstartOptions& options);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_QUICKSTART_H_
