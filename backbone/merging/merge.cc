// One merge, from models that were opened to a model directory and its report.
#include "backbone/merging/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/merging/merge_inputs.h"
#include "backbone/merging/merge_parts.h"
#include "backbone/merging/options_check.h"
#include "backbone/merging/part_merge.h"
#include "backbone/merging/tensor_merge.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// NotFound for a pattern that selects no tensor, as that is a typing error.
absl::Status CheckPatterns(const MergeOptions& options, const std::vector<MergePart>& parts) {
  for (const PartLambda& rule : options.parts) {
    const bool matches = absl::c_any_of(parts, [&](const MergePart& part) {
      return absl::c_any_of(part.files[0]->tensors(), [&](const auto& entry) {
        return rule.matches(part.FullName(entry.first));
      });
    });
    if (matches) continue;
    std::vector<std::string> ids;
    for (const MergePart& part : parts) ids.push_back(part.id);
    return absl::NotFoundError(absl::StrCat("part \"", rule.pattern,
                                            "\": expected at least one tensor, got none; the ",
                                            "models have ", absl::StrJoin(ids, ", ")));
  }
  return absl::OkStatus();
}

constexpr char kTemplates[] = "templates";

// The regular files of a folder, by their relative names.
absl::StatusOr<std::map<std::string, std::string>> FilesOfFolder(const std::string& folder) {
  std::map<std::string, std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    const std::string name = it->path().lexically_relative(folder).generic_string();
    UNIVAL_ASSIGN_OR_RETURN(files[name], ReadWholeFile(it->path().string()));
  }
  if (error) return SystemError(folder, "cannot be listed", error.value());
  return files;
}

// Writes one merged model.
class Merger {
 public:
  Merger(const MergeOptions& options, const MergeMethod& method, MergeInputs inputs)
      : options_(options), method_(method), inputs_(std::move(inputs)) {}

  absl::StatusOr<MergeReport> Run() {
    UNIVAL_ASSIGN_OR_RETURN(manifest_, JoinedManifest(inputs_));
    UNIVAL_ASSIGN_OR_RETURN(parts_, ComparedParts(inputs_, method_.needs_base));
    UNIVAL_RETURN_IF_ERROR(CheckPatterns(options_, parts_));
    for (const MergePart& part : parts_) {
      if (part.id != "backbone" || options_.allow_unrelated) continue;
      UNIVAL_RETURN_IF_ERROR(CheckWeightsAreRelated(inputs_, part));
    }
    UNIVAL_ASSIGN_OR_RETURN(writer_,
                            ModelDirectoryWriter::Create(options_.output, {options_.overwrite}));
    for (const MergePart& part : parts_) total_ += BytesOf(part);
    UNIVAL_RETURN_IF_ERROR(WriteAll());
    report_.output = options_.output;
    report_.ancestor_sha256 = inputs_.ancestor_sha256;
    return std::move(report_);
  }

 private:
  static int64_t BytesOf(const MergePart& part) {
    int64_t bytes = 0;
    for (const auto& entry : part.files[0]->tensors())
      bytes += entry.second.end - entry.second.begin;
    return bytes;
  }

  // Adapters last: their files say in which other files their hashes were found.
  absl::Status WriteAll() {
    for (const MergePart& part : parts_) {
      if (!IsAdapter(part)) UNIVAL_RETURN_IF_ERROR(Write(part, {}));
    }
    const auto path_of = [this](const std::string& id) { return writer_->PathOf(id); };
    UNIVAL_ASSIGN_OR_RETURN(merged_sha256_, BackboneSha256(path_of, manifest_.vocabulary()));
    UNIVAL_RETURN_IF_ERROR(DescribeAdapters());
    for (const MergePart& part : parts_) {
      if (IsAdapter(part)) UNIVAL_RETURN_IF_ERROR(WriteAdapter(part));
    }
    UNIVAL_RETURN_IF_ERROR(WriteOthers());
    return writer_->Commit(WithLineage());
  }

  static bool IsAdapter(const MergePart& part) {
    return absl::StartsWith(part.id, AdapterComponentId(""));
  }

  // "depth" of "modality.depth" and "adapter.depth".
  static std::string ModalityOf(absl::string_view id) {
    return std::string(id.substr(id.find('.') + 1));
  }

  absl::Status Write(const MergePart& part, const std::map<std::string, std::string>& metadata) {
    PartMerge merge(options_, method_, part);
    const TensorShapes shapes = merge.Shapes();
    UNIVAL_RETURN_IF_ERROR(
        writer_->AddTensors(part.id, shapes, metadata, [&](const std::string& name) {
          const SafetensorsEntry& entry = part.files[0]->tensors().at(name);
          done_ += entry.end - entry.begin;
          if (options_.progress) options_.progress(done_, total_);
          return merge.Make(name);
        }));
    Count(part, merge);
    return absl::OkStatus();
  }

  void Count(const MergePart& part, const PartMerge& merge) {
    report_.measured += merge.measured();
    if (part.owners.size() == 1 && inputs_.models.size() > 1) {
      report_.carried += static_cast<int64_t>(part.files[0]->tensors().size()) - merge.measured();
      report_.notes.push_back(absl::StrCat(part.id, ": carried from ",
                                           inputs_.models[part.owners[0]].path(),
                                           ", the only one that has it"));
      return;
    }
    report_.mixed += merge.mixed();
    report_.same += merge.same();
    if (!method_.needs_base || part.base != nullptr) return;
    report_.notes.push_back(absl::StrCat(part.id, ": the base has none, so it is the average"));
  }

  // Records in every adapter what it is bound to after the merge.
  absl::Status DescribeAdapters() {
    for (AdapterRecord& record : *manifest_.mutable_adapter()) {
      const std::string encoder = ModalityComponentId(AdapterModality(record));
      const absl::StatusOr<std::string> path = writer_->PathOf(encoder);
      if (path.ok()) {
        UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(*path));
        UNIVAL_ASSIGN_OR_RETURN(*record.mutable_encoder_sha256(), TensorsSha256AsLoaded(*file));
      }
      record.set_backbone_sha256(merged_sha256_);
      record.clear_connection_sha256();  // the connection that it works on is merged too
    }
    return absl::OkStatus();
  }

  absl::Status WriteAdapter(const MergePart& part) {
    std::map<std::string, std::string> metadata;
    if (const AdapterRecord* record = FindAdapter(manifest_, ModalityOf(part.id))) {
      metadata = AdapterMetadata(*record);
      metadata[kFoundIn] = FoundInSha256(*record, manifest_.vocabulary(), writer_->components());
    }
    return Write(part, metadata);
  }

  // The tokenizer, the template sets of all, and what else a model has.
  absl::Status WriteOthers() {
    std::map<std::string, std::string> templates;
    if (inputs_.base) UNIVAL_RETURN_IF_ERROR(writer_->TakeNotices(inputs_.base->directory->path()));
    for (const MergeInput& input : inputs_.models) {
      UNIVAL_RETURN_IF_ERROR(writer_->TakeNotices(input.directory->path()));
      for (const std::string& id : input.directory->ComponentIds()) {
        if (id == kTemplates) {
          UNIVAL_RETURN_IF_ERROR(AddTemplates(input, &templates));
        } else if (!writer_->PathOf(id).ok()) {
          UNIVAL_RETURN_IF_ERROR(writer_->CopyComponent(*input.directory, id));
        }
      }
    }
    return templates.empty() ? absl::OkStatus() : writer_->AddFolder(kTemplates, templates);
  }

  // A set of the same name is the first model's.
  absl::Status AddTemplates(const MergeInput& input, std::map<std::string, std::string>* sets) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string folder, input.directory->ComponentPath(kTemplates));
    UNIVAL_ASSIGN_OR_RETURN(const auto files, FilesOfFolder(folder));
    for (const auto& [name, text] : files) {
      const auto [there, added] = sets->emplace(name, text);
      if (added || there->second == text) continue;
      report_.notes.push_back(absl::StrCat(kTemplates, "/", name, ": that of ",
                                           inputs_.models.front().path(), "; ", input.path(),
                                           " has another"));
    }
    return absl::OkStatus();
  }

  Manifest WithLineage() const {
    std::vector<Descent> models;
    std::vector<std::string> notes;
    for (size_t i = 0; i < inputs_.models.size(); ++i) {
      models.push_back(inputs_.models[i].descent());
      notes.push_back(NoteOf(i));
    }
    Lineage entry;
    entry.set_command(absl::StrCat("merge ", method_.name));
    entry.set_plan(options_.plan);
    entry.set_seed(options_.seed);
    Manifest manifest = manifest_;
    manifest.clear_lineage();
    for (const Lineage& step : MergedLineage(models, notes, entry)) *manifest.add_lineage() = step;
    return manifest;
  }

  // What the lineage notes of a model: "nano, share 0.3". In a pair the second one has the rest.
  std::string NoteOf(size_t model) const {
    std::string note = inputs_.models[model].manifest().name();
    const double lambda = options_.lambda.value_or(method_.default_scale);
    if (method_.is_pair) {
      absl::StrAppend(&note, ", share ", model == 0 ? lambda : 1 - lambda);
    } else {
      absl::StrAppend(&note, ", weight ", options_.weights[model]);
    }
    for (const PartLambda& part : options_.parts) {
      absl::StrAppend(&note, ", ", part.pattern, " lambda ", part.lambda);
    }
    if (!options_.measured.from.empty()) {
      absl::StrAppend(&note, ", statistics of ", options_.measured.from);
    }
    if (!method_.needs_base) return note;
    return absl::StrCat(note, ", lambda ", lambda, ", density ", options_.density, ", base ",
                        inputs_.base->backbone_sha256);
  }

  const MergeOptions& options_;
  const MergeMethod& method_;
  const MergeInputs inputs_;
  Manifest manifest_;
  std::vector<MergePart> parts_;
  std::unique_ptr<ModelDirectoryWriter> writer_;
  std::string merged_sha256_;
  int64_t done_ = 0, total_ = 0;
  MergeReport report_;
};

}  // namespace

absl::StatusOr<MergeReport> MergeModels(const MergeOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const MergeMethod* method, CheckMergeOptions(options));
  MergeOptions complete = options;
  if (complete.weights.empty()) complete.weights.assign(options.models.size(), 1);
  UNIVAL_ASSIGN_OR_RETURN(MergeInputs inputs, OpenMergeInputs(complete));
  return CatchTorch("merge", [&] { return Merger(complete, *method, std::move(inputs)).Run(); });
}

}  // namespace unival
