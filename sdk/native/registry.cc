#include "sdk/native/registry.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sdk/base/names.h"

namespace unival {

// Plugins use the code of the SDK's messages from the host, so every host must link it, even if it
// does not use it itself.
extern const void* const kSdkMessages[];
const void* const kSdkMessages[] = {&ModalityConfig::default_instance(),
                                    &TaskTemplate::default_instance()};

namespace {

absl::Status CheckId(absl::string_view kind, absl::string_view id) {
  if (IsId(id)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(kind, " \"", id, "\": expected a name of the form ", kIdForm));
}

absl::Status Taken(absl::string_view kind, absl::string_view id, absl::string_view origin,
                   absl::string_view owner) {
  return absl::AlreadyExistsError(absl::StrCat(kind, " \"", id, "\" from ", origin,
                                               " is already registered by ", owner,
                                               "; rename one of them"));
}

absl::Status CheckBlock(const TokenBlockSpec& block) {
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(block.id, absl::MaxSplits('.', 1));
  if (!IsId(names.first) || !IsId(names.second)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "token block \"", block.id, "\": expected \"<owner>.<name>\" of the form ", kIdForm));
  }
  if (names.first == "core") {
    return absl::InvalidArgumentError(
        absl::StrCat("token block \"", block.id, "\": \"core.\" is the host's"));
  }
  if (block.size <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("token block \"", block.id, "\": size ", block.size, ", expected at least 1"));
  }
  return absl::OkStatus();
}

template <typename Map, typename Factory>
absl::Status Add(absl::string_view kind, const std::string& id, const std::string& origin,
                 Factory factory, Map& map) {
  if (absl::Status status = CheckId(kind, id); !status.ok()) return status;
  if (!factory.create) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind, " \"", id, "\" from ", origin, ": no create function"));
  }
  auto found = map.find(id);
  if (found != map.end()) {
    return Taken(kind, id, origin, found->second.origin);
  }
  map.emplace(id, typename Map::mapped_type{std::move(factory), origin});
  return absl::OkStatus();
}

template <typename Map>
std::string Names(const Map& map) {
  return absl::StrJoin(map, ", ", [](std::string* out, const auto& entry) { *out += entry.first; });
}

template <typename Map>
absl::Status Unknown(absl::string_view kind, absl::string_view id, const Map& map) {
  return absl::NotFoundError(absl::StrCat(
      kind, " type \"", id, "\" is not registered; known: ", Names(map),
      ". If a plugin provides it, load the plugin with --plugin FILE or --plugin_path DIR."));
}

// The name of the network: the field of the oneof that is set, or the name in `named`. Empty when
// no network is set.
std::string NetworkName(const EncoderConfig& config) {
  if (config.has_named()) return config.named().network();
  const auto* network = EncoderConfig::descriptor()->FindOneofByName("network");
  const auto* field = config.GetReflection()->GetOneofFieldDescriptor(config, network);
  return field == nullptr ? "" : field->name();
}

}  // namespace

Registrar::~Registrar() = default;
MediaDecoder::~MediaDecoder() = default;
Tokenizer::~Tokenizer() = default;
VocabularyView::~VocabularyView() = default;

absl::Status Registry::AddModality(ModalityFactory factory) {
  const std::string id = factory.type;
  return Add("modality", id, origin_, std::move(factory), modalities_);
}

absl::Status Registry::AddTokenizer(TokenizerFactory factory) {
  const std::string id = factory.type;
  return Add("tokenizer", id, origin_, std::move(factory), tokenizers_);
}

absl::Status Registry::AddTask(TaskFactory factory) {
  const std::string id = factory.name;
  return Add("task", id, origin_, std::move(factory), tasks_);
}

absl::Status Registry::AddNetwork(NetworkFactory factory) {
  const std::string id = factory.name;
  return Add("network", id, origin_, std::move(factory), networks_);
}

absl::Status Registry::AddMetric(MetricFactory factory) {
  const std::string id = factory.name;
  for (const ScoreInfo& score : factory.scores) {
    if (!score.name.empty() && score.name.find('/') == std::string::npos) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("metric \"", id, "\" of ", origin_,
                     ": scores: expected names as its results have them, without \"/\", got \"",
                     score.name, "\"; \"/kind=...\" needs no entry of its own"));
  }
  return Add("metric", id, origin_, std::move(factory), metrics_);
}

absl::Status Registry::AddTokenBlock(TokenBlockSpec block) {
  if (absl::Status status = CheckBlock(block); !status.ok()) return status;
  auto found = token_blocks_.find(block.id);
  if (found != token_blocks_.end())
    return Taken("token block", block.id, origin_, found->second.origin);
  const std::string id = block.id;
  token_blocks_.emplace(id, Registered<TokenBlockSpec>{std::move(block), origin_});
  return absl::OkStatus();
}

std::vector<TokenBlockSpec> Registry::token_blocks() const {
  std::vector<TokenBlockSpec> blocks;
  for (const auto& entry : token_blocks_) blocks.push_back(entry.second.factory);
  return blocks;
}

absl::Status Registry::TrainTokenizer(absl::string_view type,
                                      const TokenizerTraining& training) const {
  auto found = tokenizers_.find(type);
  if (found == tokenizers_.end()) return Unknown("tokenizer", type, tokenizers_);
  if (!found->second.factory.train) {
    return absl::UnimplementedError(absl::StrCat("tokenizer type \"", type, "\" from ",
                                                 found->second.origin, " cannot be trained"));
  }
  return found->second.factory.train(training);
}

absl::StatusOr<std::unique_ptr<Modality>> Registry::CreateModality(
    const ModalityConfig& config, const HostServices& services) const {
  const std::string& type = config.type().empty() ? config.id() : config.type();
  auto found = modalities_.find(type);
  if (found == modalities_.end()) return Unknown("modality", type, modalities_);
  return found->second.factory.create(config, services);
}

absl::StatusOr<std::unique_ptr<Tokenizer>> Registry::CreateTokenizer(
    absl::string_view type, const std::string& directory, const std::string& block) const {
  auto found = tokenizers_.find(type);
  if (found == tokenizers_.end()) return Unknown("tokenizer", type, tokenizers_);
  return found->second.factory.create(directory, block);
}

absl::StatusOr<std::unique_ptr<Task>> Registry::CreateTask(absl::string_view name,
                                                           const VocabularyView& vocabulary) const {
  auto found = tasks_.find(name);
  if (found == tasks_.end()) return Unknown("task", name, tasks_);
  return found->second.factory.create(vocabulary);
}

absl::StatusOr<std::shared_ptr<FeatureEncoder>> Registry::CreateNetwork(
    const EncoderConfig& config, const EncoderInput& input) const {
  const std::string name = NetworkName(config);
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoder: none is set, expected one of ", Names(networks_)));
  }
  auto found = networks_.find(name);
  if (found == networks_.end()) return Unknown("network", name, networks_);
  return found->second.factory.create(config, input);
}

absl::StatusOr<const MetricFactory*> Registry::FindMetric(absl::string_view name) const {
  auto found = metrics_.find(name);
  if (found != metrics_.end()) return &found->second.factory;
  return absl::NotFoundError(absl::StrCat(
      "unknown metric \"", name, "\"; known: ", Names(metrics_),
      ". If a plugin provides it, load the plugin with --plugin FILE or --plugin_path DIR."));
}

std::vector<ScoreInfo> Registry::scores() const {
  std::vector<ScoreInfo> scores;
  for (const auto& [name, registered] : metrics_) {
    const std::vector<ScoreInfo>& own = registered.factory.scores;
    scores.insert(scores.end(), own.begin(), own.end());
  }
  return scores;
}

std::vector<Registry::Entry> Registry::List() const {
  std::vector<Entry> entries;
  for (const auto& [type, registered] : metrics_) {
    entries.push_back({"metric", type, registered.factory.summary, registered.origin});
  }
  for (const auto& [type, registered] : modalities_) {
    entries.push_back({"modality", type, registered.factory.summary, registered.origin});
  }
  for (const auto& [type, registered] : networks_) {
    entries.push_back({"network", type, registered.factory.summary, registered.origin});
  }
  for (const auto& [type, registered] : tasks_) {
    entries.push_back({"task", type, registered.factory.summary, registered.origin});
  }
  for (const auto& [type, registered] : tokenizers_) {
    entries.push_back({"tokenizer", type, registered.factory.summary, registered.origin});
  }
  return entries;
}

}  // namespace unival
