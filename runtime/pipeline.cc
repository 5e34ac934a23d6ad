#include "runtime/pipeline.h"

#include <map>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/layers/inference_precision.h"
#include "backbone/layers/packed_weights.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/known_hashes.h"
#include "runtime/template_hashes.h"
#include "sdk/base/status_macros.h"
#include "tasks/templates/template_task.h"

namespace unival {
namespace {

// Stored sets, then those of files. Later ones win, so that a file on the command line can reword a
// stored task.
absl::StatusOr<std::vector<SharedTemplateSet>> InOrder(
    const StoredTemplates& stored, const std::vector<SharedTemplateSet>& files) {
  std::vector<SharedTemplateSet> sets;
  for (const auto& named : stored) {
    UNIVAL_ASSIGN_OR_RETURN(sets.emplace_back(), named.second.set);
  }
  sets.insert(sets.end(), files.begin(), files.end());
  return sets;
}

// Task name -> the last template of that name, which overrides earlier ones. Valid as long as
// `sets`.
std::map<std::string, const LoadedTemplate*> LastOfEachName(
    const std::vector<SharedTemplateSet>& sets) {
  std::map<std::string, const LoadedTemplate*> last;
  for (const SharedTemplateSet& set : sets) {
    for (const LoadedTemplate& task : set->tasks) last[task.proto.name()] = &task;
  }
  return last;
}

// Hashes of the sets that the model was trained with, or that a connection or an adapter was that
// the task uses: it may have been copied from a model with other sets.
std::set<std::string> TrainedSets(const Manifest& manifest, const TaskTemplate& task) {
  std::set<std::string> trained = RecordedHashes(manifest.template_set_hash());
  const std::vector<std::string> used = TemplateModalities(task);
  for (const AdapterRecord& record : manifest.adapter()) {
    const std::string& modality = AdapterModality(record);
    if (!modality.empty() && !absl::c_linear_search(used, modality)) continue;
    trained.merge(RecordedHashes(record.template_set_hash()));
  }
  return trained;
}

using SetHashes = std::map<const LoadedTemplateSet*, std::string>;

// `hashes`: of all sets, the stored ones among them.
bool IsTrainedWording(const Model& model, const LoadedTemplateSet& set, const LoadedTemplate& task,
                      const SetHashes& hashes) {
  // A model without stored sets cannot say which words it was trained with: every wording is then
  // taken for trained.
  if (model.templates().empty()) return true;
  const std::set<std::string> known = TrainedSets(model.manifest(), task.proto);
  if (known.count(hashes.at(&set)) > 0) return true;
  // Models of earlier versions have no recorded hash: their stored sets are assumed to be those
  // that they were trained with.
  const bool all_known = model.manifest().template_set_hash().empty();
  return absl::c_any_of(model.templates(), [&](const auto& named) {
    const auto& stored = named.second.set;
    if (!stored.ok() || (!all_known && known.count(hashes.at(stored->get())) == 0)) return false;
    const LoadedTemplate* trained = (*stored)->Find(task.proto.name());
    return trained != nullptr && SameWording(trained->proto, task.proto);
  });
}

// For each task: the set that words it, and whether the model was trained with the same words.
std::map<std::string, TaskWording> Wordings(const Model& model,
                                            const std::vector<SharedTemplateSet>& sets) {
  SetHashes hashes;
  for (const SharedTemplateSet& set : sets) hashes[set.get()] = TemplateSetHash(*set);
  std::map<std::string, TaskWording> wordings;
  for (const SharedTemplateSet& set : sets) {
    for (const LoadedTemplate& task : set->tasks) {
      const bool as_trained = IsTrainedWording(model, *set, task, hashes);
      wordings[task.proto.name()] = {set->file, hashes.at(set.get()), as_trained};
    }
  }
  return wordings;
}

bool IsPluginTask(const Runtime& runtime, const std::string& task) {
  return absl::c_any_of(runtime.registry().List(), [&](const Registry::Entry& entry) {
    return entry.kind == "task" && entry.type == task;
  });
}

// The model's modalities that the task's template takes. All of them when no template has that
// name: the error about the name comes later, when the task is asked for.
absl::StatusOr<std::vector<std::string>> ModalitiesOf(const std::string& task,
                                                      const OpenedModel& opened,
                                                      const std::vector<SharedTemplateSet>& files) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sets, InOrder(opened.templates(), files));
  const auto templates = LastOfEachName(sets);
  const auto found = templates.find(task);
  std::vector<std::string> wanted;
  for (const ModalityConfig& config : opened.manifest().modality()) {
    if (found == templates.end() ||
        absl::c_linear_search(TemplateModalities(found->second->proto), config.id())) {
      wanted.push_back(config.id());
    }
  }
  return wanted;
}

}  // namespace

Pipeline::Pipeline()
    : packed_(std::make_unique<layers::PackedWeights>(InferencePrecision::kFloat32)) {}

Pipeline::~Pipeline() = default;

absl::Status Pipeline::SetPrecision(const std::string& name) {
  const auto precision = ParseInferencePrecision(name);
  if (!precision.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("precision: expected ",
                                                   absl::StrJoin(InferencePrecisionNames(), ", "),
                                                   ", got \"", name, "\""));
  }
  packed_ = std::make_unique<layers::PackedWeights>(*precision);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(const PipelineOptions& options) {
  std::shared_ptr<KnownHashes> known_hashes;
  if (!options.hash_memory.empty()) {
    known_hashes = std::make_shared<KnownHashes>(options.hash_memory, options.verify);
  }
  UNIVAL_ASSIGN_OR_RETURN(auto runtime, Runtime::Create(options.runtime));
  const TemplateTypes types = runtime->template_types();
  UNIVAL_ASSIGN_OR_RETURN(const OpenedModel opened,
                          OpenedModel::Open(options.model, types, known_hashes));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, LoadTemplateSets(options.templates, types));
  ModelLoadOptions load = options.load;
  // A plugin's task may take any modality, also when a template has the same name.
  const bool is_template = !options.task.empty() && !IsPluginTask(*runtime, options.task);
  if (is_template && load.all_modalities) {
    UNIVAL_ASSIGN_OR_RETURN(load.modalities, ModalitiesOf(options.task, opened, files));
    load.all_modalities = false;
  }
  UNIVAL_ASSIGN_OR_RETURN(auto model, Model::Load(opened, *runtime, load));
  // Hashes that cannot be stored only make the next start slower, so that is no error.
  if (known_hashes != nullptr) known_hashes->Save().IgnoreError();
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Create(model.get(), files));
  UNIVAL_RETURN_IF_ERROR(pipeline->SetPrecision(options.precision));
  pipeline->runtime_ = std::move(runtime);
  pipeline->owned_model_ = std::move(model);
  if (options.strict_templates) {
    for (const auto& entry : pipeline->wordings_) {
      if (!options.task.empty() && entry.first != options.task) continue;
      UNIVAL_RETURN_IF_ERROR(pipeline->CheckWording(entry.first));
    }
  }
  return pipeline;
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(
    Model* model, const std::vector<std::string>& templates) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sets,
                          LoadTemplateSets(templates, model->runtime().template_types()));
  return Create(model, sets);
}

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Create(
    Model* model, const std::vector<SharedTemplateSet>& templates) {
  auto pipeline = std::unique_ptr<Pipeline>(new Pipeline);
  pipeline->model_ = model;
  UNIVAL_RETURN_IF_ERROR(pipeline->AddTemplates(templates));
  for (const Registry::Entry& entry : model->runtime().registry().List()) {
    if (entry.kind != "task") continue;
    UNIVAL_ASSIGN_OR_RETURN(pipeline->tasks_[entry.type], model->runtime().registry().CreateTask(
                                                              entry.type, model->vocabulary()));
    pipeline->template_tasks_.erase(entry.type);
  }
  return pipeline;
}

// A template set may hold tasks that this model cannot do, for example with image codes; that is an
// error only when such a task is asked for.
absl::Status Pipeline::AddTemplates(const std::vector<SharedTemplateSet>& files) {
  UNIVAL_ASSIGN_OR_RETURN(const auto sets, InOrder(model_->templates(), files));
  wordings_ = Wordings(*model_, sets);
  for (const auto& [name, task] : LastOfEachName(sets)) {
    absl::StatusOr<std::unique_ptr<TemplateTask>> created =
        TemplateTask::Create(*task, model_->vocabulary(), model_->runtime().template_types());
    if (created.ok()) {
      template_tasks_[name] = created->get();
      tasks_[name] = *std::move(created);
    } else {
      unavailable_[name] = created.status();
    }
  }
  return absl::OkStatus();
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

const TemplateTask* Pipeline::template_task(const std::string& name) const {
  const auto found = template_tasks_.find(name);
  return found == template_tasks_.end() ? nullptr : found->second;
}

const TaskWording* Pipeline::wording(const std::string& task) const {
  // A plugin's task counts before a template of its name, and has no words that could be compared.
  const auto found = IsPluginTask(model_->runtime(), task) ? wordings_.end() : wordings_.find(task);
  return found == wordings_.end() ? nullptr : &found->second;
}

absl::Status Pipeline::CheckWording(const std::string& task) const {
  const TaskWording* used = wording(task);
  if (used == nullptr || used->as_trained) return absl::OkStatus();
  const std::string recorded = model_->manifest().template_set_hash();
  return absl::FailedPreconditionError(
      absl::StrCat("task \"", task,
                   "\": template_set_hash: expected words of the sets that the model was trained "
                   "with, ",
                   recorded.empty() ? StoredTemplatesHash(model_->templates()) : recorded, ", got ",
                   used->set_hash, " of ", used->set_file,
                   "; leave out the set, or train with it: a model answers best what it is asked "
                   "in known words"));
}

std::vector<std::string> Pipeline::task_names() const {
  std::vector<std::string> names;
  for (const auto& entry : tasks_) names.push_back(entry.first);
  return names;
}

}  // namespace unival
