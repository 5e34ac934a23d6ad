// The check of a plugin, in one piece: a part for each kind of component.
#include "app/plugin/plugin_check.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "app/plugin/probe_media.h"
#include "app/plugin/watched_components.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/plugin_files.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "sdk/native/feature_encoder.h"
#include "sdk/testing/byte_vocabulary.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

struct Samples {
  std::string folder;  // first folder among what was given
  std::vector<std::string> media, records, texts;
};

void AddFile(const std::string& file, Samples* samples) {
  std::vector<std::string>* list = absl::EndsWith(file, ".jsonl") ? &samples->records
                                   : absl::EndsWith(file, ".txt") ? &samples->texts
                                                                  : &samples->media;
  list->push_back(file);
}

// Whether `path` holds folders alone, as the samples of the packaged SDK do: one for each plugin.
bool HoldsOnlyFolders(const fs::path& path) {
  std::error_code ignored;
  const fs::directory_iterator entries(path, ignored);
  return !fs::is_empty(path, ignored) &&
         std::all_of(begin(entries), end(entries), [&ignored](const fs::directory_entry& entry) {
           return entry.is_directory(ignored);
         });
}

// The remedy lists samples of every kind, because only modalities can be checked with generated
// ones.
absl::Status NoFileIn(const std::string& folder, bool was_named) {
  return absl::FailedPreconditionError(absl::StrCat(
      folder,
      ": holds no file; put samples there: media of a modality, records.jsonl of a task, texts.txt "
      "of a tokenizer. A modality that takes pictures or sounds is checked with generated ones "
      "when you ",
      was_named ? "leave --sample out" : "remove the folder"));
}

absl::StatusOr<Samples> FindSamples(const PluginCheckOptions& options) {
  Samples samples;
  std::error_code ignored;
  std::vector<std::string> given = options.samples;
  const fs::path beside = fs::path(options.file).parent_path() / "samples";
  if (given.empty() && fs::is_directory(beside, ignored) && !HoldsOnlyFolders(beside)) {
    given.push_back(beside.string());
  }
  for (const std::string& path : given) {
    std::error_code error;
    if (!fs::exists(path, error))
      return absl::NotFoundError(absl::StrCat("--sample ", path, ": no such file or folder"));
    if (!fs::is_directory(path, ignored)) {
      UNIVAL_RETURN_IF_ERROR(Annotate(OpenRegularFile(path).status(), "--sample"));
      AddFile(path, &samples);
      continue;
    }
    if (samples.folder.empty()) samples.folder = path;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.is_directory(ignored)) continue;
      // A pipe or a device is no sample, and is said to be none.
      UNIVAL_RETURN_IF_ERROR(Annotate(OpenRegularFile(entry.path().string()).status(), "--sample"));
      files.push_back(entry.path().string());
    }
    if (files.empty()) return NoFileIn(path, !options.samples.empty());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) AddFile(file, &samples);
  }
  return samples;
}

absl::StatusOr<ModalityConfig> ConfigOf(const PluginCheckOptions& options,
                                        const std::string& type) {
  ModalityConfig config;
  if (!options.config.empty()) UNIVAL_RETURN_IF_ERROR(ReadTextProto(options.config, &config));
  config.set_type(type);
  if (config.id().empty()) config.set_id(type);
  for (const std::string& option : options.options) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(option, absl::MaxSplits('=', 1));
    if (!absl::StrContains(option, "=")) {
      return absl::InvalidArgumentError(absl::StrCat("--option ", option, ": expected name=value"));
    }
    (*config.mutable_options())[pair.first] = pair.second;
  }
  return config;
}

// Ignores everything; used when the caller gave no observer.
class Nobody : public CheckObserver {
 public:
  void Component(const std::string&) override {}
  void Calls(const std::string&) override {}
  void Begins(const std::string&) override {}
  void Ends(const ConformanceRow&) override {}
};

CallObserver CallsOf(CheckObserver& observer) {
  return [&observer](const std::string& call) { observer.Calls(call); };
}

ConformanceReport NotCreated(const Registry::Entry& entry, const absl::Status& status,
                             CheckObserver& observer) {
  const ConformanceRow row = {"create", false, std::string(status.message())};
  observer.Ends(row);
  return {absl::StrCat(entry.kind, " ", entry.type), {row}};
}

absl::Status NoSamples(const Registry::Entry& entry, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(entry.kind, " \"", entry.type, "\" cannot be checked: ", why,
                   ". Give --sample FILE or FOLDER, or put a folder \"samples\" beside "
                   "the plugin"));
}

// `report` with the component's name in the registry.
ConformanceReport Named(ConformanceReport report, const Registry::Entry& entry) {
  report.component = absl::StrCat(entry.kind, " ", entry.type);
  return report;
}

absl::StatusOr<ConformanceReport> CheckModalityEntry(const Registry::Entry& entry,
                                                     const Runtime& runtime,
                                                     const PluginCheckOptions& options,
                                                     const Samples& samples,
                                                     CheckObserver& observer) {
  UNIVAL_ASSIGN_OR_RETURN(const ModalityConfig config, ConfigOf(options, entry.type));
  auto modality = runtime.registry().CreateModality(config, runtime.services());
  if (!modality.ok()) return NotCreated(entry, modality.status(), observer);
  modality = Watched(*std::move(modality), CallsOf(observer));
  ModalityProbe probe;
  probe.max_seconds_per_sample = options.max_seconds_per_sample;
  probe.max_bytes_per_sample = static_cast<int64_t>(options.max_mib_per_sample * 1024 * 1024);
  for (const std::string& file : samples.media) {
    RawSample sample;
    sample.media = {file, file, nullptr};
    probe.samples.push_back(sample);
  }
  if (probe.samples.empty()) {
    auto generated = GenerateProbe(**modality);
    if (!generated.ok()) return NoSamples(entry, generated.status().message());
    probe.samples = *std::move(generated);
  }
  if (probe.samples.size() < 2)
    return NoSamples(entry, "one sample was given, at least two are needed");
  return Named(CheckModality(**modality, probe, &observer), entry);
}

// The lines of the files; without files, texts made of the tokenizer's own surface forms.
absl::StatusOr<std::vector<std::string>> TextsFor(const Tokenizer& tokenizer,
                                                  const std::vector<std::string>& files) {
  std::vector<std::string> texts;
  for (const std::string& file : files) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
    const std::vector<std::string> lines = absl::StrSplit(absl::StripSuffix(text, "\n"), '\n');
    if (!text.empty()) texts.insert(texts.end(), lines.begin(), lines.end());
  }
  if (!texts.empty()) return texts;
  const int64_t size = tokenizer.block().size, step = std::max<int64_t>(1, size / 16);
  for (int64_t index = 0; index < size; index += step) {
    const auto text = tokenizer.Decode({index});
    const auto back = text.ok() ? tokenizer.Encode(*text) : text.status();
    if (!back.ok() || text->empty()) continue;
    if (std::find(back->begin(), back->end(), -1) == back->end()) texts.push_back(*text);
  }
  return texts;
}

// A tokenizer opens its files by itself, and would wait for a pipe.
absl::Status CheckFilesIn(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    UNIVAL_RETURN_IF_ERROR(
        Annotate(OpenRegularFile(entry->path().string()).status(), "--tokenizer"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ConformanceReport> CheckTokenizerEntry(const Registry::Entry& entry,
                                                      const Runtime& runtime,
                                                      const PluginCheckOptions& options,
                                                      const Samples& samples,
                                                      CheckObserver& observer) {
  const std::string folder = options.tokenizer.empty() ? samples.folder : options.tokenizer;
  if (folder.empty())
    return NoSamples(entry, "the folder with its files is not known; give --tokenizer FOLDER");
  UNIVAL_RETURN_IF_ERROR(CheckFilesIn(folder));
  auto tokenizer = runtime.registry().CreateTokenizer(entry.type, folder, "core.bpe");
  if (!tokenizer.ok()) return NotCreated(entry, tokenizer.status(), observer);
  tokenizer = Watched(*std::move(tokenizer), CallsOf(observer));
  TokenizerProbe probe;
  UNIVAL_ASSIGN_OR_RETURN(probe.texts, TextsFor(**tokenizer, samples.texts));
  return Named(CheckTokenizer(**tokenizer, probe, &observer), entry);
}

absl::StatusOr<TaskProbe> ReadRecords(const Task& task, const std::vector<std::string>& files) {
  TaskProbe probe;
  for (const std::string& file : files) {
    SourceOptions options;
    options.path = file;
    options.media_columns = MediaColumns(task.info());
    options.usual_media = false;
    options.missing_media = true;  // tasks look at no pixels
    UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Source> source, OpenSource(options));
    for (int64_t i = 0; i < source->size(); ++i) {
      UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, source->Read(i));
      probe.samples.push_back(std::move(sample));
    }
  }
  return probe;
}

absl::StatusOr<ConformanceReport> CheckTaskEntry(const Registry::Entry& entry,
                                                 const Runtime& runtime, const Samples& samples,
                                                 CheckObserver& observer) {
  const ByteVocabulary vocabulary(runtime.registry().token_blocks());
  auto task = runtime.registry().CreateTask(entry.type, vocabulary);
  if (!task.ok()) return NotCreated(entry, task.status(), observer);
  task = Watched(*std::move(task), CallsOf(observer));
  if (samples.records.empty()) return NoSamples(entry, "no records (FILE.jsonl)");
  UNIVAL_ASSIGN_OR_RETURN(TaskProbe probe, ReadRecords(**task, samples.records));
  probe.scores = runtime.registry().scores();
  return Named(CheckTask(**task, vocabulary, probe, &observer), entry);
}

// Checks a network. If the modality configuration of `options` names this network as its encoder,
// the network gets the options given there.
absl::StatusOr<ConformanceReport> CheckNetworkEntry(const Registry::Entry& entry,
                                                    const Runtime& runtime,
                                                    const PluginCheckOptions& options,
                                                    CheckObserver& observer) {
  constexpr int64_t kSide = 64;
  UNIVAL_ASSIGN_OR_RETURN(const ModalityConfig config, ConfigOf(options, entry.type));
  EncoderConfig encoder;
  encoder.mutable_named()->set_network(entry.type);
  if (config.encoder().named().network() == entry.type) encoder = config.encoder();
  EncoderInput input;
  input.width = config.image().width() > 0 ? config.image().width() : kSide;
  input.height = config.image().height() > 0 ? config.image().height() : kSide;
  const auto network = runtime.registry().CreateNetwork(encoder, input);
  if (!network.ok()) return NotCreated(entry, network.status(), observer);
  return Named(CheckNetwork(**network, input, &observer), entry);
}

absl::StatusOr<ConformanceReport> CheckMetricEntry(const Registry::Entry& entry,
                                                   const Runtime& runtime,
                                                   CheckObserver& observer) {
  UNIVAL_ASSIGN_OR_RETURN(const MetricFactory* metric, runtime.registry().FindMetric(entry.type));
  return CheckMetric(*metric, &observer);
}

absl::StatusOr<ConformanceReport> CheckEntry(const Registry::Entry& entry, const Runtime& runtime,
                                             const PluginCheckOptions& options,
                                             const Samples& samples, CheckObserver& observer) {
  observer.Component(absl::StrCat(entry.kind, " ", entry.type));
  observer.Begins("create");
  observer.Calls("create");
  if (entry.kind == "modality")
    return CheckModalityEntry(entry, runtime, options, samples, observer);
  if (entry.kind == "tokenizer")
    return CheckTokenizerEntry(entry, runtime, options, samples, observer);
  if (entry.kind == "network") return CheckNetworkEntry(entry, runtime, options, observer);
  if (entry.kind == "metric") return CheckMetricEntry(entry, runtime, observer);
  return CheckTaskEntry(entry, runtime, samples, observer);
}

}  // namespace

bool PluginCheck::ok() const {
  return std::all_of(reports.begin(), reports.end(),
                     [](const ConformanceReport& report) { return report.ok(); });
}

absl::StatusOr<PluginCheck> CheckPlugin(const PluginCheckOptions& options,
                                        CheckObserver* observer) {
  Nobody nobody;
  if (observer == nullptr) observer = &nobody;
  const NamedPlugin named = ParseNamedPlugin(options.file);
  UNIVAL_RETURN_IF_ERROR(CheckPin(named.file, named.sha256));
  // Opened by itself first, so that its constructors are known apart from its entry function.
  observer->Calls("its constructors, while it was opened");
  UNIVAL_RETURN_IF_ERROR(OpenPlugin(named.file, named.sha256));
  observer->Calls("its entry function");
  RuntimeOptions runtime_options;
  runtime_options.plugins = {options.file};
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(runtime_options));
  UNIVAL_ASSIGN_OR_RETURN(const Samples samples, FindSamples(options));
  PluginCheck check;
  check.plugin = runtime->plugins().front();
  for (const Registry::Entry& entry : runtime->registry().List()) {
    if (entry.origin == "built-in") continue;
    UNIVAL_ASSIGN_OR_RETURN(ConformanceReport report,
                            CheckEntry(entry, *runtime, options, samples, *observer));
    check.reports.push_back(std::move(report));
  }
  if (check.reports.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin ", options.file, ": registers no component"));
  }
  return check;
}

}  // namespace unival
