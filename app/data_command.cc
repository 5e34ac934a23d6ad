// unival data ...: makes, packs and checks data. See docs/formats/data.md.

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "app/commands.h"
#include "runtime/runtime.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/corpus.h"
#include "training/data/import.h"
#include "training/data/source.h"

namespace unival {
namespace {

// More than any published tokenizer has; training takes time and memory in proportion.
constexpr int kMaxPieces = 1 << 20;

absl::Status TrainTokenizer(const std::string& type, const TokenizerTraining& training) {
  UNIVAL_RETURN_IF_ERROR(CheckCorpus(training.corpus));
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create({}));
  return runtime->registry().TrainTokenizer(type, training);
}

void AddTrainTokenizer(Command& data) {
  Command& command =
      data.AddCommand("train-tokenizer", "Train a sentencepiece tokenizer on a text file");
  auto training = std::make_shared<TokenizerTraining>();
  training->vocabulary_size = 1000;
  command.AddPositional("corpus", &training->corpus, "Text, one sentence a line");
  command.AddPositional("output", &training->output,
                        "File to write; models read it as tokenizer.model");
  command
      .AddOption("--size", &training->vocabulary_size,
                 "Pieces at most; from 2048 on with one for every byte")
      .Between(1, kMaxPieces)
      .ShowDefault();
  command.AddOption("--symbol", &training->symbols,
                    "Text kept as one piece; may be given several times");
  command.SetFooter(
      "Example: unival data train-tokenizer corpus.txt tokenizer/tokenizer.model --size 1000");
  command.OnRun([training] { return TrainTokenizer("sentencepiece", *training); });
}

absl::Status Import(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const ImportReport report, ImportDataset(options));
  std::cout << options.destination << ": " << report.samples << " samples, " << report.bytes
            << " bytes of media\n";
  constexpr size_t kMostNamed = 10;
  for (size_t i = 0; i < report.skipped.size() && i < kMostNamed; ++i)
    std::cout << "skipped " << report.skipped[i] << "\n";
  if (report.skipped.size() > kMostNamed)
    std::cout << "skipped " << report.skipped.size() - kMostNamed << " more\n";
  return absl::OkStatus();
}

void AddImport(Command& data) {
  Command& command =
      data.AddCommand("import", "Pack a data set in its publisher's layout into one tar");
  auto options = std::make_shared<ImportOptions>();
  command
      .AddPositional("dataset", &options->dataset,
                     "fsdd, cifar10, or folder (one sub-folder per class)")
      .OneOf(ImportDatasets());
  command.AddPositional("source", &options->source, "Folder of the data set");
  command.AddPositional("destination", &options->destination, "FILE.tar to write");
  command.AddOption("--split", &options->split, "all, train or test")
      .OneOf(ImportSplits())
      .ShowDefault();
  command.SetFooter("Example: unival data import fsdd recordings fsdd/train.tar --split train");
  command.OnRun([options] { return Import(*options); });
}

// What the first record holds that no task can read, or nothing.
std::string UnreadableColumn(SourceOptions options) {
  options.needed.reset();
  const auto source = OpenSource(options);
  if (!source.ok()) return "";
  return std::string((*source)->Read(0).status().message());
}

// Modality types that plugins registered.
std::vector<std::string> PluginModalities(const Runtime& runtime) {
  std::vector<std::string> types;
  for (const Registry::Entry& entry : runtime.registry().List()) {
    if (entry.kind == "modality" && entry.origin != "built-in") types.push_back(entry.type);
  }
  return types;
}

bool HasColumn(const std::vector<std::string>& columns, const std::string& name) {
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

// Prepares every media item of the column as training would; the first that is damaged, and how
// many are.
absl::Status DecodeColumn(const Source& source, const std::string& column, const Runtime& runtime,
                          int64_t* decoded) {
  ModalityConfig config;
  config.set_id(column);
  config.set_type(column);
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Modality> modality,
                          runtime.registry().CreateModality(config, runtime.services()));
  absl::Status first;
  int64_t damaged = 0;
  for (int64_t i = 0; i < source.size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source.Read(i));
    const auto field = sample.fields.find(column);
    if (field == sample.fields.end()) continue;
    const auto* media = std::get_if<MediaSource>(&field->second);
    if (media == nullptr)
      return InvalidArgument(sample.key, ": column \"", column, "\" is no media");
    const absl::Status status = modality->Preprocess({*media}).status();
    if (!status.ok() && !IsMediaError(status)) return Annotate(status, sample.key);
    ++*decoded;
    damaged += status.ok() ? 0 : 1;
    if (first.ok()) first = Annotate(status, sample.key);
  }
  return damaged < 2 ? first : Annotate(first, damaged, " media items are damaged, the first is ");
}

absl::Status CheckData(SourceOptions options, const RuntimeOptions& plugins) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(plugins));
  const std::vector<std::string> types = PluginModalities(*runtime), named = options.media_columns;
  options.media_columns.insert(options.media_columns.end(), types.begin(), types.end());
  // Which columns a task will read is not known here.
  options.needed.emplace();
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(options));
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> columns, AllColumns(*source));
  const std::string there = absl::StrJoin(columns, ", ");
  for (const std::string& column : named) {
    if (HasColumn(columns, column)) continue;
    return InvalidArgument("--media ", column, ": no record of ", options.path,
                           " has this column; they have: ", there);
  }
  int64_t decoded = 0;
  bool is_used = types.empty();
  for (const std::string& type : types) {
    if (!HasColumn(columns, type)) continue;
    is_used = true;
    UNIVAL_RETURN_IF_ERROR(DecodeColumn(*source, type, *runtime, &decoded));
  }
  if (!is_used) {
    return InvalidArgument("--plugin: no record of ", options.path, " has a column named like a ",
                           "modality of the plugins (", absl::StrJoin(types, ", "),
                           "); they have: ", there);
  }
  std::cout << options.path << ": " << source->size() << " records; columns: " << there;
  if (!types.empty()) std::cout << "; " << decoded << " media items of plugins decoded";
  std::cout << "\n";
  const std::string unreadable = UnreadableColumn(options);
  if (!unreadable.empty()) std::cout << "For no task: " << unreadable << "\n";
  return absl::OkStatus();
}

void AddDataCheck(Command& data) {
  Command& command = data.AddCommand("check", "Read every record of a file");
  auto options = std::make_shared<SourceOptions>();
  auto plugins = std::make_shared<RuntimeOptions>();
  command.AddPositional("file", &options->path, "FILE.jsonl or FILE.tar");
  command.AddOption("--media", &options->media_columns,
                    "A column that holds media, beside audio, depth, image and video; may be "
                    "given several times");
  command.AddOption(
      "--plugin", &plugins->plugins,
      "A plugin whose modalities prepare the media of the columns that are named like "
      "them, as in training; may be given several times");
  command.SetFooter("Example: unival data check world/image/train/caption.jsonl");
  command.OnRun([options, plugins] { return CheckData(*options, *plugins); });
}

}  // namespace

void AddDataCommand(Command& program) {
  Command& data = program.AddCommand("data", "Make, pack and check data");
  AddTrainTokenizer(data);
  AddImport(data);
  AddDataCheck(data);
}

}  // namespace unival
