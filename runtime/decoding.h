// unival: decoding.h
//
// What the decoder is told of the rows of a batch, in training and in prediction alike. Both take
// it from here, so a model is asked exactly as it was taught.
//
//   // Training:
//   TargetTokens row = LayOutTarget(example, vocabulary);
//   DecodeOptions options;
//   options.code_rows = CodeRowsOf(examples);
//   // Prediction, evaluation, and the comparison with recorded outputs:
//   UNIVAL_ASSIGN_OR_RETURN(auto found, GenerateAnswers(backbone, input, examples, config,
//                           GenerationVocabulary(manifest.vocabulary())));
//
// Functions of plain values; as thread-safe as the model they are given.
#ifndef UNIVAL_RUNTIME_DECODING_H_
#define UNIVAL_RUNTIME_DECODING_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backbone/generation/generate.h"
#include "backbone/model/backbone.h"
#include "runtime/collate.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"

namespace unival {

// One row of teacher forcing, T tokens each.
struct TargetTokens {
  std::vector<int64_t> previous;  // <s>, then prefix and target shifted by one
  std::vector<int64_t> labels;    // pad over the prefix, then the target
};
TargetTokens LayOutTarget(const Seq2SeqExample& example, const VocabularyView& vocabulary);

// [B] bool on the CPU: the rows whose decoder writes image codes. Undefined when none does.
at::Tensor CodeRowsOf(absl::Span<const PreparedExample> examples);

// Encodes `input`, whose row i is that of `examples[i]`, and searches under each example's prefix
// and constraint. Returns hypotheses as Generate does. The media of `examples` are not looked at:
// they are in `input` already (MakeModelInput). No gradients. Errors of Generate; libtorch's are
// Internal.
absl::StatusOr<std::vector<std::vector<Hypothesis>>> GenerateAnswers(
    Backbone& backbone, const ModelInput& input, absl::Span<const PreparedExample> examples,
    const GenerationConfig& config, const GenerationVocabulary& vocabulary,
    const GenerationOptions& options = {});

}  // namespace unival

#endif  // UNIVAL_RUNTIME_DECODING_H_
