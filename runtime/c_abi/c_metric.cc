// Metrics of tasks of tier 2.

#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/c_task_parts.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/host_table.h"

namespace unival {
namespace {

UnivalAnswer ToAnswer(const Prediction& prediction) {
  UnivalAnswer answer = {};
  answer.struct_size = sizeof(answer);
  answer.text = ToStr(prediction.text);
  answer.codes = prediction.codes.data();
  answer.code_count = prediction.codes.size();
  answer.has_box = prediction.box.has_value() ? 1 : 0;
  if (prediction.box.has_value())
    std::copy(prediction.box->begin(), prediction.box->end(), answer.box);
  answer.score = prediction.score;
  return answer;
}

UnivalCode SetResult(void* ctx, UnivalStr name, double value) {
  if (const absl::Status status = CheckMetricValue("metric_result", name, value); !status.ok())
    return Refuse(status);
  (*static_cast<std::map<std::string, double>*>(ctx))[std::string(FromStr(name))] = value;
  return UNIVAL_OK;
}

class CMetric : public Metric {
 public:
  CMetric(const UnivalTask& table, const UnivalSelf* self) : table_(table) {
    UnivalMetric* metric = nullptr;
    status_ = StatusOf(table_.metric_create(self, &metric), "metric_create");
    if (status_.ok()) metric_ = metric;
    if (status_.ok() && metric_ == nullptr)
      status_ = absl::InternalError("metric_create gave no object and no error");
  }
  ~CMetric() override {
    if (metric_ != nullptr) table_.metric_destroy(metric_);
  }

  absl::Status Add(const TaskSample& reference, const Prediction& prediction) override {
    const UnivalAnswer answer = ToAnswer(prediction);
    return AddAnswer(reference, &answer);
  }
  // AddFailure returns no status, so an error is kept: the next Add returns it, and Result gives
  // nothing.
  void AddFailure(const TaskSample& reference) override {
    if (absl::Status status = AddAnswer(reference, nullptr); !status.ok()) status_ = status;
  }
  std::map<std::string, double> Result() const override {
    std::map<std::string, double> result;
    const UnivalMetricSink sink = {sizeof(UnivalMetricSink), &result, &SetResult};
    if (!status_.ok() || !StatusOf(table_.metric_result(metric_, &sink), "metric_result").ok())
      return {};
    return result;
  }

 private:
  absl::Status AddAnswer(const TaskSample& reference, const UnivalAnswer* answer) {
    if (!status_.ok()) return status_;
    const ExportedRecord record(reference);
    return StatusOf(table_.metric_add(metric_, record.get(), answer),
                    absl::StrCat(reference.key, ": metric"));
  }

  const UnivalTask table_;
  UnivalMetric* metric_ = nullptr;
  absl::Status status_;
};

}  // namespace

std::unique_ptr<Metric> NewCMetric(const UnivalTask& table, const UnivalSelf* self) {
  return std::make_unique<CMetric>(table, self);
}

}  // namespace unival
