#include "tasks/templates/template_set.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <xxhash.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/files.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_check.h"
#include "tasks/templates/template_fault.h"

namespace unival {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// Lines of all fields that are present, from 1.
std::map<std::string, int> FieldLines(const TaskTemplate& task, TextFormat::ParseInfoTree& tree) {
  std::map<std::string, int> lines;
  std::vector<const FieldDescriptor*> fields;
  task.GetReflection()->ListFields(task, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? task.GetReflection()->FieldSize(task, field) : 1;
    for (int i = 0; i < count; ++i) {
      const int line = tree.GetLocation(field, field->is_repeated() ? i : -1).line + 1;
      lines.emplace(field->name(), line);
      if (field->is_repeated()) lines[absl::StrCat(field->name(), ":", i)] = line;
    }
  }
  // A prompt that is given as "" is not among the fields that are present, so its line is added
  // here.
  const FieldDescriptor* prompt = task.GetDescriptor()->FindFieldByName("prompt");
  const int line = tree.GetLocation(prompt, -1).line + 1;
  if (line > 0) lines.emplace(prompt->name(), line);
  return lines;
}

// The largest label file that is read, in bytes. How many labels it may hold is checked later.
constexpr int64_t kMaxLabelFile = int64_t{64} << 20;

absl::StatusOr<std::string> ReadLabels(const std::string& directory, const std::string& set_file,
                                       const std::string& labels) {
  const auto path = ResolveBelow(absl::StrCat(directory, "/", set_file), labels);
  if (!path.ok() && !absl::IsNotFound(path.status())) {
    return InvalidArgument("file \"", labels,
                           "\" must lie in or below the set's folder: ", path.status().message());
  }
  return ReadWholeFile(absl::StrCat(directory, "/", labels), kMaxLabelFile);
}

// Appends the lines of `file`, which `field` of the task names, to `lines`. `directory`: where the
// set's file lies; empty: the set was stored with a model, or has no file.
absl::Status AppendLines(const LoadedTemplate& task, const std::string& file,
                         const std::string& directory,
                         google::protobuf::RepeatedPtrField<std::string>* lines) {
  if (!lines->empty()) {
    return absl::InvalidArgumentError("has both values and a file; keep one");
  }
  if (directory.empty()) {
    return InvalidArgument(
        "file \"", file,
        "\": a set that is stored with a model names no files; write its lines as values");
  }
  const std::string set_file = task.file.substr(task.file.rfind('/') + 1);
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadLabels(directory, set_file, file));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) *lines->Add() = std::string(line);
    if (lines->size() > kMaxLabels) break;  // CheckTemplate says so
  }
  return absl::OkStatus();
}

// Replaces a label file by its lines.
absl::Status InlineLabels(LoadedTemplate& task, const std::string& directory) {
  if (task.proto.labels().file().empty()) return absl::OkStatus();
  LabelSet& labels = *task.proto.mutable_labels();
  UNIVAL_RETURN_IF_ERROR(AppendLines(task, labels.file(), directory, labels.mutable_values()));
  labels.clear_file();
  return absl::OkStatus();
}

absl::Status InlineWords(LoadedTemplate& task, const std::string& directory) {
  if (task.proto.negatives().word_file().empty()) return absl::OkStatus();
  Negatives& negatives = *task.proto.mutable_negatives();
  UNIVAL_RETURN_IF_ERROR(
      AppendLines(task, negatives.word_file(), directory, negatives.mutable_word()));
  negatives.clear_word_file();
  return absl::OkStatus();
}

// Collects unknown fields as faults. The set is read on in spite of them, so that its other faults
// are reported, too.
class UnknownFields : public google::protobuf::io::ErrorCollector {
 public:
  explicit UnknownFields(const std::string& file) : file_(file) {}
  void AddError(int, int, const std::string&) override {}
  void AddWarning(int line, int, const std::string& message) override {
    TemplateFault fault{file_, line + 1, "", "", "", message, {}, FaultKind::kUnknownField};
    fault.status = InvalidArgument(file_, ":", fault.line, ": ", message);
    faults_.push_back(std::move(fault));
  }
  const std::vector<TemplateFault>& faults() const { return faults_; }

 private:
  const std::string file_;
  std::vector<TemplateFault> faults_;
};

using Places = std::unique_ptr<TextFormat::ParseInfoTree>;

// Parses `text` into `proto` and returns the places of its fields. If the only errors are unknown
// fields, it puts these into `faults` and succeeds.
absl::StatusOr<Places> ParseText(absl::string_view text, const std::string& file,
                                 TemplateSet* proto, std::vector<TemplateFault>* faults) {
  constexpr int kMaxDepth = 32;
  auto places = std::make_unique<TextFormat::ParseInfoTree>();
  TextFormat::Parser parser;
  parser.WriteLocationsTo(places.get());
  parser.SetRecursionLimit(kMaxDepth);
  const absl::Status strict = ParseTextProto(text, file, &parser, proto);
  if (strict.ok()) return places;
  UnknownFields unknown(file);
  places = std::make_unique<TextFormat::ParseInfoTree>();
  TextFormat::Parser lenient;
  lenient.WriteLocationsTo(places.get());
  lenient.SetRecursionLimit(kMaxDepth);
  lenient.AllowUnknownField(true);
  lenient.RecordErrorsTo(&unknown);
  proto->Clear();
  if (!lenient.ParseFromString(std::string(text), proto) || unknown.faults().empty()) return strict;
  *faults = unknown.faults();
  faults->front().status = strict;  // the error that LoadTemplateSet returns
  return places;
}

// One task, with the faults that can be found without the other tasks of its set.
LoadedTemplate ReadTask(const TaskTemplate& proto, const std::string& file, int line,
                        TextFormat::ParseInfoTree& tree, const std::string& directory,
                        const TemplateTypes& types, std::vector<TemplateFault>* faults) {
  LoadedTemplate task{proto, file, line, {}, directory.empty()};
  task.lines = FieldLines(task.proto, tree);
  const absl::Status labels = InlineLabels(task, directory);
  if (!labels.ok()) faults->push_back(FaultAt(task, "labels", "", labels));
  const absl::Status words = InlineWords(task, directory);
  if (!words.ok()) faults->push_back(FaultAt(task, "negatives", "", words));
  std::vector<TemplateFault> found = CheckTemplate(task, types);
  faults->insert(faults->end(), found.begin(), found.end());
  // Not for sets that a model stores: these were printed, and printing leaves out empty fields.
  if (!task.is_stored && !proto.input().empty() && task.lines.count("prompt") == 0) {
    faults->push_back(FaultAt(
        task, "prompt", "",
        InvalidArgument("is missing; write what the model is asked, or prompt: \"\" for nothing")));
  }
  return task;
}

// Reads the whole set and collects all faults. An error only for text that is no text format.
absl::StatusOr<LoadedTemplateSet> ParseAll(absl::string_view text, const std::string& file,
                                           const std::string& directory, const TemplateTypes& types,
                                           std::vector<TemplateFault>* faults) {
  TemplateSet proto;
  UNIVAL_ASSIGN_OR_RETURN(const Places places, ParseText(text, file, &proto, faults));
  LoadedTemplateSet set{proto.name(), file, {}};
  const FieldDescriptor* tasks = proto.GetDescriptor()->FindFieldByName("task");
  std::set<std::string> names;
  for (int i = 0; i < proto.task_size(); ++i) {
    LoadedTemplate task = ReadTask(proto.task(i), file, places->GetLocation(tasks, i).line + 1,
                                   *places->GetTreeForNested(tasks, i), directory, types, faults);
    if (!names.insert(task.proto.name()).second) {
      faults->push_back(
          FaultAt(task, "name", "", InvalidArgument("a task of this name stands above")));
    }
    set.tasks.push_back(std::move(task));
  }
  CheckFurtherExamples(set, types, faults);
  if (set.tasks.empty()) {
    faults->push_back({file, 0, "", "", "", "no tasks", InvalidArgument(file, ": no tasks"),
                       FaultKind::kNoTasks});
  }
  return set;
}

std::string FolderOfSet(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

std::string LoadedTemplate::Where(absl::string_view field) const {
  const auto found = lines.find(std::string(field));
  const int at = found == lines.end() ? line : found->second;
  std::string where = file;
  if (at > 0) absl::StrAppend(&where, ":", at);
  absl::StrAppend(&where, ": task \"", proto.name(), "\": ");
  if (!field.empty()) absl::StrAppend(&where, field, ": ");
  return where;
}

const LoadedTemplate* LoadedTemplateSet::Find(absl::string_view task) const {
  for (const LoadedTemplate& candidate : tasks) {
    if (candidate.proto.name() == task) return &candidate;
  }
  return nullptr;
}

TemplateFault FaultAt(const LoadedTemplate& task, absl::string_view field, absl::string_view slot,
                      const absl::Status& what, FaultKind kind) {
  const auto found = task.lines.find(std::string(field));
  return {task.file,
          found == task.lines.end() ? task.line : found->second,
          task.proto.name(),
          std::string(field),
          std::string(slot),
          std::string(what.message()),
          WithMessage(what, absl::StrCat(task.Where(field), what.message())),
          kind};
}

absl::StatusOr<LoadedTemplateSet> LoadTemplateSet(const std::string& path,
                                                  const TemplateTypes& types) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, kMaxLabelFile));
  return ParseTemplateSet(text, path, FolderOfSet(path), types);
}

absl::Status ReadTemplateSet(const std::string& path, const TemplateTypes& types,
                             LoadedTemplateSet* set, std::vector<TemplateFault>* faults) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, kMaxLabelFile));
  UNIVAL_ASSIGN_OR_RETURN(*set, ParseAll(text, path, FolderOfSet(path), types, faults));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SharedTemplateSet>> LoadTemplateSets(
    const std::vector<std::string>& paths, const TemplateTypes& types) {
  std::vector<SharedTemplateSet> sets;
  for (const std::string& path : paths) {
    UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, LoadTemplateSet(path, types));
    sets.push_back(std::make_shared<const LoadedTemplateSet>(std::move(set)));
  }
  return sets;
}

std::vector<std::string> TemplateModalities(const TaskTemplate& task) {
  std::vector<std::string> modalities;
  for (const TaskInput& input : task.input()) {
    const auto same = std::find(modalities.begin(), modalities.end(), input.modality());
    if (same == modalities.end()) modalities.push_back(input.modality());
  }
  return modalities;
}

absl::StatusOr<LoadedTemplateSet> ParseTemplateSet(absl::string_view text, const std::string& file,
                                                   const std::string& directory,
                                                   const TemplateTypes& types) {
  std::vector<TemplateFault> faults;
  UNIVAL_ASSIGN_OR_RETURN(LoadedTemplateSet set, ParseAll(text, file, directory, types, &faults));
  if (!faults.empty()) return faults.front().status;
  return set;
}

std::string TemplateSetText(const LoadedTemplateSet& set) {
  TemplateSet proto;
  proto.set_name(set.name);
  for (const LoadedTemplate& task : set.tasks) *proto.add_task() = task.proto;
  return PrintTextProto(proto);
}

std::string TemplateSetHash(const LoadedTemplateSet& set) {
  LoadedTemplateSet meaning = set;
  for (LoadedTemplate& task : meaning.tasks) task.proto.clear_summary();
  const std::string text = TemplateSetText(meaning);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return absl::StrCat("xxh128:", absl::Hex(hash.high64, absl::kZeroPad16),
                      absl::Hex(hash.low64, absl::kZeroPad16));
}

}  // namespace unival
