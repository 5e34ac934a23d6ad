// The check of a file of records: its threads find, and what they find is counted together.
#include "training/data/check/data_check.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/model/backbone.h"
#include "runtime/collate.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/record_fault.h"
#include "training/data/check/data_remedy.h"
#include "training/data/check/prompt_check.h"
#include "training/data/check/record_comparison.h"
#include "training/data/check/record_inspection.h"
#include "training/data/read/output_check.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

// An answer with more values than these is no class.
constexpr size_t kMaxClasses = 1000;

class DataCheck {
 public:
  DataCheck(const DataCheckOptions& options, const Runtime& runtime, const LoadedTemplate* task,
            const Model* model)
      : options_(options),
        runtime_(runtime),
        task_(task),
        model_(model),
        inspection_(runtime, task, model, options.media_columns) {}

  absl::StatusOr<DataReport> Run() {
    UNIVAL_RETURN_IF_ERROR(Prepare());
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, Open(options_.path));
    UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({options_.output}, *source));
    for (const std::string& path : options_.against) UNIVAL_RETURN_IF_ERROR(ReadAgainst(path));
    report_.path = options_.path;
    report_.records = source->size();
    report_.remarks = source->remarks();
    inspection_.Run(*source, options_.threads, [&](const Inspected& inspected, int64_t index) {
      Take(inspected, index);
      if (options_.progress) options_.progress(index + 1, source->size());
    });
    UNIVAL_RETURN_IF_ERROR(CheckAsked());
    AddFiles(*source);
    Finish();
    return std::move(report_);
  }

 private:
  absl::Status Prepare() {
    UNIVAL_RETURN_IF_ERROR(inspection_.Prepare());
    if (task_ == nullptr) return absl::OkStatus();
    report_.task = task_->proto.name();
    const TemplateReading& reading = inspection_.reading();
    comparison_ = std::make_unique<RecordComparison>(PatternColumns(reading.prompts[0]),
                                                     PatternColumns(reading.target),
                                                     HasClosedAnswers(reading));
    if (model_ == nullptr) return absl::OkStatus();
    CheckAgainstModel(*task_, runtime_, *model_, &problems_);
    lengths_ = std::make_unique<LengthCheck>(reading, inspection_.vocabulary(),
                                             model_->manifest().backbone());
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Source>> Open(const std::string& path) const {
    return inspection_.Open(path, options_.columns, options_.limit, options_.media_roots,
                            options_.index);
  }

  void AddRow(const std::string& kind, const std::string& column, const std::string& remedy,
              const std::string& record, const std::string& what) {
    Problem problem;
    problem.kind = kind;
    problem.file = options_.path;
    problem.task = report_.task;
    problem.slot = column;
    problem.remedy = remedy;
    problems_.Add(std::move(problem), record, what);
  }

  // After all records: lines open the tars that they name.
  void AddFiles(const Source& source) {
    for (const auto& [file, warning] : source.warnings()) {
      Problem problem;
      problem.kind = "no_archive_end";
      problem.file = file;
      problem.what = warning.what;
      problem.remedy = warning.remedy;
      problems_.Add(std::move(problem));
    }
  }

  void Take(const Inspected& inspected, int64_t index) {
    if (!inspected.sample.ok()) {
      ++unreadable_;
      const ProblemRow row =
          ReadErrorRow(options_.path, index, inspected.sample.status().message());
      const std::string kind = KindOfReadError(inspected.sample.status());
      return AddRow(kind, "", RemedyOfReadError(kind), row.record, row.what);
    }
    const TaskSample& sample = *inspected.sample;
    std::vector<std::string> columns;
    for (const auto& field : sample.fields) columns.push_back(field.first);
    columns_.insert(columns.begin(), columns.end());
    for (const RecordFault& fault : inspected.faults) {
      AddRow(fault.kind, fault.column, RecordRemedy(fault, columns), sample.key, fault.what);
    }
    TakeMedia(inspected, sample);
    if (task_ == nullptr) return;
    if (lengths_ != nullptr) lengths_->Check(sample, &problems_);
    TakeTexts(sample);
    Compare(inspected, sample);
  }

  void TakeMedia(const Inspected& inspected, const TaskSample& sample) {
    for (const auto& [column, verdict] : inspected.media) {
      const std::string& modality = inspection_.ModalityOf(column);
      report_.decoded += verdict.decoded ? 1 : 0;
      report_.plugin_decoded += inspection_.plugin_types().count(modality);
      if (!verdict.kind.empty()) {
        AddRow(verdict.kind, column, RemedyOfMedia(verdict.kind), sample.key, verdict.what);
        continue;
      }
      CheckSize(verdict, column, sample);
      CheckGrid(verdict, column, sample);
    }
  }

  // The picture's own size against what the record says of it.
  void CheckSize(const MediaVerdict& verdict, const std::string& column, const TaskSample& sample) {
    const auto width = sample.fields.find(kWidthColumn);
    const auto height = sample.fields.find(kHeightColumn);
    if (verdict.width == 0 || width == sample.fields.end() || height == sample.fields.end()) return;
    const auto* w = std::get_if<double>(&width->second);
    const auto* h = std::get_if<double>(&height->second);
    if (w == nullptr || h == nullptr || (*w == verdict.width && *h == verdict.height)) return;
    AddRow("size_differs", column, "write the size of the picture that the boxes were drawn in",
           sample.key,
           absl::StrCat("the picture has ", verdict.width, " x ", verdict.height,
                        " pixels, columns width and height say ", *w, " x ", *h));
  }

  // Asks the backbone, once for each modality and shape, whether it can take such media: the
  // position grid may be too small for them, or the sequence too long.
  void CheckGrid(const MediaVerdict& verdict, const std::string& column, const TaskSample& sample) {
    const std::string& modality = inspection_.ModalityOf(column);
    if (model_ == nullptr || verdict.shape.empty() || model_->modality(modality) == nullptr) return;
    const std::string name = absl::StrCat(modality, " ", verdict.shape);
    auto known = grids_.find(name);
    if (known == grids_.end()) {
      Seq2SeqExample example;
      example.key = sample.key;
      example.media.push_back({modality, std::get<MediaSource>(sample.fields.at(column))});
      example.source = {inspection_.vocabulary().bos(), inspection_.vocabulary().eos()};
      known = grids_.emplace(name, Encodes(std::move(example))).first;
    }
    if (known->second.ok()) return;
    AddRow("beyond_positions", column,
           "image_bucket_size of the model's backbone (inspect shows it; a plan's fresh_model sets "
           "it) "
           "is the side of its grid: smaller pictures, or a larger grid",
           sample.key, std::string(known->second.message()));
  }

  absl::Status Encodes(Seq2SeqExample example) const {
    UNIVAL_ASSIGN_OR_RETURN(const PreparedExample prepared,
                            unival::Prepare(*model_, std::move(example), {}));
    return CatchTorch("positions", [&]() -> absl::Status {
      const at::NoGradGuard no_grad;
      UNIVAL_ASSIGN_OR_RETURN(const ModelInput input, MakeModelInput(*model_, {prepared}));
      model_->backbone().Encode(input, /*keep_hidden=*/false);
      return absl::OkStatus();
    });
  }

  void TakeTexts(const TaskSample& sample) {
    for (const auto& [column, value] : sample.fields) {
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr) continue;
      const std::vector<absl::string_view> words =
          absl::StrSplit(*text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
      report_.words[column].Add(static_cast<int64_t>(words.size()));
    }
    for (const std::string& column : PatternColumns(inspection_.reading().target)) {
      const auto found = sample.fields.find(column);
      if (found == sample.fields.end() || std::holds_alternative<MediaSource>(found->second)) {
        continue;
      }
      auto& values = report_.classes[column];
      if (values.size() <= kMaxClasses) ++values[ValueText(found->second)];
    }
  }

  // Compares a record with those before it, and with the records of the files in `against`.
  void Compare(const Inspected& inspected, const TaskSample& sample) {
    for (const Likeness& likeness : comparison_->Take(sample, inspected.digests())) {
      AddRow(likeness.kind, likeness.column, likeness.remedy, sample.key, likeness.what);
    }
  }

  absl::Status ReadAgainst(const std::string& path) {
    if (comparison_ == nullptr)
      return InvalidArgument(
          "--against: expected a task, whose media and questions are compared, got none; add "
          "--task NAME");
    // Reads all records: `limit` is about the file that is checked.
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source,
                            inspection_.Open(path, options_.columns, /*limit=*/0,
                                             options_.media_roots, options_.index));
    UNIVAL_RETURN_IF_ERROR(CheckOutputFiles({options_.output}, *source));
    inspection_.RunHashing(*source, options_.threads, [&](const Inspected& inspected, int64_t) {
      if (inspected.sample.ok()) comparison_->AddOther(*inspected.sample, inspected.digests());
    });
    return absl::OkStatus();
  }

  // What the options name must be in the data. Not checked when some records could not be read,
  // because those may hold it.
  absl::Status CheckAsked() const {
    if (unreadable_ > 0) return absl::OkStatus();
    const std::string there = absl::StrJoin(columns_, ", ");
    for (const std::string& column : options_.media_columns) {
      if (columns_.count(column) > 0) continue;
      return InvalidArgument("--media ", column, ": no record of ", options_.path,
                             " has this column; they have: ", there);
    }
    if (inspection_.plugin_types().empty() || task_ != nullptr ||
        absl::c_any_of(inspection_.plugin_types(),
                       [this](const std::string& type) { return columns_.count(type) > 0; })) {
      return absl::OkStatus();
    }
    return InvalidArgument("--plugin: no record of ", options_.path, " has a column named like a ",
                           "modality of the plugins (",
                           absl::StrJoin(inspection_.plugin_types(), ", "),
                           "); they have: ", there);
  }

  void Finish() {
    report_.columns.assign(columns_.begin(), columns_.end());
    for (auto entry = report_.classes.begin(); entry != report_.classes.end();) {
      entry = entry->second.size() > kMaxClasses ? report_.classes.erase(entry) : std::next(entry);
    }
    if (task_ != nullptr && task_->proto.has_labels()) {
      const auto& seen = report_.classes[task_->proto.labels().slot()];
      for (const std::string& label : task_->proto.labels().values()) {
        if (seen.count(label) == 0) report_.unused_labels.push_back(label);
      }
    }
    if (lengths_ != nullptr) {
      report_.prompt_tokens = lengths_->prompt_tokens();
      report_.target_tokens = lengths_->target_tokens();
    }
    report_.problems = problems_.all();
  }

  const DataCheckOptions& options_;
  const Runtime& runtime_;
  const LoadedTemplate* task_;
  const Model* model_;
  RecordInspection inspection_;
  std::unique_ptr<LengthCheck> lengths_;
  std::set<std::string> columns_;
  int64_t unreadable_ = 0;                        // records
  std::map<std::string, absl::Status> grids_;     // modality and shape -> what it gave
  std::unique_ptr<RecordComparison> comparison_;  // with a task
  ProblemList problems_;
  DataReport report_;
};

}  // namespace

absl::StatusOr<DataReport> CheckData(const DataCheckOptions& options, const Runtime& runtime,
                                     const LoadedTemplate* task, const Model* model) {
  return DataCheck(options, runtime, task, model).Run();
}

}  // namespace unival
