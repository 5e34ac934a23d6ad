// unival: template_task.h
//
// A task that is data: prompt and target are patterns with typed slots, everything else follows
// from them.
//
//   UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, LoadTemplateSet(path));
//   UNIVAL_ASSIGN_OR_RETURN(auto task, TemplateTask::Create(*set.Find("vqa"), vocabulary));
//   UNIVAL_RETURN_IF_ERROR(task->CheckAgainst(model_modalities, columns_of_the_data));
//   auto example = task->MakeExample(sample, ExampleMode::kTraining, seed);
//
// Slots, by the type after the colon:
//
//   {c} {c:text}  a string, number, or list of strings (training draws one of a list, prediction
//                 takes the first)
//   {c:number}    a number, printed in its shortest form
//   {c:label}     a string of the template's closed label set
//   {c:box}       [x0, y0, x1, y1] in pixels of columns `width` x `height`, or fractions when these
//                 are absent; four tokens of core.location_bin
//   {c:codes}     a list of local indices of the template's codes_block
//
// Neighbouring texts and text slots form one run, which one call of the tokenizer encodes.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_TASK_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_TASK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sdk/native/registry.h"
#include "sdk/native/task.h"
#include "tasks/templates/pattern.h"
#include "tasks/templates/template_set.h"

namespace unival {

class SeededRandom;

// The block of location bins, which `box` slots are written in.
constexpr absl::string_view kLocationBins = "core.location_bin";

// Thread-safe: immutable after creation.
class TemplateTask : public Task {
 public:
  // `vocabulary` must outlive the task. InvalidArgument and FailedPrecondition name file, line,
  // task and slot: a block that the model lacks, a label outside the tokenizer's reach, an unknown
  // metric.
  static absl::StatusOr<std::unique_ptr<TemplateTask>> Create(const LoadedTemplate& source,
                                                              const VocabularyView& vocabulary);

  // FailedPrecondition when the model lacks a modality, or the data (when given) a column, listing
  // what there is.
  absl::Status CheckAgainst(const std::vector<std::string>& modalities,
                            const absl::optional<std::vector<std::string>>& columns) const;

  const TaskInfo& info() const override { return info_; }
  const TaskTemplate& proto() const { return source_.proto; }
  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                             uint64_t seed) const override;
  // Text is the decoded answer, trimmed. A box needs four location bins in a row; without them the
  // box is absent.
  absl::StatusOr<Prediction> Interpret(const TaskSample& sample,
                                       const Hypothesis& best) const override;
  // The template's metrics in one object, which must not outlive the task.
  std::unique_ptr<Metric> NewMetric() const override;

  // The answers that count as right for `sample`: the target's text, one per alternative of a list
  // column, trimmed.
  absl::StatusOr<std::vector<std::string>> ReferenceTexts(const TaskSample& sample) const;
  // The target's box as fractions; absent when the target has no box slot.
  absl::StatusOr<absl::optional<std::array<double, 4>>> ReferenceBox(
      const TaskSample& sample) const;

 private:
  // A stretch of text, or tokens that no tokenizer makes.
  struct Chunk {
    std::string text;
    std::vector<int64_t> tokens;
  };
  struct RenderOptions {
    bool training = false;
    bool mask_words = false;
    size_t alternative = 0;  // of list columns, outside training
  };

  TemplateTask(const LoadedTemplate& source, const VocabularyView& vocabulary);
  absl::Status Init();
  absl::Status CheckBlocks();
  absl::Status RequireBlocks(absl::string_view field, const Pattern& pattern);
  absl::Status CheckMetrics() const;
  absl::Status EncodeAnswers();
  void FillInfo();

  absl::StatusOr<std::vector<Chunk>> Render(const Pattern& pattern, const TaskSample& sample,
                                            const RenderOptions& options,
                                            SeededRandom& random) const;
  absl::StatusOr<std::vector<int64_t>> Encode(const std::vector<Chunk>& chunks) const;
  absl::StatusOr<std::string> SlotText(const PatternPiece& slot, const TaskSample& sample,
                                       const RenderOptions& options, SeededRandom& random) const;
  absl::Status AppendMasked(const std::string& text, SeededRandom& random,
                            std::vector<Chunk>& chunks) const;
  absl::StatusOr<std::vector<int64_t>> SlotTokens(const PatternPiece& slot,
                                                  const TaskSample& sample) const;
  absl::StatusOr<std::vector<int64_t>> MakeSource(const TaskSample& sample, ExampleMode mode,
                                                  SeededRandom& random) const;
  absl::Status AddTarget(const TaskSample& sample, ExampleMode mode, SeededRandom& random,
                         Seq2SeqExample& example) const;

  const LoadedTemplate source_;
  const VocabularyView& vocabulary_;
  std::vector<Pattern> prompts_;  // the prompt, then paraphrases
  Pattern target_;
  TaskInfo info_;
  Constraint constraint_;
  int64_t location_bins_ = 0;
};

// Registers every task of a set, so that Registry::CreateTask finds them by name.
absl::Status AddTemplates(const LoadedTemplateSet& set, Registrar& registrar);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_TASK_H_
