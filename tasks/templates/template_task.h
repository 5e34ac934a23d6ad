// unival: template_task.h
//
// A task that is data: prompt and target are patterns with typed slots, everything else follows
// from them.
//
//   UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, LoadTemplateSet(path));
//   UNIVAL_ASSIGN_OR_RETURN(auto task, TemplateTask::Create(*set.Find("vqa"), vocabulary));
//   UNIVAL_RETURN_IF_ERROR(CheckTaskFits(task->info(), modalities, columns));
//   auto example = task->MakeExample(sample, ExampleMode::kTraining, seed);
//
// Slots are those of BuiltinSlotTypes(), and of the types that are handed over.
//
// Neighbouring texts and text slots form one run, which one call of the tokenizer encodes. A media
// item ends a run.
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
#include "tasks/slots/label_index.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_types.h"

namespace unival {

class SeededRandom;
struct MediaPlace;

// Thread-safe: immutable after creation.
class TemplateTask : public Task {
 public:
  // `vocabulary` must outlive the task. InvalidArgument and FailedPrecondition name file, line,
  // task and slot: a block that the model lacks, a label outside the tokenizer's reach, an unknown
  // metric.
  static absl::StatusOr<std::unique_ptr<TemplateTask>> Create(
      const LoadedTemplate& source, const VocabularyView& vocabulary,
      const TemplateTypes& types = BuiltinTemplateTypes());

  const TaskInfo& info() const override { return info_; }
  const TaskTemplate& proto() const { return source_.proto; }
  const LoadedTemplate& source() const { return source_; }
  absl::StatusOr<Seq2SeqExample> MakeExample(const TaskSample& sample, ExampleMode mode,
                                             uint64_t seed) const override;
  // Text is the decoded answer, trimmed; the target's slots add what else the tokens mean. A box
  // needs four location bins in a row; without them the box is absent.
  absl::StatusOr<Prediction> Interpret(const TaskSample& sample,
                                       const Hypothesis& best) const override;
  // The template's metrics in one object, which must not outlive the task.
  std::unique_ptr<Metric> NewMetric() const override;

  // The answers that count as right for `sample`: the target's text, one per alternative of a list
  // column, trimmed.
  absl::StatusOr<std::vector<std::string>> ReferenceTexts(const TaskSample& sample) const;
  // These texts, and what the target's slots have besides: a box, say.
  absl::StatusOr<References> ReferencesOf(const TaskSample& sample) const override;

 private:
  TemplateTask(const LoadedTemplate& source, const VocabularyView& vocabulary);
  absl::Status Init(const TemplateTypes& types);
  absl::Status CheckBlocks();
  absl::Status RequireBlocks(absl::string_view field, const Pattern& pattern);
  absl::Status FindMetrics(const TemplateTypes& types);
  absl::Status EncodeAnswers();
  absl::Status EncodeClosedSet(const PatternPiece& slot);
  void FillInfo();
  void AddKinds(const Pattern& pattern);
  // The text that `tokens` stand for. The tokenizer may lack words of a closed set; then <unk>
  // stands for them. A whole answer of the set gives the label as it is written; the beginning of
  // one gives the text before the first <unk>.
  absl::StatusOr<std::string> AnswerText(const std::vector<int64_t>& tokens) const;

  absl::StatusOr<std::vector<Chunk>> Render(const Pattern& pattern, const TaskSample& sample,
                                            const RenderOptions& options,
                                            SeededRandom& random) const;
  absl::StatusOr<std::vector<int64_t>> Encode(const std::vector<Chunk>& chunks) const;
  absl::StatusOr<Seq2SeqExample> MakeExampleOf(const TaskSample& sample, ExampleMode mode,
                                               uint64_t seed) const;
  // The prompt's tokens without <s> and </s>. Media of `example` that stand in the prompt get their
  // places.
  absl::StatusOr<std::vector<int64_t>> MakeSource(const TaskSample& sample, ExampleMode mode,
                                                  SeededRandom& random,
                                                  Seq2SeqExample* example) const;
  void PlaceMedia(const std::vector<MediaPlace>& places, size_t tokens,
                  Seq2SeqExample* example) const;
  // Adds the weight and the mask of the loss, which only training uses.
  absl::Status AddLoss(const TaskSample& sample, Seq2SeqExample* example) const;
  absl::Status AddTarget(const TaskSample& sample, ExampleMode mode, SeededRandom& random,
                         Seq2SeqExample* example) const;

  const LoadedTemplate source_;
  const LabelIndex labels_;  // of source_
  const VocabularyView& vocabulary_;
  std::vector<Pattern> prompts_;  // the prompt, then paraphrases
  Pattern target_;
  TaskInfo info_;
  Constraint constraint_;                  // made once; examples share its answer set
  std::vector<std::string> answer_texts_;  // of the answer set, in its order, as written
  bool image_codes_ = false;
  std::vector<MetricFactory> metrics_;
};

// Registers every task of a set, so that Registry::CreateTask finds them by name.
absl::Status AddTemplates(const LoadedTemplateSet& set, Registrar& registrar,
                          const TemplateTypes& types = BuiltinTemplateTypes());

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_TASK_H_
