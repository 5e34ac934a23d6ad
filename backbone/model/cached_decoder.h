// unival: cached_decoder.h
//
// Decoding with a KV cache: each step computes one position per row. Cross-attention keys and
// values are computed once per sample and shared by its beams.
//
//   auto decoder = NewCachedDecoder(model_decoder, encoded, /*beam=*/5, /*code_rows=*/{});
//   at::Tensor logits = decoder->Step(tokens);
#ifndef UNIVAL_BACKBONE_MODEL_CACHED_DECODER_H_
#define UNIVAL_BACKBONE_MODEL_CACHED_DECODER_H_

#include <memory>

#include "backbone/generation/incremental_decoder.h"
#include "backbone/model/backbone.h"
#include "backbone/model/decoder.h"

namespace unival {

// `code_rows` [B] bool or undefined, per sample. Records no gradients. The weights must not change
// while it is in use.
std::unique_ptr<IncrementalDecoder> NewCachedDecoder(std::shared_ptr<Decoder> decoder,
                                                     const EncoderOutput& encoded, int64_t beam,
                                                     const at::Tensor& code_rows);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MODEL_CACHED_DECODER_H_
