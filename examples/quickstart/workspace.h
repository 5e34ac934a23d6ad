// unival: workspace.h - the quickstart's inputs, found before anything runs, and its folders.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_WORKSPACE_H_
#define UNIVAL_EXAMPLES_QUICKSTART_WORKSPACE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/quickstart/quickstart.h"

namespace unival::quickstart {

struct Workspace {
  std::string plugin, recipe;
  std::string full_recipe, no_text_model;  // empty where absent
  std::string data, plans, runs;           // folders
  std::string series_plugin, say_recipe;   // empty without sentences

  std::string RunFolder(const std::string& name) const { return runs + "/" + name; }
  std::string SummaryFile(const std::string& name) const { return runs + "/" + name + ".json"; }
};

// NotFound names the model, plugin or recipe that is missing and the remedy; InvalidArgument for a
// single sentence, one given twice or an empty one. Touches nothing.
absl::StatusOr<Workspace> FindInputs(const QuickstartOptions& options);

// Creates the output folder; what an earlier quickstart left there is removed. FailedPrecondition
// when it holds anything else.
absl::Status PrepareOutput(const QuickstartOptions& options, const Workspace& workspace);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_WORKSPACE_H_
