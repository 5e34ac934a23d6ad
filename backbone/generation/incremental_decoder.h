// unival: incremental_decoder.h
//
// What search needs of a model: the logits of one more token per row, and a way to reorder rows.
// Search knows this interface only, and no layers or caches, so that its tests can use a table of
// logits in place of a model.
//
// Shapes: B samples, R = B * beam rows (row b * beam + k is beam k of sample b), V vocabulary.
#ifndef UNIVAL_BACKBONE_GENERATION_INCREMENTAL_DECODER_H_
#define UNIVAL_BACKBONE_GENERATION_INCREMENTAL_DECODER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace unival {

// Single-threaded. One object decodes one batch from step 0 on.
class IncrementalDecoder {
 public:
  virtual ~IncrementalDecoder() = default;
  virtual int64_t batch_size() const = 0;  // B samples
  virtual int64_t max_steps() const = 0;   // calls of Step that it allows, <s> being the first
  // `tokens` [R] int64: the newest token of every row (at the first call <s>). R is B * beam and
  // stays the same between reorderings. Returns logits [R, V] float32 of the next token.
  virtual at::Tensor Step(const at::Tensor& tokens) = 0;
  // A step of which only the logits of `wanted` [W] int64 are asked for: [R, W]. Cheaper than Step
  // where the decoder can leave the others out.
  virtual at::Tensor StepFor(const at::Tensor& tokens, const at::Tensor& wanted) {
    const at::Tensor logits = Step(tokens);
    return logits.index_select(1, wanted.to(logits.device()));
  }
  // Row r of the following steps continues row `rows[r]` ([R'] int64). Rows of a sample stay
  // together; cross-attention keys are kept once per sample: `samples` [B'] int64 lists the samples
  // that remain (finished ones may be dropped). R' = B' * k for any k: search starts with one row
  // per sample and widens it.
  virtual void Reorder(const at::Tensor& rows, const at::Tensor& samples) = 0;
  // Another decoder that goes on as this one would after Reorder(rows, samples). Both are of their
  // own from then on. Null: this kind of decoder cannot be copied.
  virtual std::unique_ptr<IncrementalDecoder> Fork(const at::Tensor& /*rows*/,
                                                   const at::Tensor& /*samples*/) const {
    return nullptr;
  }
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_INCREMENTAL_DECODER_H_
