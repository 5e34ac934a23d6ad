#include "examples/quickstart/quickstart.h"

#include <iterator>
#include <vector>

#include "examples/quickstart/phases.h"
#include "examples/quickstart/session.h"
#include "examples/quickstart/workspace.h"
#include "sdk/base/status_macros.h"

namespace unival::quickstart {
namespace {

using Step = absl::Status (Session::*)();

struct NamedStep {
  const char* name;
  Step step;
};

constexpr NamedStep kSteps[] = {
    {"load the depth plugin", &Session::LoadPlugin},
    {"generate scenes", &Session::GenerateData},
    {"check the task templates", &Session::CheckTemplates},
    {"answer image tasks before", &Session::AnswerBefore},
    {"train the connection, and everything beside it", &Session::TrainConnection},
    {"verify the receipt", &Session::CheckReceipt},
    {"answer image tasks after", &Session::AnswerAfter},
    {"describe new depth maps", &Session::ShowExamples},
};

constexpr NamedStep kControlStep = {"train the controls", &Session::TrainControls};

constexpr NamedStep kSayingSteps[] = {
    {"ask the base model to repeat your sentences", &Session::CheckSentences},
    {"teach a sensor to say them", &Session::TeachOwnSentences},
};

}  // namespace

absl::StatusOr<std::string> RunQuickstart(const QuickstartOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(Workspace workspace, FindInputs(options));
  UNIVAL_RETURN_IF_ERROR(PrepareOutput(options, workspace));
  Session session(options, std::move(workspace));
  UNIVAL_RETURN_IF_ERROR(session.LoadPlans());
  std::vector<NamedStep> steps(std::begin(kSteps), std::end(kSteps));
  if (options.controls) steps.push_back(kControlStep);
  if (!options.say.empty()) {
    steps.insert(steps.end(), std::begin(kSayingSteps), std::end(kSayingSteps));
  }
  Phases phases(static_cast<int>(steps.size()));
  for (const NamedStep& named : steps) {
    UNIVAL_RETURN_IF_ERROR(phases.Run(named.name, [&] { return (session.*named.step)(); }));
  }
  return session.WriteReport(phases);
}

}  // namespace unival::quickstart
