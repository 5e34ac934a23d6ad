// unival: c_task_parts.h - what tasks of tier 2 are made of: the vocabulary and the records that
// the plugin reads, the examples that it fills, and its metric.
#ifndef UNIVAL_RUNTIME_C_ABI_C_TASK_PARTS_H_
#define UNIVAL_RUNTIME_C_ABI_C_TASK_PARTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sdk/abi/unival_plugin.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// `view` outlives the table.
UnivalVocabulary VocabularyTable(const VocabularyView& view);

// A record as the plugin reads it. `sample` outlives it.
class ExportedRecord {
 public:
  explicit ExportedRecord(const TaskSample& sample);
  const UnivalRecord* get() const { return &record_; }

 private:
  void Add(const std::string& name, const FieldValue& value);

  std::vector<UnivalField> fields_;
  std::vector<std::vector<UnivalStr>> texts_;
  std::vector<const UnivalField*> pointers_;
  UnivalRecord record_ = {};
};

// An example as the plugin fills it. `sample` and the builder outlive the sink.
struct ExampleBuilder {
  const TaskSample& sample;
  Seq2SeqExample example;
  std::vector<std::vector<int64_t>> answers;  // of the constraint
  uint64_t tokens_of_answers = 0;
};
UnivalExampleSink ExampleSink(ExampleBuilder* builder);

// `self`, the plugin's task, outlives the metric.
std::unique_ptr<Metric> NewCMetric(const UnivalTask& table, const UnivalSelf* self);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_C_TASK_PARTS_H_
