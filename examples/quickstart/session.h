// unival: session.h - one run of the quickstart: its phases, each a method, filling the report.
#ifndef UNIVAL_EXAMPLES_QUICKSTART_SESSION_H_
#define UNIVAL_EXAMPLES_QUICKSTART_SESSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/quickstart/child.h"
#include "examples/quickstart/phases.h"
#include "examples/quickstart/plan_variants.h"
#include "examples/quickstart/quickstart.h"
#include "examples/quickstart/unchanged.h"
#include "examples/quickstart/workspace.h"
#include "examples/report/quickstart_report.h"
#include "runtime/pipeline.h"

namespace unival::quickstart {

class Session {
 public:
  Session(const QuickstartOptions& options, Workspace workspace);

  absl::Status LoadPlugin();
  absl::Status GenerateData();
  absl::Status CheckTemplates();
  absl::Status AnswerBefore();
  // Trains the connection and, side by side with it, the full model, so that their times and memory
  // can be compared.
  absl::Status TrainConnection();
  absl::Status TrainControls();
  absl::Status CheckReceipt();
  absl::Status AnswerAfter();
  absl::Status ShowExamples();
  // With sentences of the reader's: whether the base model can say them, and a sensor that does.
  absl::Status CheckSentences();
  absl::Status TeachOwnSentences();
  // Returns the report's path.
  absl::StatusOr<std::string> WriteReport(const Phases& phases);

  const report::QuickstartReport& report() const { return report_; }
  absl::Status LoadPlans();

 private:
  // On a CPU, runs go side by side with one compute thread each: the matrices of a small model are
  // too small for two.
  absl::Status Train(const std::vector<PlanVariant>& variants);
  // Writes the plan; the command to run it.
  absl::StatusOr<ChildRun> PrepareRun(const PlanVariant& variant);
  // Reads what the run left into the report.
  absl::Status ReportRun(const PlanVariant& variant);
  // Base model, or the one that was trained; the runtime is shared.
  absl::Status OpenPipeline(const std::string& model);
  std::vector<std::string> TemplateFiles() const;

  const QuickstartOptions options_;
  const Workspace workspace_;
  const PlanOptions plan_options_;
  PlanVariant connection_;
  std::vector<PlanVariant> controls_;
  std::unique_ptr<Runtime> runtime_;
  std::vector<SharedTemplateSet> templates_;  // read once, for every model that is asked
  std::unique_ptr<Model> model_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<KnownTaskAnswers> before_;
  report::QuickstartReport report_;
};

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_SESSION_H_
