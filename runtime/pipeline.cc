#include "runtime/pipeline.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/generation/generate.h"
#include "backbone/model/model.h"
#include "runtime/collate.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "tasks/templates/template_set.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

// The samples of a batch that could be prepared, and where they stood.
struct Prepared {
  std::vector<size_t> index;
  std::vector<PreparedExample> examples;
  std::vector<GenerationRequest> requests;
};

absl::StatusOr<PreparedExample> PrepareOne(const Model& model, const Task& task,
                                           const TaskSample& sample) {
  UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                          task.MakeExample(sample, ExampleMode::kPrediction, 0));
  return Prepare(model, std::move(example), {});
}

// Stored sets (file name -> text), then those of `files`. Later ones win, so that a file on the
// command line can reword a stored task.
absl::StatusOr<std::vector<LoadedTemplateSet>> LoadSets(
    const std::map<std::string, std::string>& stored, const std::vector<std::string>& files,
    const TemplateTypes& types) {
  std::vector<LoadedTemplateSet> sets;
  // A metric whose plugin is not loaded must not keep the model's other tasks from being used.
  const TemplateTypes any_metric{types.slots, nullptr};
  for (const auto& [name, text] : stored) {
    UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, ParseTemplateSet(text, name, "", any_metric));
    sets.push_back(std::move(set));
  }
  for (const std::string& file : files) {
    UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, LoadTemplateSet(file, types));
    sets.push_back(std::move(set));
  }
  return sets;
}

bool IsPluginTask(const Runtime& runtime, const std::string& task) {
  return absl::c_any_of(runtime.registry().List(), [&](const Registry::Entry& entry) {
    return entry.kind == "task" && entry.type == task;
  });
}

// The model's modalities that the task's template takes. All of them when no template has that
// name: the error about the name comes later, when the task is asked for.
absl::StatusOr<std::vector<std::string>> ModalitiesOf(
    const std::string& task, const std::vector<std::string>& files, const Manifest& manifest,
    const std::map<std::string, std::string>& stored, const TemplateTypes& types) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<LoadedTemplateSet> sets,
                          LoadSets(stored, files, types));
  const LoadedTemplate* last = nullptr;
  for (const LoadedTemplateSet& set : sets) {
    if (const LoadedTemplate* found = set.Find(task)) last = found;
  }
  std::vector<std::string> wanted;
  for (const ModalityConfig& config : manifest.modality()) {
    const auto takes = [&](const TaskInput& input) { return input.modality() == config.id(); };
    if (last == nullptr || absl::c_any_of(last->proto.input(), takes))
      wanted.push_back(config.id());
  }
  return wanted;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(const PipelineOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(auto runtime, Runtime::Create(options.runtime));
  ModelLoadOptions load = options.load;
  // A plugin's task may take any modality, also when a template has the same name.
  const bool is_template = !options.task.empty() && !IsPluginTask(*runtime, options.task);
  if (is_template && load.all_modalities) {
    load.choose = [&options, types = runtime->template_types()](const Manifest& manifest,
                                                                const auto& stored) {
      return ModalitiesOf(options.task, options.templates, manifest, stored, types);
    };
  }
  UNIVAL_ASSIGN_OR_RETURN(auto model, Model::Load(options.model, *runtime, load));
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Create(model.get(), options.templates));
  pipeline->runtime_ = std::move(runtime);
  pipeline->owned_model_ = std::move(model);
  return pipeline;
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(
    Model* model, const std::vector<std::string>& templates) {
  auto pipeline = std::unique_ptr<Pipeline>(new Pipeline);
  pipeline->model_ = model;
  UNIVAL_RETURN_IF_ERROR(pipeline->AddTemplates(templates));
  for (const Registry::Entry& entry : model->runtime().registry().List()) {
    if (entry.kind != "task") continue;
    UNIVAL_ASSIGN_OR_RETURN(pipeline->tasks_[entry.type], model->runtime().registry().CreateTask(
                                                              entry.type, model->vocabulary()));
  }
  return pipeline;
}

absl::Status Pipeline::AddTemplates(const std::vector<std::string>& files) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sets,
                          LoadSets(model_->templates(), files, model_->runtime().template_types()));
  for (const LoadedTemplateSet& set : sets) {
    for (const LoadedTemplate& task : set.tasks) AddTemplate(task);
  }
  return absl::OkStatus();
}

// A template set may hold tasks that this model cannot do, for example with image codes; that is an
// error only when such a task is asked for.
void Pipeline::AddTemplate(const LoadedTemplate& task) {
  const std::string& name = task.proto.name();
  tasks_.erase(name);
  unavailable_.erase(name);
  absl::StatusOr<std::unique_ptr<TemplateTask>> created =
      TemplateTask::Create(task, model_->vocabulary(), model_->runtime().template_types());
  if (created.ok()) {
    tasks_[name] = *std::move(created);
  } else {
    unavailable_[name] = created.status();
  }
}

absl::StatusOr<const Task*> Pipeline::task(const std::string& name) const {
  auto found = tasks_.find(name);
  if (found != tasks_.end()) return found->second.get();
  auto unavailable = unavailable_.find(name);
  if (unavailable != unavailable_.end()) return unavailable->second;
  return absl::NotFoundError(absl::StrCat(
      "task \"", name, "\" is not known; there are: ", absl::StrJoin(task_names(), ", "),
      ". Add a template set with --templates FILE."));
}

std::vector<std::string> Pipeline::task_names() const {
  std::vector<std::string> names;
  for (const auto& entry : tasks_) names.push_back(entry.first);
  return names;
}

absl::StatusOr<Prediction> Pipeline::Predict(const std::string& task, const TaskSample& sample,
                                             const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(auto answers, PredictBatch(task, {sample}, generation));
  return std::move(answers.front());
}

absl::StatusOr<std::vector<absl::StatusOr<Prediction>>> Pipeline::PredictBatch(
    const std::string& name, absl::Span<const TaskSample> samples,
    const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, this->task(name));
  for (const std::string& modality : task->info().modalities) {
    UNIVAL_RETURN_IF_ERROR(model_->RequireModality(modality).status());
  }
  std::vector<absl::StatusOr<Prediction>> answers(samples.size(), absl::UnknownError("not run"));
  Prepared prepared;
  for (size_t i = 0; i < samples.size(); ++i) {
    absl::StatusOr<PreparedExample> example = PrepareOne(*model_, *task, samples[i]);
    if (!example.ok()) {
      answers[i] = example.status();
      continue;
    }
    prepared.index.push_back(i);
    prepared.requests.push_back({example->example.prefix, example->example.constraint});
    prepared.examples.push_back(*std::move(example));
  }
  if (prepared.examples.empty()) return answers;

  GenerationConfig config = task->info().generation;
  config.MergeFrom(generation);
  absl::StatusOr<std::vector<std::vector<Hypothesis>>> generated = CatchTorch(
      absl::StrCat("task \"", name, "\": generate"),
      [&]() -> absl::StatusOr<std::vector<std::vector<Hypothesis>>> {
        at::NoGradGuard no_grad;
        UNIVAL_ASSIGN_OR_RETURN(ModelInput input, MakeModelInput(*model_, prepared.examples));
        UnivalModel& backbone = model_->backbone();
        auto decoder =
            backbone.NewIncrementalDecoder(backbone.Encode(input), RowsPerSample(config));
        return Generate(*decoder, config, prepared.requests,
                        GenerationVocabulary(model_->manifest().vocabulary()));
      });
  if (!generated.ok()) return generated.status();
  for (size_t i = 0; i < generated->size(); ++i) {
    const size_t at = prepared.index[i];
    answers[at] = task->Interpret(samples[at], (*generated)[i].front());
  }
  return answers;
}

}  // namespace unival
