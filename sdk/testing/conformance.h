// unival: conformance.h
//
// Checks of the rules that every modality, tokenizer, task, network and metric must keep. The test
// of a component calls its check first. A check does not stop at the first violation: it gives one
// row per rule, so that all errors of a component are visible.
//
//   ModalityProbe probe;
//   probe.samples = {{MediaSource{"", "a.png"}}, {MediaSource{"", "b.png"}}};
//   ConformanceReport report = CheckModality(*modality, probe);
//   EXPECT_TRUE(report.ok()) << report.Table();
//
// Call a check from one thread. Checks start threads themselves for rules about threads.
#ifndef UNIVAL_SDK_TESTING_CONFORMANCE_H_
#define UNIVAL_SDK_TESTING_CONFORMANCE_H_

#include <string>
#include <vector>

#include "sdk/native/modality.h"
#include "sdk/native/task.h"
#include "sdk/native/tokenizer.h"

namespace unival {

class FeatureEncoder;
struct EncoderInput;
struct MetricFactory;

struct ConformanceRow {
  std::string rule;  // lower_snake, stable
  bool ok = false;
  std::string detail;  // expected and found; when ok: empty, or the measured value
};

struct ConformanceReport {
  std::string component;
  std::vector<ConformanceRow> rows;

  bool ok() const;
  // One line per rule: "ok    batch_invariance" or "FAIL  batch_invariance  row 1 differs by 0.3".
  std::string Table() const;
};

// Is called before and after each rule, on the thread that calls the check. So it is known which
// rule was running when a component ended the process.
class RuleObserver {
 public:
  virtual ~RuleObserver() = default;
  virtual void Begins(const std::string& rule) = 0;
  virtual void Ends(const ConformanceRow& row) = 0;
};

struct ModalityProbe {
  std::vector<RawSample> samples;  // at least two that decode, with different content
  // Largest allowed difference between a row alone and the same row in a batch. It is not 0,
  // because convolutions may take different code paths for batches of different size.
  double batch_tolerance = 1e-5;
  int threads = 4;
  double max_seconds_per_sample = 10;  // for preprocess and encode of one sample
  // Largest output of preprocess and encode for one sample, in bytes.
  int64_t max_bytes_per_sample = int64_t{1} << 30;
  // Bytes that one more round over all samples may leave allocated.
  int64_t leak_tolerance = 1024;
};
// Rules: description, preprocess, augmentation_is_seeded, determinism, features_as_declared,
// positions_in_range, batch_invariance, variable_length, inputs_not_written, empty_media,
// corrupt_media, missing_media, concurrent_preprocess, description_is_stable,
// evaluation_changes_no_state, leaks, time_per_sample, memory_per_sample.
ConformanceReport CheckModality(Modality& modality, const ModalityProbe& probe,
                                RuleObserver* observer = nullptr);

struct TokenizerProbe {
  std::vector<std::string> texts;  // inside the tokenizer's vocabulary
  int threads = 4;
};
// Rules: description, tokens_in_range, round_trip, empty_text, determinism, out_of_range,
// concurrent_use.
ConformanceReport CheckTokenizer(const Tokenizer& tokenizer, const TokenizerProbe& probe,
                                 RuleObserver* observer = nullptr);

struct TaskProbe {
  std::vector<TaskSample> samples;  // complete records
  int threads = 4;
  // Descriptions of the metric's scores that TaskInfo::scores does not describe; for built-in
  // metrics use Registry::scores(). A share of right answers must be 1 for the references
  // themselves and 0 for failures; this is not checked for other scores. When none of the metric's
  // scores is described, every score whose name contains "accuracy" or "exact_match" counts as a
  // share.
  std::vector<ScoreInfo> scores = {};
};
// Rules: description, example_shape, tokens_in_vocabulary, target_satisfies_constraint,
// perfect_answer_scores_best, missing_columns, prediction_needs_no_target, determinism,
// metric_counts_failures, concurrent_use.
ConformanceReport CheckTask(const Task& task, const VocabularyView& vocabulary,
                            const TaskProbe& probe, RuleObserver* observer = nullptr);

// Sets the network to evaluation mode and leaves it so. Rules: description, output_as_declared,
// batch_invariance, determinism.
ConformanceReport CheckNetwork(FeatureEncoder& network, const EncoderInput& input,
                               RuleObserver* observer = nullptr);

// Rules: description, no_answers, answers, scores_as_declared, failures_count, determinism.
ConformanceReport CheckMetric(const MetricFactory& factory, RuleObserver* observer = nullptr);

}  // namespace unival

#endif  // UNIVAL_SDK_TESTING_CONFORMANCE_H_
