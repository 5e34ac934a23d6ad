// unival: registry.h
//
// What a build of the host knows: types of modalities, encoder networks, tokenizers, tasks and
// metrics. A plugin receives the `Registrar` in its entry function; built-ins are added by one
// table each. Registration only stores factories: no tensor is allocated, no device probed, no file
// read.
//
//   absl::Status RegisterBuiltins(Registrar& registrar) {
//     return registrar.AddModality({"image", "RGB images", &CreateImage});
//   }
//
// Thread-compatible: register on one thread, then share as const.
#ifndef UNIVAL_SDK_NATIVE_REGISTRY_H_
#define UNIVAL_SDK_NATIVE_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sdk/native/media.h"
#include "sdk/native/modality.h"
#include "sdk/native/score_info.h"
#include "sdk/native/task.h"
#include "sdk/native/tokenizer.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

class FeatureEncoder;
struct EncoderInput;

// What the host does for components. Outlives all of them.
struct HostServices {
  const MediaDecoder* media = nullptr;
  // A fresh, randomly initialised network (libtorch's default generator), of those that ship and
  // those of plugins; see feature_encoder.h. InvalidArgument names the field of the configuration
  // that does not fit.
  std::function<absl::StatusOr<std::shared_ptr<FeatureEncoder>>(const EncoderConfig&,
                                                                const EncoderInput&)>
      make_encoder;
};

struct ModalityFactory {
  std::string type;     // lower_snake
  std::string summary;  // one line for listings
  std::function<absl::StatusOr<std::unique_ptr<Modality>>(const ModalityConfig&,
                                                          const HostServices&)>
      create;
};

// A type of encoder network (feature_encoder.h).
struct NetworkFactory {
  std::string name;     // lower_snake: the set field of EncoderConfig, or its named.network
  std::string summary;  // one line for listings
  // Checks the configuration; InvalidArgument names the field that does not fit.
  std::function<absl::StatusOr<std::shared_ptr<FeatureEncoder>>(const EncoderConfig&,
                                                                const EncoderInput&)>
      create;
};

// How a tokenizer type is trained: text taken as it is, same corpus, same bytes.
struct TokenizerTraining {
  std::string corpus;                // file with one sentence per line, UTF-8
  std::string output;                // file to write, in one step
  int64_t vocabulary_size = 0;       // upper bound; a small corpus gives fewer pieces
  std::vector<std::string> symbols;  // kept as single pieces
};

struct TokenizerFactory {
  std::string type;
  std::string summary;
  // `directory` holds the tokenizer's files; `block` is the vocabulary block it fills.
  std::function<absl::StatusOr<std::unique_ptr<Tokenizer>>(const std::string& directory,
                                                           const std::string& block)>
      create;
  // Optional.
  std::function<absl::Status(const TokenizerTraining&)> train = nullptr;
};

struct TaskFactory {
  std::string name;
  std::string summary;
  std::function<absl::StatusOr<std::unique_ptr<Task>>(const VocabularyView&)> create;
};

// A metric that task templates may name.
struct MetricFactory {
  std::string name;        // lower_snake
  std::string summary;     // one line for listings: what it gives and what it measures
  bool needs_box = false;  // compares boxes: the template's target must hold one
  // One object an evaluation. The reader lives as long as it.
  std::function<std::unique_ptr<Metric>(ReferenceReader)> create;
  // Of the scores that it gives; of one that is not named here more is better.
  std::vector<ScoreInfo> scores = {};
};

class Registrar {
 public:
  virtual ~Registrar();
  // AlreadyExists names the type and who registered it first; InvalidArgument an id that is not
  // [a-z][a-z0-9_]{1,47}, or a score of a metric that has no name, or one with a slash.
  virtual absl::Status AddModality(ModalityFactory factory) = 0;
  virtual absl::Status AddTokenizer(TokenizerFactory factory) = 0;
  virtual absl::Status AddTask(TaskFactory factory) = 0;
  // Declares a block of tokens that the plugin speaks; models gain it only by `unival vocab add`.
  // The id is "<owner>.<name>", both as above; owner "core" is the host's.
  virtual absl::Status AddTokenBlock(TokenBlockSpec block) = 0;
  virtual absl::Status AddNetwork(NetworkFactory factory) = 0;
  virtual absl::Status AddMetric(MetricFactory factory) = 0;
};

class Registry : public Registrar {
 public:
  absl::Status AddModality(ModalityFactory factory) override;
  absl::Status AddTokenizer(TokenizerFactory factory) override;
  absl::Status AddTask(TaskFactory factory) override;
  absl::Status AddTokenBlock(TokenBlockSpec block) override;
  absl::Status AddNetwork(NetworkFactory factory) override;
  absl::Status AddMetric(MetricFactory factory) override;

  // Who registers from now on ("built-in", a plugin's file); used in messages.
  void set_origin(std::string origin) { origin_ = std::move(origin); }

  // NotFound lists what there is and how to load a plugin.
  absl::StatusOr<std::unique_ptr<Modality>> CreateModality(const ModalityConfig& config,
                                                           const HostServices& services) const;
  absl::StatusOr<std::unique_ptr<Tokenizer>> CreateTokenizer(absl::string_view type,
                                                             const std::string& directory,
                                                             const std::string& block) const;
  absl::StatusOr<std::unique_ptr<Task>> CreateTask(absl::string_view name,
                                                   const VocabularyView& vocabulary) const;

  // InvalidArgument where the configuration sets no network, or names the field that does not fit.
  absl::StatusOr<std::shared_ptr<FeatureEncoder>> CreateNetwork(const EncoderConfig& config,
                                                                const EncoderInput& input) const;
  // NotFound lists what there is. The pointer lives as long as the registry.
  absl::StatusOr<const MetricFactory*> FindMetric(absl::string_view name) const;
  // Of all metrics, by the metrics' names.
  std::vector<ScoreInfo> scores() const;

  struct Entry {
    std::string kind;  // "metric", "modality", "network", "task", "tokenizer"
    std::string type, summary, origin;
  };
  std::vector<Entry> List() const;                   // sorted by kind, type
  std::vector<TokenBlockSpec> token_blocks() const;  // declared by plugins, sorted by id

  // Unimplemented when the type cannot be trained.
  absl::Status TrainTokenizer(absl::string_view type, const TokenizerTraining& training) const;

 private:
  template <typename Factory>
  struct Registered {
    Factory factory;
    std::string origin;
  };
  std::string origin_ = "built-in";
  std::map<std::string, Registered<ModalityFactory>, std::less<>> modalities_;
  std::map<std::string, Registered<TokenizerFactory>, std::less<>> tokenizers_;
  std::map<std::string, Registered<TaskFactory>, std::less<>> tasks_;
  std::map<std::string, Registered<TokenBlockSpec>, std::less<>> token_blocks_;
  std::map<std::string, Registered<NetworkFactory>, std::less<>> networks_;
  std::map<std::string, Registered<MetricFactory>, std::less<>> metrics_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_REGISTRY_H_
