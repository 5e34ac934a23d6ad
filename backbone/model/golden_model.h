// unival: golden_model.h
//
// Models whose weights come from the golden formula, for comparing with tensors of the original
// implementation. For tests.
//
//   std::shared_ptr<Backbone> model = GoldenModel(GoldenConfig());
#ifndef UNIVAL_BACKBONE_MODEL_GOLDEN_MODEL_H_
#define UNIVAL_BACKBONE_MODEL_GOLDEN_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "backbone/model/backbone.h"
#include "sdk/proto/model.pb.h"

namespace unival {

constexpr int64_t kTinyVocabulary = 116;

// The configuration of tests/golden/tiny/config.json with arguments replaced by those of a JSON
// object, as the entries `config_overrides` of the golden index give them: {"qk_norm": true}.
// Aborts the test program when the file is missing.
BackboneConfig GoldenConfig(const std::string& overrides = "{}");

struct GoldenModelOptions {
  uint64_t seed = 1;
  std::vector<std::string> modalities = {"image", "video", "audio"};
  bool layernorm_features = false;
  bool per_modality_type_rows = false;  // add_mm_type_embedding: text 0, image 1, video 2, audio 3
  int64_t vocabulary_size = kTinyVocabulary;
  std::vector<int64_t> feature_dims = {2048, 2048, 512};  // one per modality
};

// A model with weights from the golden formula, in evaluation mode.
std::shared_ptr<Backbone> GoldenModel(const BackboneConfig& config,
                                      const GoldenModelOptions& options = {});

// The reference's name of a parameter of this model.
std::string ReferenceNameOf(const std::string& name);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_GOLDEN_MODEL_H_
