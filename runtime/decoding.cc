#include "runtime/decoding.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// The seed of what is drawn for a record. It depends on the record's tokens and media alone, so the
// record's place does not matter, and different records draw differently.
uint64_t DrawingSeed(const Seq2SeqExample& example) {
  uint64_t seed = 0;
  for (const int64_t token : example.source) seed = Mix(seed, static_cast<uint64_t>(token));
  for (const MediaInput& input : example.media) {
    seed = Mix(seed, Fnv1a(input.media.path.empty() ? input.media.name : input.media.path));
  }
  return seed;
}

}  // namespace

TargetTokens LayOutTarget(const Seq2SeqExample& example, const VocabularyView& vocabulary) {
  TargetTokens row;
  row.previous = {vocabulary.bos()};
  row.previous.insert(row.previous.end(), example.prefix.begin(), example.prefix.end());
  row.previous.insert(row.previous.end(), example.target.begin(), example.target.end());
  row.previous.pop_back();
  row.labels.assign(example.prefix.size(), vocabulary.pad());
  row.labels.insert(row.labels.end(), example.target.begin(), example.target.end());
  return row;
}

at::Tensor CodeRowsOf(absl::Span<const PreparedExample> examples) {
  std::vector<uint8_t> rows;
  for (const PreparedExample& prepared : examples) rows.push_back(prepared.example.image_codes);
  if (std::find(rows.begin(), rows.end(), 1) == rows.end()) return {};
  return at::tensor(rows).to(at::kBool);
}

absl::StatusOr<std::vector<std::vector<Hypothesis>>> GenerateAnswers(
    Backbone& backbone, const ModelInput& input, absl::Span<const PreparedExample> examples,
    const GenerationConfig& config, const GenerationVocabulary& vocabulary,
    const GenerationOptions& options) {
  std::vector<GenerationRequest> requests;
  for (const PreparedExample& prepared : examples) {
    const Seq2SeqExample& example = prepared.example;
    requests.push_back({example.prefix, example.constraint, DrawingSeed(example)});
  }
  auto decoder = CatchTorch("encode", [&]() -> absl::StatusOr<std::unique_ptr<IncrementalDecoder>> {
    const at::NoGradGuard no_grad;
    const EncoderOutput encoded = backbone.Encode(input);
    at::Tensor code_rows = CodeRowsOf(examples);
    if (code_rows.defined()) code_rows = code_rows.to(encoded.states.device());
    return backbone.NewIncrementalDecoder(encoded, /*beam=*/1, code_rows);
  });
  if (!decoder.ok()) return decoder.status();
  GenerationOptions asked = options;
  if (config.mask_after_softmax()) asked.mask_after_softmax = true;
  return Generate(**decoder, config, requests, vocabulary, asked);
}

}  // namespace unival
