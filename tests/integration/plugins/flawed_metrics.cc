// A native plugin with metrics. Each has the error that its name says; one has none.
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"

namespace {

using Scores = std::map<std::string, double>;

// The number of answers that differ from the first reference, and the number of failures.
class Misses : public unival::Metric {
 public:
  Misses(unival::ReferenceReader reader, std::string flaw)
      : reader_(std::move(reader)), flaw_(std::move(flaw)) {}

  absl::Status Add(const unival::TaskSample& reference,
                   const unival::Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const unival::References references, reader_(reference));
    misses_ += prediction.text != references.texts.at(0);
    ++count_;
    return absl::OkStatus();
  }
  void AddFailure(const unival::TaskSample&) override {
    if (flaw_ != "blind_to_failures") ++misses_;
  }
  Scores Result() const override {
    if (flaw_ == "no_answers" && count_ == 0)
      return {{"misses", std::numeric_limits<double>::quiet_NaN()}};
    static double calls = 0;
    return {{"misses", misses_ + (flaw_ == "other_values" ? ++calls : 0)}};
  }

 private:
  const unival::ReferenceReader reader_;
  const std::string flaw_;
  double misses_ = 0;
  int count_ = 0;
};

absl::Status Register(unival::Registrar& registrar) {
  for (const char* flaw :
       {"none", "no_answers", "undeclared", "blind_to_failures", "other_values"}) {
    const std::string name = flaw;
    const std::string score = name == "undeclared" ? "mistakes" : "misses";
    UNIVAL_RETURN_IF_ERROR(registrar.AddMetric({name,
                                                "answers that are wrong",
                                                /*needs_box=*/false,
                                                [name](unival::ReferenceReader reader) {
                                                  return std::unique_ptr<unival::Metric>(
                                                      new Misses(std::move(reader), name));
                                                },
                                                {{score, unival::ScoreOrder::kLessIsBetter}}}));
  }
  return absl::OkStatus();
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("flawed_metrics", "1.0.0", Register)
