// A native plugin that adds a metric and an encoder network.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "sdk/native/plugin.h"
#include "sdk/native/status_macros.h"
#include "tests/plug_points/rows_network.h"

namespace {

int64_t Words(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return static_cast<int64_t>(words.size());
}

// The share of answers that have no more words than the first reference.
class Brevity : public unival::Metric {
 public:
  explicit Brevity(unival::ReferenceReader reader) : reader_(std::move(reader)) {}

  absl::Status Add(const unival::TaskSample& reference,
                   const unival::Prediction& prediction) override {
    UNIVAL_ASSIGN_OR_RETURN(const unival::References references, reader_(reference));
    ++count_;
    if (Words(prediction.text) <= Words(references.texts.at(0))) ++brief_;
    return absl::OkStatus();
  }
  void AddFailure(const unival::TaskSample&) override { ++count_; }
  std::map<std::string, double> Result() const override {
    return {{"brevity", count_ > 0 ? brief_ / count_ : 0}};
  }

 private:
  const unival::ReferenceReader reader_;
  double brief_ = 0, count_ = 0;
};

absl::Status Register(unival::Registrar& registrar) {
  UNIVAL_RETURN_IF_ERROR(registrar.AddNetwork(unival::RowsNetwork()));
  return registrar.AddMetric({"brevity", "share of answers no longer than the reference",
                              /*needs_box=*/false, [](unival::ReferenceReader reader) {
                                return std::unique_ptr<unival::Metric>(
                                    new Brevity(std::move(reader)));
                              }});
}

}  // namespace

UNIVAL_NATIVE_PLUGIN("extras", "1.0.0", Register)
