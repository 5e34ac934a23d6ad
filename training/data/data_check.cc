#include "training/data/data_check.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
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
#include "sdk/testing/byte_vocabulary.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/record_fault.h"
#include "training/data/data_remedy.h"
#include "training/data/media_check.h"
#include "training/data/media_keys.h"
#include "training/data/prompt_check.h"
#include "training/data/record_comparison.h"
#include "training/data/source.h"

namespace unival {
namespace {

// Records that are held at a time.
constexpr int64_t kChunk = 256;
// An answer with more values than these is no class.
constexpr size_t kMaxClasses = 1000;

// What one record was found to be.
struct Inspected {
  absl::StatusOr<TaskSample> sample = absl::UnknownError("not read");
  std::map<std::string, MediaVerdict> media;  // by column
  std::vector<RecordFault> faults;
};

// Runs `work` for 0 ... count - 1 on several threads.
void ForEach(int64_t count, int threads, const std::function<void(int64_t)>& work) {
  std::atomic<int64_t> next{0};
  const auto run = [&] {
    // A thread computes alone, as a loader of training does; libtorch is asked first, since it sets
    // the number when a thread first asks.
    at::get_num_threads();
    omp_set_num_threads(1);
    for (int64_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> workers;
  const int64_t most = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  for (int64_t i = 0; i < std::min(most, count); ++i) workers.emplace_back(run);
  for (std::thread& worker : workers) worker.join();
}

bool HasSlotOf(const Pattern& pattern, absl::string_view type) {
  return absl::c_any_of(pattern, [type](const PatternPiece& piece) {
    return piece.type != nullptr && piece.type->name() == type;
  });
}

class DataCheck {
 public:
  DataCheck(const DataCheckOptions& options, const Runtime& runtime, const LoadedTemplate* task,
            const Model* model)
      : options_(options),
        runtime_(runtime),
        task_(task),
        model_(model),
        media_(runtime, model),
        bytes_(ByteVocabulary::Published()) {}

  absl::StatusOr<DataReport> Run() {
    UNIVAL_RETURN_IF_ERROR(Prepare());
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, Open(options_.path));
    for (const std::string& path : options_.against) UNIVAL_RETURN_IF_ERROR(ReadAgainst(path));
    report_.path = options_.path;
    report_.records = source->size();
    for (int64_t begin = 0; begin < source->size(); begin += kChunk) {
      const int64_t count = std::min(kChunk, source->size() - begin);
      std::vector<Inspected> chunk(static_cast<size_t>(count));
      ForEach(count, options_.threads,
              [&](int64_t i) { chunk[static_cast<size_t>(i)] = Inspect(*source, begin + i); });
      for (int64_t i = 0; i < count; ++i) Take(chunk[static_cast<size_t>(i)], begin + i);
      if (options_.progress) options_.progress(begin + count, source->size());
    }
    UNIVAL_RETURN_IF_ERROR(CheckAsked());
    Finish();
    return std::move(report_);
  }

 private:
  // Columns of media, the modality that reads each, and the checks of the task.
  absl::Status Prepare() {
    for (const char* column : {"audio", "depth", "image", "video"}) media_of_[column] = column;
    for (const std::string& column : options_.media_columns) media_of_.emplace(column, column);
    for (const Registry::Entry& entry : runtime_.registry().List()) {
      if (entry.kind == "modality" && entry.origin != "built-in") plugin_types_.insert(entry.type);
    }
    for (const std::string& type : plugin_types_) {
      const bool in_model = model_ != nullptr && model_->modality(type) != nullptr;
      if (!in_model) UNIVAL_RETURN_IF_ERROR(media_.AddPlugin(type));
      media_of_[type] = type;
    }
    if (task_ == nullptr) return absl::OkStatus();
    report_.task = task_->proto.name();
    for (const TaskInput& input : task_->proto.input()) media_of_[input.name()] = input.modality();
    reading_ = ReadTemplate(*task_, runtime_.template_types().slots);
    for (const Pattern& prompt : reading_.prompts) needs_size_ |= HasSlotOf(prompt, "box");
    needs_size_ |= HasSlotOf(reading_.target, "box");
    comparison_ = std::make_unique<RecordComparison>(PatternColumns(reading_.prompts[0]),
                                                     PatternColumns(reading_.target),
                                                     HasSlotOf(reading_.target, "label"));
    if (model_ == nullptr) return absl::OkStatus();
    CheckAgainstModel(*task_, runtime_, *model_, &problems_);
    lengths_ = std::make_unique<LengthCheck>(reading_, vocabulary(),
                                             model_->manifest().backbone().max_positions());
    return absl::OkStatus();
  }

  const VocabularyView& vocabulary() const {
    return model_ == nullptr ? static_cast<const VocabularyView&>(bytes_) : model_->vocabulary();
  }

  std::set<std::string> TaskColumns() const {
    std::set<std::string> columns;
    for (const TaskInput& input : task_->proto.input()) columns.insert(input.name());
    for (const Pattern& prompt : reading_.prompts) {
      for (std::string& column : PatternColumns(prompt)) columns.insert(std::move(column));
    }
    for (std::string& column : PatternColumns(reading_.target)) columns.insert(std::move(column));
    return columns;
  }

  absl::StatusOr<std::unique_ptr<Source>> Open(const std::string& path) const {
    SourceOptions opening;
    opening.path = path;
    opening.columns = options_.columns;
    opening.limit = options_.limit;
    opening.missing_media = true;
    for (const auto& entry : media_of_) opening.media_columns.push_back(entry.first);
    // Of columns that no task reads it does not matter what they hold.
    opening.needed = task_ == nullptr ? std::set<std::string>() : TaskColumns();
    return OpenSource(opening);
  }

  // Media of the task, or all there are.
  bool IsRead(const std::string& column) const {
    if (task_ == nullptr) return true;
    return absl::c_any_of(task_->proto.input(),
                          [&](const TaskInput& input) { return input.name() == column; });
  }

  Inspected Inspect(const Source& source, int64_t index) const {
    Inspected inspected;
    inspected.sample = source.Read(index);
    if (!inspected.sample.ok()) return inspected;
    for (const auto& [column, value] : inspected.sample->fields) {
      const auto* media = std::get_if<MediaSource>(&value);
      if (media == nullptr || !IsRead(column)) continue;
      inspected.media[column] = media_.Check(media_of_.at(column), *media, needs_size_);
    }
    if (task_ != nullptr) {
      inspected.faults = FaultsOfRecord(reading_, vocabulary(), *inspected.sample);
    }
    return inspected;
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

  void Take(const Inspected& inspected, int64_t index) {
    if (!inspected.sample.ok()) {
      const ProblemRow row =
          ReadErrorRow(options_.path, index, inspected.sample.status().message());
      const std::string kind = KindOfReadError(row.what);
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
      const std::string& modality = media_of_.at(column);
      report_.decoded += verdict.decoded ? 1 : 0;
      report_.plugin_decoded += plugin_types_.count(modality);
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
    const auto width = sample.fields.find("width"), height = sample.fields.find("height");
    if (verdict.width == 0 || width == sample.fields.end() || height == sample.fields.end()) return;
    const auto* w = std::get_if<double>(&width->second);
    const auto* h = std::get_if<double>(&height->second);
    if (w == nullptr || h == nullptr || (*w == verdict.width && *h == verdict.height)) return;
    AddRow("size_differs", column, "write the size of the picture that the boxes were drawn in",
           sample.key,
           absl::StrCat("the picture has ", verdict.width, " x ", verdict.height,
                        " pixels, columns width and height say ", *w, " x ", *h));
  }

  // What the backbone says of media of one shape, asked once: a position grid that is too small for
  // them, a sequence that is too long.
  void CheckGrid(const MediaVerdict& verdict, const std::string& column, const TaskSample& sample) {
    const std::string& modality = media_of_.at(column);
    if (model_ == nullptr || verdict.shape.empty() || model_->modality(modality) == nullptr) return;
    const std::string name = absl::StrCat(modality, " ", verdict.shape);
    auto known = grids_.find(name);
    if (known == grids_.end()) {
      Seq2SeqExample example;
      example.key = sample.key;
      example.media.push_back({modality, std::get<MediaSource>(sample.fields.at(column))});
      example.source = {vocabulary().bos(), vocabulary().eos()};
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
    for (const std::string& column : PatternColumns(reading_.target)) {
      const auto found = sample.fields.find(column);
      if (found == sample.fields.end() || std::holds_alternative<MediaSource>(found->second)) {
        continue;
      }
      auto& values = report_.classes[column];
      if (values.size() <= kMaxClasses) ++values[ValueText(found->second)];
    }
  }

  // With the records before it, and with those of `against`.
  void Compare(const Inspected& inspected, const TaskSample& sample) {
    for (const Likeness& likeness : comparison_->Take(sample, Digests(inspected))) {
      AddRow(likeness.kind, likeness.column, likeness.remedy, sample.key, likeness.what);
    }
  }

  static std::map<std::string, std::string> Digests(const Inspected& inspected) {
    std::map<std::string, std::string> digests;
    for (const auto& [column, verdict] : inspected.media) digests[column] = verdict.digest;
    return digests;
  }

  // Media are hashed, not decoded.
  absl::Status ReadAgainst(const std::string& path) {
    if (comparison_ == nullptr) return InvalidArgument("--against: needs --task");
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, Open(path));
    std::vector<Inspected> all(static_cast<size_t>(source->size()));
    ForEach(source->size(), options_.threads, [&](int64_t i) {
      Inspected& inspected = all[static_cast<size_t>(i)];
      absl::StatusOr<TaskSample> sample = source->Read(i);
      if (!sample.ok()) return;
      TaskSample texts{sample->key, {}};
      for (auto& [column, value] : sample->fields) {
        const auto* media = std::get_if<MediaSource>(&value);
        if (media == nullptr) {
          texts.fields[column] = std::move(value);
        } else if (IsRead(column)) {
          inspected.media[column].digest = MediaKey(*media, 0).value_or("");
        }
      }
      inspected.sample = std::move(texts);
    });
    for (const Inspected& inspected : all) {
      if (inspected.sample.ok()) comparison_->AddOther(*inspected.sample, Digests(inspected));
    }
    return absl::OkStatus();
  }

  // What was asked for by name must be there.
  absl::Status CheckAsked() const {
    const std::string there = absl::StrJoin(columns_, ", ");
    for (const std::string& column : options_.media_columns) {
      if (columns_.count(column) > 0) continue;
      return InvalidArgument("--media ", column, ": no record of ", options_.path,
                             " has this column; they have: ", there);
    }
    if (plugin_types_.empty() || task_ != nullptr ||
        absl::c_any_of(plugin_types_,
                       [this](const std::string& type) { return columns_.count(type) > 0; })) {
      return absl::OkStatus();
    }
    return InvalidArgument("--plugin: no record of ", options_.path, " has a column named like a ",
                           "modality of the plugins (", absl::StrJoin(plugin_types_, ", "),
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
  MediaCheck media_;
  const ByteVocabulary bytes_;
  std::map<std::string, std::string> media_of_;  // column -> modality
  std::set<std::string> plugin_types_;
  TemplateReading reading_;
  bool needs_size_ = false;
  std::unique_ptr<LengthCheck> lengths_;
  std::set<std::string> columns_;
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
