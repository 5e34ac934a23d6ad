// unival: pipeline.h
//
// Prediction in a few lines: a model, a task, a record.
//
//   unival::PipelineOptions options;
//   options.model = "models/nano";
//   auto pipeline = unival::Pipeline::Create(options);
//   if (!pipeline.ok()) return Fail(pipeline.status());
//   unival::TaskSample sample{"photo", {{"image", unival::MediaSource{"", "photo.png"}}}};
//   auto answer = (*pipeline)->Predict("image_caption", sample);
//   if (answer.ok()) std::cout << answer->text << "\n";
//
// Single-threaded: one call at a time per pipeline.
#ifndef UNIVAL_RUNTIME_PIPELINE_H_
#define UNIVAL_RUNTIME_PIPELINE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/answer_stream.h"
#include "runtime/model.h"
#include "sdk/native/task.h"

namespace unival {

class TemplateTask;
struct GenerationOptions;
namespace layers {
class PackedWeights;
}

struct PipelineOptions {
  std::string model;  // model directory
  // Template set files, beside those stored in the model directory.
  std::vector<std::string> templates;
  RuntimeOptions runtime;
  ModelLoadOptions load;
  // The only task that will be used: modalities that its template does not take are not loaded,
  // unless `load` names them. Empty: any task.
  std::string task;
  // The number format in which the backbone multiplies by its weights: "float32", "bfloat16" or
  // "int8". The weights themselves do not change. Has an effect on the CPU only.
  std::string precision = "float32";
  // File that keeps hashes of model files, so that an unchanged model is not read through at every
  // start; it is made when first needed. Empty: every file is hashed.
  std::string hash_memory = "";
  // Hash every file in spite of `hash_memory`, and store the hashes found.
  bool verify = false;
  // Refuse a task (`task`, or any task of `templates`) whose wording is not the one that the model
  // was trained with.
  bool strict_templates = false;
};

// Which template set words a task, and whether the model was trained with these words.
struct TaskWording {
  std::string set_file;  // as messages call it
  std::string set_hash;  // TemplateSetHash of the whole set
  // Whether the model directory has the task in these words. True where it stores no sets, so that
  // nothing is known.
  bool as_trained = true;
};

class Pipeline {
 public:
  ~Pipeline();
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(const PipelineOptions& options);
  // The same for a model in memory, which must outlive the pipeline. Its weights may change between
  // calls. `templates`: files, as in PipelineOptions.
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(
      Model* model, const std::vector<std::string>& templates);
  // Does the same with template sets that were read before.
  static absl::StatusOr<std::unique_ptr<Pipeline>> Create(
      Model* model, const std::vector<SharedTemplateSet>& templates);

  // The task of that name; it lives as long as the pipeline. NotFound lists the tasks there are.
  // For a template that this model cannot do, the error says why (it lacks a block, say).
  absl::StatusOr<const Task*> task(const std::string& name) const;
  std::vector<std::string> task_names() const;
  // The task of that name if it is a template. Null for tasks that are code, and for names that
  // `task` refuses. Lives as long as the pipeline.
  const TemplateTask* template_task(const std::string& name) const;
  // Where the words of a task come from; null for tasks that are code. Lives as long as the
  // pipeline.
  const TaskWording* wording(const std::string& task) const;
  // FailedPrecondition, with both hashes and the remedy, when the task's wording is not the one
  // that the model was trained with.
  absl::Status CheckWording(const std::string& task) const;

  // Answers one record. Fields that are set in `generation` replace the task's own settings. Errors
  // of media that cannot be read or decoded are marked: IsMediaError (media.h).
  absl::StatusOr<Prediction> Predict(const std::string& task, const TaskSample& sample,
                                     const GenerationConfig& generation = {});
  // Answers a batch. A sample that cannot be decoded gets an error of its own; the others are
  // answered.
  absl::StatusOr<std::vector<absl::StatusOr<Prediction>>> PredictBatch(
      const std::string& task, absl::Span<const TaskSample> samples,
      const GenerationConfig& generation = {});

  // As PredictBatch, but gives the best `generation.n_best` answers of each sample, best first;
  // fewer where the search found fewer. Beam search finds as many as it has beams, sampling draws
  // as many, and a closed set is scored whole. Scores as in Prediction.
  absl::StatusOr<std::vector<absl::StatusOr<std::vector<Prediction>>>> PredictBest(
      const std::string& task, absl::Span<const TaskSample> samples,
      const GenerationConfig& generation);

  // Predict, telling the answer's text piece by piece as it becomes certain: token by token in
  // greedy search and sampling; in beam search what all beams share; of a closed set, which is
  // scored as a whole, at the end. The pieces together are Prediction::text to the byte, and none
  // ends inside a UTF-8 character. What an answer has beside text (box, codes) comes with the
  // result.
  //   pipeline->Stream("vqa", sample, [](absl::string_view piece) {
  //     std::cout << piece << std::flush;
  //     return true;
  //   });
  // `listener` is called on this thread, before Stream returns, and not kept; a piece is valid
  // during the call. It must not use the pipeline. Where it returns false nothing more is computed
  // and the result is Cancelled; what it throws becomes an error of Stream.
  // FailedPrecondition: a task that is code reads the beginning of an answer otherwise than the
  // whole.
  absl::StatusOr<Prediction> Stream(const std::string& task, const TaskSample& sample,
                                    const PieceListener& listener,
                                    const GenerationConfig& generation = {});

  // The hypotheses from which PredictBatch makes its answers: `n_best` of each sample, best first.
  // `options`: what the reference's search can do beyond a GenerationConfig.
  absl::StatusOr<std::vector<absl::StatusOr<std::vector<Hypothesis>>>> Generate(
      const std::string& task, absl::Span<const TaskSample> samples,
      const GenerationConfig& generation, const GenerationOptions& options);

  // Sets the number format in which the backbone multiplies from now on; names as in
  // PipelineOptions. InvalidArgument for another name.
  absl::Status SetPrecision(const std::string& name);

  Model& model() { return *model_; }

 private:
  Pipeline();
  absl::Status AddTemplates(const std::vector<SharedTemplateSet>& files);

  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Model> owned_model_;
  Model* model_ = nullptr;
  std::unique_ptr<layers::PackedWeights> packed_;  // of the model's backbone
  std::map<std::string, std::unique_ptr<Task>> tasks_;
  std::map<std::string, const TemplateTask*> template_tasks_;  // those of tasks_ that are templates
  std::map<std::string, TaskWording> wordings_;
  std::map<std::string, absl::Status> unavailable_;  // templates that this model cannot do, and why
};

}  // namespace unival

#endif  // UNIVAL_RUNTIME_PIPELINE_H_
