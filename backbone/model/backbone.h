// unival: backbone.h
//
// The encoder-decoder of the reference (unify_transformer.py in its own tree), for any number of
// modalities through one path.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto model, Backbone::Create(config, vocabulary_size));
//   UNIVAL_RETURN_IF_ERROR(model->AddConnection(connection_config));
//   EncoderOutput encoded = model->Encode(input);
//   at::Tensor logits = model->Decode(encoded, previous_tokens);          // [B, T, V]
//
// Shapes: B batch, S source positions (modality segments, then text), T target positions, D model
// width, V vocabulary.
// Names: parameters that the backbone owns are named as in the reference's state_dict
// ("encoder.layers.0.fc1.weight"); those of connections are
// "connections.<modality>.{weight,bias,positions,type_row,...}", those of adapters
// "adapters.<id>...".
// Threads: thread-compatible; concurrent const calls in eval mode are fine, training is
// single-threaded.
// Errors: methods that take or give tensors throw c10::Error when a shape is wrong, which only a
// mistake in the program can cause; their callers turn it into a status with CatchTorch.
#ifndef UNIVAL_BACKBONE_MODEL_BACKBONE_H_
#define UNIVAL_BACKBONE_MODEL_BACKBONE_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/generation/incremental_decoder.h"
#include "sdk/native/modality.h"
#include "sdk/proto/model.pb.h"

// The module's header takes seconds to compile: whoever needs parameters by name includes it.
namespace torch::nn {
class Module;
}

namespace unival {

// Features of one modality for some rows of the batch. `features` row i belongs to batch row
// `rows[i]`.
struct ModalitySegment {
  std::string connection;     // modality id
  std::vector<int64_t> rows;  // distinct batch rows
  ModalityFeatures features;
  // Row of the backbone's type embedding instead of the connection's own choice; -1 = the
  // connection's.
  int64_t type_row = -1;
  // The position that the item of rows[i] takes within its row's text, as a token would; the row's
  // tokens have the others, in their order. -1, and where the list is empty: it stands before the
  // text and has no position in it.
  std::vector<int64_t> places = {};
};

// Segments of one row stand in the order of this list, before the row's text or at their places in
// it. A row without a segment has none.
struct ModelInput {
  std::vector<ModalitySegment> segments;
  at::Tensor source_tokens;  // [B, S_text] int64, right-padded with pad (1)
};

struct EncoderOutput {
  at::Tensor states;               // [B, S, D] after the final LayerNorm
  at::Tensor padding;              // [B, S] bool, true = padding
  at::Tensor position_embeddings;  // [B, S, D] layer-normed position vectors, for cross-attention
  std::vector<at::Tensor> hidden;  // embedded input and each layer's output; filled only on request
};

struct DecodeOptions {
  at::Tensor code_rows;  // [B] bool: rows that decode image codes; undefined = none
  std::vector<at::Tensor>* hidden = nullptr;  // if set: embedded input and each layer's output
};

// Dropout rates, from 0 to below 1. They act in training mode only. What is kept is scaled up, so
// that the mean stays. Random numbers come from libtorch's default generator.
struct DropoutRates {
  double values = 0;     // single numbers of embeddings and of what layers add to the residual
  double attention = 0;  // attention weights
  // Whole branches of a row (stochastic depth: Huang et al., 2016), growing evenly over the layers
  // from 0 in the first to this in the last.
  double encoder_path = 0, decoder_path = 0;
};
// The rates that a configuration states.
DropoutRates DropoutOf(const BackboneConfig& config);

class Backbone {
 public:
  // InvalidArgument names the field and its value.
  static absl::StatusOr<std::shared_ptr<Backbone>> Create(const BackboneConfig& config,
                                                          int64_t vocabulary_size);
  virtual ~Backbone();

  // Parameters, submodules, device and mode of the whole; lives as long as this object.
  virtual torch::nn::Module& module() = 0;

  // Adds a freshly initialised connection (default generator). AlreadyExists, InvalidArgument.
  virtual absl::Status AddConnection(const ConnectionConfig& config) = 0;
  virtual bool HasConnection(const std::string& modality) const = 0;
  // Adds a fresh adapter (default generator), and attaches it; `config` is complete
  // (backbone/adapters/adapter_kind.h). Its parameters are "adapters.<id>.<module>.<name>"; all
  // others keep their names. AlreadyExists, InvalidArgument, NotFound.
  virtual absl::Status AddAdapter(const AdapterConfig& config) = 0;
  // Detaches and removes an adapter. The outputs are then, to the bit, those of before it was
  // added. NotFound.
  virtual absl::Status RemoveAdapter(const std::string& id) = 0;
  // In the order in which they were added.
  virtual std::vector<std::string> adapter_ids() const = 0;
  // Takes the place of the configuration's rates. config() keeps those, because the rates of a
  // training run are no property of the model.
  virtual void SetDropout(const DropoutRates& rates) = 0;
  // Whether layers of encoder and decoder are computed again for backward instead of being kept
  // (backbone/layers/recompute.h): less memory, more time, the same bits. At first they are kept.
  virtual void SetActivationCheckpointing(bool on) = 0;
  virtual const BackboneConfig& config() const = 0;
  virtual int64_t vocabulary_size() const = 0;

  virtual EncoderOutput Encode(const ModelInput& input, bool keep_hidden = false) = 0;
  // Teacher forcing: `previous_tokens` [B, T] int64 starts with <s>. Returns logits [B, T, V].
  virtual at::Tensor Decode(const EncoderOutput& encoded, const at::Tensor& previous_tokens,
                            const DecodeOptions& options = {}) = 0;
  // Decoding with a KV cache, `beam` rows per sample. Keeps references to `encoded`'s tensors.
  virtual std::unique_ptr<IncrementalDecoder> NewIncrementalDecoder(
      const EncoderOutput& encoded, int64_t beam, const at::Tensor& code_rows = {}) = 0;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_BACKBONE_H_
