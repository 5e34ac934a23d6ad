#include "tasks/templates/template_set.h"

#include <google/protobuf/text_format.h>
#include <xxhash.h>

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
  return lines;
}

// A text of this size has its lines counted before they are taken.
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

// Replaces a label file by its lines. `directory`: where the set's file lies; empty: the set was
// stored with a model, or has no file.
absl::Status InlineLabels(LoadedTemplate& task, const std::string& directory) {
  if (task.proto.labels().file().empty()) return absl::OkStatus();
  LabelSet& labels = *task.proto.mutable_labels();
  const std::string where = task.Where("labels");
  if (!labels.values().empty()) {
    return absl::InvalidArgumentError(where + "has both values and a file; keep one");
  }
  if (directory.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, "file \"", labels.file(),
        "\": a set that is stored with a model names no files; write its lines as values"));
  }
  const std::string set_file = task.file.substr(task.file.rfind('/') + 1);
  UNIVAL_ASSIGN_OR_RETURN(
      const std::string text,
      Annotate(ReadLabels(directory, set_file, labels.file()), absl::StripSuffix(where, ": ")));
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) labels.add_values(std::string(line));
    if (labels.values_size() > kMaxLabels) break;  // CheckTemplate says so
  }
  labels.clear_file();
  return absl::OkStatus();
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

absl::StatusOr<LoadedTemplateSet> LoadTemplateSet(const std::string& path,
                                                  const TemplateTypes& types) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, kMaxLabelFile));
  const size_t slash = path.rfind('/');
  return ParseTemplateSet(text, path, slash == std::string::npos ? "." : path.substr(0, slash),
                          types);
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
  TemplateSet proto;
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.WriteLocationsTo(&tree);
  parser.SetRecursionLimit(32);
  UNIVAL_RETURN_IF_ERROR(ParseTextProto(text, file, &parser, &proto));
  LoadedTemplateSet set{proto.name(), file, {}};
  const FieldDescriptor* tasks = proto.GetDescriptor()->FindFieldByName("task");
  std::set<std::string> names;
  for (int i = 0; i < proto.task_size(); ++i) {
    LoadedTemplate task{proto.task(i), file, tree.GetLocation(tasks, i).line + 1, {}};
    task.lines = FieldLines(task.proto, *tree.GetTreeForNested(tasks, i));
    UNIVAL_RETURN_IF_ERROR(InlineLabels(task, directory));
    UNIVAL_RETURN_IF_ERROR(CheckTemplate(task, types));
    if (!names.insert(task.proto.name()).second) {
      return absl::InvalidArgumentError(task.Where("name") + "a task of this name stands above");
    }
    set.tasks.push_back(std::move(task));
  }
  if (set.tasks.empty()) return absl::InvalidArgumentError(file + ": no tasks");
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
