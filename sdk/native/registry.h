// unival: registry.h
//
// The registered types of modalities, encoder networks, tokenizers, tasks and metrics. A plugin
// receives the `Registrar` in its entry function; each kind of built-in component has one table
// that is added. Registration only stores factories: it allocates no tensor, uses no device and
// reads no file.
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

// Services of the host for components. They live longer than all components.
struct HostServices {
  const MediaDecoder* media = nullptr;
  // Creates a randomly initialised network (libtorch's default generator), built-in or from a
  // plugin; see feature_encoder.h. InvalidArgument names the wrong field of the configuration.
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
  std::string name;     // lower_snake: a field of EncoderConfig, or the value of its named.network
  std::string summary;  // one line for listings
  // Checks the configuration; InvalidArgument names the wrong field.
  std::function<absl::StatusOr<std::shared_ptr<FeatureEncoder>>(const EncoderConfig&,
                                                                const EncoderInput&)>
      create;
};

// Arguments for training a tokenizer. The text is used unchanged; the same corpus gives the same
// output bytes.
struct TokenizerTraining {
  std::string corpus;                // file with one sentence per line, UTF-8
  std::string output;                // file to write, atomically
  int64_t vocabulary_size = 0;       // upper bound; a small corpus gives fewer pieces
  std::vector<std::string> symbols;  // kept as single pieces
};

struct TokenizerFactory {
  std::string type;
  std::string summary;
  // `directory` contains the tokenizer's files; `block` is its vocabulary block.
  std::function<absl::StatusOr<std::unique_ptr<Tokenizer>>(const std::string& directory,
                                                           const std::string& block)>
      create;
  // Optional: null when this type cannot be trained.
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
  std::string summary;     // one line for listings: its scores and what they measure
  bool needs_box = false;  // compares boxes: the template's target must hold one
  // Creates one object for each evaluation. The reader lives as long as that object.
  std::function<std::unique_ptr<Metric>(ReferenceReader)> create;
  // Descriptions of its scores. For a score that is not named here, more is better.
  std::vector<ScoreInfo> scores = {};
};

class Registrar {
 public:
  virtual ~Registrar();
  // AlreadyExists names the type and who registered it first. InvalidArgument for an id that is not
  // [a-z][a-z0-9_]{1,47}, and for a metric's score whose name is empty or contains a slash.
  virtual absl::Status AddModality(ModalityFactory factory) = 0;
  virtual absl::Status AddTokenizer(TokenizerFactory factory) = 0;
  virtual absl::Status AddTask(TaskFactory factory) = 0;
  // Declares a block of tokens that the plugin uses. It does not change any model; only `unival
  // vocab add` adds the block to a model. The id is "<owner>.<name>", both parts as above; owner
  // "core" is reserved for the host.
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

  // Sets who registers the next components ("built-in", or a plugin's file). Used in messages.
  void set_origin(std::string origin) { origin_ = std::move(origin); }

  // NotFound lists the registered types and says how to load a plugin.
  absl::StatusOr<std::unique_ptr<Modality>> CreateModality(const ModalityConfig& config,
                                                           const HostServices& services) const;
  absl::StatusOr<std::unique_ptr<Tokenizer>> CreateTokenizer(absl::string_view type,
                                                             const std::string& directory,
                                                             const std::string& block) const;
  absl::StatusOr<std::unique_ptr<Task>> CreateTask(absl::string_view name,
                                                   const VocabularyView& vocabulary) const;

  // InvalidArgument when the configuration sets no network; otherwise it names the wrong field.
  absl::StatusOr<std::shared_ptr<FeatureEncoder>> CreateNetwork(const EncoderConfig& config,
                                                                const EncoderInput& input) const;
  // NotFound lists the registered metrics. The pointer lives as long as the registry.
  absl::StatusOr<const MetricFactory*> FindMetric(absl::string_view name) const;
  // The described scores of all metrics, in the order of the metrics' names.
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
