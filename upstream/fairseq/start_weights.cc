#include "upstream/fairseq/start_weights.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backbone/model/reference_names.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Keepers = std::vector<std::shared_ptr<const void>>;

constexpr char kEmbedding[] = "encoder.embed_tokens.weight";
constexpr int64_t kHeadWidth = 64;
constexpr int64_t kOffsetPositions = 2;  // rows of BART's position table beside the positions

absl::string_view WithoutWrappers(absl::string_view name) {
  for (bool again = true; again;) {
    again = false;
    for (const char* wrapper : {"module.", "sed_model.", "audio_branch."}) {
      again = absl::ConsumePrefix(&name, wrapper) || again;
    }
  }
  return name;
}

// "encoder.layers.0.layer_norms.1.bias" -> "encoder.layers.0.final_layer_norm.bias".
std::string TodaysNormName(const std::string& name) {
  std::vector<std::string> parts = absl::StrSplit(name, '.');
  const auto old = std::find(parts.begin(), parts.end(), "layer_norms");
  if (old == parts.end() || parts.end() - old != 3) return name;
  const bool encoder = parts.front() == "encoder";
  const std::string which = *(old + 1);
  const std::string today = which == "0"               ? "self_attn_layer_norm"
                            : which == "1" && !encoder ? "encoder_attn_layer_norm"
                                                       : "final_layer_norm";
  return absl::StrCat(name.substr(0, name.find("layer_norms")), today, ".", parts.back());
}

// Rows [part * rows / 3, ...) of a joint query, key and value projection.
TensorView ThirdOf(const TensorView& view, int part) {
  TensorView third = view;
  third.shape[0] = view.shape[0] / 3;
  third.offset += part * third.shape[0] * view.strides[0];
  return third;
}

// Adds one of BART's tensors under today's name, a joint projection as three.
void AddLanguageTensor(const std::string& name, const TensorView& view, TensorViews* tensors) {
  constexpr absl::string_view kJoint = "in_proj_";
  const size_t at = name.find(std::string(kJoint));
  if (at == std::string::npos || view.shape.empty() || view.shape[0] % 3 != 0) {
    (*tensors)[TodaysNormName(name)] = view;
    return;
  }
  const std::string kind = name.substr(at + kJoint.size());  // "weight" or "bias"
  int part = 0;
  for (const char* projection : {"q_proj.", "k_proj.", "v_proj."}) {
    (*tensors)[absl::StrCat(name.substr(0, at), projection, kind)] = ThirdOf(view, part++);
  }
}

// Whether BART, which lacks this model's own norms, scales and positions, has such a tensor.
bool IsOfBart(const std::string& name) {
  for (const char* part :
       {"c_attn", "w_resid", "attn_ln", "ffn_layernorm", "pos_ln", "pos_q_linear", "pos_k_linear",
        "rel_pos_table_list", "embed_image_positions", "type_embedding",
        "patch_layernorm_embedding", "code_layernorm_embedding", "q_norm", "k_norm"}) {
    if (absl::StrContains(name, part)) return false;
  }
  // BART is post-norm: its stacks end without a norm.
  return name != "encoder.layer_norm.weight" && name != "encoder.layer_norm.bias" &&
         name != "decoder.layer_norm.weight" && name != "decoder.layer_norm.bias";
}

int64_t CountLayers(const TensorViews& tensors, const char* stack) {
  int64_t count = 0;
  while (tensors.count(absl::StrCat(stack, ".layers.", count, ".fc1.weight")) > 0) ++count;
  return count;
}

absl::StatusOr<const TensorView*> Matrix(const TensorViews& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found != tensors.end() && found->second.shape.size() == 2) return &found->second;
  return absl::InvalidArgumentError(
      absl::StrCat("tensor \"", name, "\" is missing or no matrix; expected fairseq's BART"));
}

// Sizes from the tensors, switches as in every published script.
absl::StatusOr<std::string> Arguments(const TensorViews& tensors) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorView* embedding, Matrix(tensors, kEmbedding));
  UNIVAL_ASSIGN_OR_RETURN(const TensorView* wide, Matrix(tensors, "encoder.layers.0.fc1.weight"));
  UNIVAL_ASSIGN_OR_RETURN(const TensorView* positions,
                          Matrix(tensors, "encoder.embed_positions.weight"));
  const int64_t width = embedding->shape[1], heads = std::max<int64_t>(1, width / kHeadWidth);
  nlohmann::json arguments = {{"no_scale_embedding", true}, {"attn_scale_factor", 2}};
  for (const char* stack : {"encoder", "decoder"}) {
    const std::string prefix = absl::StrCat(stack, "_");
    arguments[prefix + "embed_dim"] = width;
    arguments[prefix + "ffn_embed_dim"] = wide->shape[0];
    arguments[prefix + "attention_heads"] = heads;
    arguments[prefix + "layers"] = CountLayers(tensors, stack);
    arguments[prefix + "normalize_before"] = true;
  }
  for (const char* name : {"max_source_positions", "max_target_positions"}) {
    arguments[name] = positions->shape[0] - kOffsetPositions;
  }
  for (const char* name :
       {"add_type_embedding", "scale_attn", "scale_fc", "scale_heads", "disable_entangle",
        "layernorm_embedding", "patch_layernorm_embedding", "code_layernorm_embedding"}) {
    arguments[name] = true;
  }
  return arguments.dump();
}

absl::Status AddBart(const std::string& file, TensorViews* tensors, Keepers* keepers,
                     std::vector<std::string>* left_out) {
  UNIVAL_ASSIGN_OR_RETURN(TorchTensors read, ReadTorchTensors(file, {"model"}));
  for (const auto& [name, view] : read.tensors) {
    const bool known = absl::StartsWith(name, "encoder.") || absl::StartsWith(name, "decoder.");
    if (!known || absl::StrContains(name, "classification_heads") ||
        absl::EndsWith(name, "_float_tensor")) {
      left_out->push_back(absl::StrCat(file, ": ", name));
    } else {
      AddLanguageTensor(name, view, tensors);
    }
  }
  keepers->push_back(std::move(read.keeper));
  return absl::OkStatus();
}

// A network's file under the names that the reference gives it. `needed` tells the kind of network.
absl::Status AddNetwork(const std::string& modality, const std::string& file,
                        const std::vector<std::string>& needed, TensorViews* tensors,
                        Keepers* keepers) {
  if (file.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(TorchTensors read, ReadTorchTensors(file, {"state_dict", "model"}));
  const std::string prefix = absl::StrCat("encoder.", ReferenceEncoderPrefix(modality), ".");
  for (const auto& [name, view] : read.tensors) {
    const std::string inner(WithoutWrappers(name));
    if (tensors->emplace(prefix + inner, view).second) continue;
    return absl::InvalidArgumentError(absl::StrCat(file, ": two tensors are called \"", inner,
                                                   "\" once wrappers are taken off their names"));
  }
  for (const std::string& name : needed) {
    if (tensors->count(prefix + name) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": no tensor \"", name, "\" in it; this is not a network for ", modality));
  }
  keepers->push_back(std::move(read.keeper));
  return absl::OkStatus();
}

// Connections are new, and so are counters that older versions of libtorch did not save.
bool MayBeFresh(const std::string& name) {
  for (const std::string& modality : ReferenceModalities()) {
    if (absl::StartsWith(name, absl::StrCat("encoder.", ReferenceEncoderPrefix(modality), "."))) {
      return absl::EndsWith(name, ".num_batches_tracked");
    }
    for (const ReferenceName& entry : ConnectionNames(modality)) {
      if (entry.reference == name) return true;
    }
  }
  return !IsOfBart(name);
}

}  // namespace

absl::StatusOr<StartWeights> AssembleStart(const StartFiles& files) {
  TensorViews tensors;
  const auto keepers = std::make_shared<Keepers>();
  StartWeights start;
  UNIVAL_RETURN_IF_ERROR(AddBart(files.bart, &tensors, keepers.get(), &start.left_out));
  UNIVAL_ASSIGN_OR_RETURN(std::string arguments, Annotate(Arguments(tensors), files.bart));
  const std::vector<std::string> residual = {"conv1.weight", "layer1.0.conv2.weight"};
  const std::vector<std::string> pann = {"bn0.weight", "conv_block1.conv1.weight"};
  Keepers* kept = keepers.get();
  UNIVAL_RETURN_IF_ERROR(AddNetwork("image", files.image, residual, &tensors, kept));
  UNIVAL_RETURN_IF_ERROR(AddNetwork("video", files.video, residual, &tensors, kept));
  UNIVAL_RETURN_IF_ERROR(AddNetwork("audio", files.audio, pann, &tensors, kept));
  start.checkpoint =
      std::make_shared<FairseqCheckpoint>(std::move(tensors), std::move(arguments), keepers);
  start.may_be_fresh = MayBeFresh;
  return start;
}

int64_t PublishedVocabularySize(int64_t text_size) {
  constexpr int64_t kSpecial = 4, kText = 50260, kMask = 1, kCodes = 8192, kBins = 1000;
  return kSpecial + (text_size > 0 ? text_size : kText) + kMask + kCodes + kBins;
}

}  // namespace unival
