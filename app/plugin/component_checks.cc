#include "app/plugin/component_checks.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "app/plugin/probe_media.h"
#include "app/plugin/watched_components.h"
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

CallObserver CallsOf(const ComponentCheck& check) {
  return [&observer = check.observer](const std::string& call) { observer.Calls(call); };
}

std::string NameOf(const Registry::Entry& entry) {
  return absl::StrCat(entry.kind, " ", entry.type);
}

ConformanceReport NotCreated(const ComponentCheck& check, const absl::Status& status) {
  const ConformanceRow row = {"create", false, std::string(status.message())};
  check.observer.Ends(row);
  return {NameOf(check.entry), {row}};
}

absl::Status NoSamples(const Registry::Entry& entry, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(entry.kind, " \"", entry.type, "\" cannot be checked: ", why,
                   ". Give --sample FILE or FOLDER, or put a folder \"samples\" beside "
                   "the plugin"));
}

// `report` with the component's name in the registry.
ConformanceReport Named(ConformanceReport report, const Registry::Entry& entry) {
  report.component = NameOf(entry);
  return report;
}

absl::StatusOr<ConformanceReport> CheckModalityEntry(const ComponentCheck& check) {
  UNIVAL_ASSIGN_OR_RETURN(const ModalityConfig config, ConfigOf(check.options, check.entry.type));
  auto modality = check.runtime.registry().CreateModality(config, check.runtime.services());
  if (!modality.ok()) return NotCreated(check, modality.status());
  modality = Watched(*std::move(modality), CallsOf(check));
  ModalityProbe probe;
  probe.max_seconds_per_sample = check.options.max_seconds_per_sample;
  probe.max_bytes_per_sample = static_cast<int64_t>(check.options.max_mib_per_sample * 1024 * 1024);
  for (const std::string& file : check.samples.media) {
    RawSample sample;
    sample.media = {file, file, nullptr};
    probe.samples.push_back(sample);
  }
  if (probe.samples.empty()) {
    auto generated = GenerateProbe(**modality);
    if (!generated.ok()) return NoSamples(check.entry, generated.status().message());
    probe.samples = *std::move(generated);
  }
  if (probe.samples.size() < 2)
    return NoSamples(check.entry, "one sample was given, at least two are needed");
  return Named(CheckModality(**modality, probe, &check.observer), check.entry);
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

absl::StatusOr<ConformanceReport> CheckTokenizerEntry(const ComponentCheck& check) {
  const std::string folder =
      check.options.tokenizer.empty() ? check.samples.folder : check.options.tokenizer;
  if (folder.empty())
    return NoSamples(check.entry,
                     "the folder with its files is not known; give --tokenizer FOLDER");
  UNIVAL_RETURN_IF_ERROR(CheckFilesIn(folder));
  auto tokenizer = check.runtime.registry().CreateTokenizer(check.entry.type, folder, "core.bpe");
  if (!tokenizer.ok()) return NotCreated(check, tokenizer.status());
  tokenizer = Watched(*std::move(tokenizer), CallsOf(check));
  TokenizerProbe probe;
  UNIVAL_ASSIGN_OR_RETURN(probe.texts, TextsFor(**tokenizer, check.samples.texts));
  return Named(CheckTokenizer(**tokenizer, probe, &check.observer), check.entry);
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

absl::StatusOr<ConformanceReport> CheckTaskEntry(const ComponentCheck& check) {
  const ByteVocabulary vocabulary(check.runtime.registry().token_blocks());
  auto task = check.runtime.registry().CreateTask(check.entry.type, vocabulary);
  if (!task.ok()) return NotCreated(check, task.status());
  task = Watched(*std::move(task), CallsOf(check));
  if (check.samples.records.empty()) return NoSamples(check.entry, "no records (FILE.jsonl)");
  UNIVAL_ASSIGN_OR_RETURN(TaskProbe probe, ReadRecords(**task, check.samples.records));
  probe.scores = check.runtime.registry().scores();
  return Named(CheckTask(**task, vocabulary, probe, &check.observer), check.entry);
}

// Checks a network. If the modality configuration of `options` names this network as its encoder,
// the network gets the options given there.
absl::StatusOr<ConformanceReport> CheckNetworkEntry(const ComponentCheck& check) {
  constexpr int64_t kSide = 64;
  UNIVAL_ASSIGN_OR_RETURN(const ModalityConfig config, ConfigOf(check.options, check.entry.type));
  EncoderConfig encoder;
  encoder.mutable_named()->set_network(check.entry.type);
  if (config.encoder().named().network() == check.entry.type) encoder = config.encoder();
  EncoderInput input;
  input.width = config.image().width() > 0 ? config.image().width() : kSide;
  input.height = config.image().height() > 0 ? config.image().height() : kSide;
  const auto network = check.runtime.registry().CreateNetwork(encoder, input);
  if (!network.ok()) return NotCreated(check, network.status());
  return Named(CheckNetwork(**network, input, &check.observer), check.entry);
}

absl::StatusOr<ConformanceReport> CheckMetricEntry(const ComponentCheck& check) {
  UNIVAL_ASSIGN_OR_RETURN(const MetricFactory* metric,
                          check.runtime.registry().FindMetric(check.entry.type));
  return CheckMetric(*metric, &check.observer);
}

// By the kinds of Registry::Entry.
struct KindRow {
  const char* kind;
  absl::StatusOr<ConformanceReport> (*check)(const ComponentCheck&);
};

constexpr KindRow kKinds[] = {
    {"metric", &CheckMetricEntry},       {"modality", &CheckModalityEntry},
    {"network", &CheckNetworkEntry},     {"task", &CheckTaskEntry},
    {"tokenizer", &CheckTokenizerEntry},
};

}  // namespace

std::vector<std::string> CheckedKinds() {
  std::vector<std::string> kinds;
  for (const KindRow& row : kKinds) kinds.emplace_back(row.kind);
  return kinds;
}

absl::StatusOr<ConformanceReport> CheckComponent(const ComponentCheck& check) {
  check.observer.Component(NameOf(check.entry));
  check.observer.Begins("create");
  check.observer.Calls("create");
  for (const KindRow& row : kKinds) {
    if (check.entry.kind == row.kind) return row.check(check);
  }
  return absl::UnimplementedError(
      absl::StrCat(NameOf(check.entry), " cannot be checked: there are no rules for its kind"));
}

}  // namespace unival
