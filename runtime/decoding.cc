#include "runtime/decoding.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <memory>

#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {

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
    requests.push_back({prepared.example.prefix, prepared.example.constraint});
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
