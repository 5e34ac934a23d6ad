#include "backbone/model/cached_decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace unival {
namespace {

// Biases are computed for this many steps at once.
constexpr int64_t kBiasBlock = 32;

bool IsIdentity(const at::Tensor& index, int64_t count) {
  return index.size(0) == count && index.equal(at::arange(count, index.options()));
}

// Rows of `x` [R * factor, ...] in groups of `factor`. reshape instead of view, since the heads of
// a single sample may have other strides.
at::Tensor SelectGroups(const at::Tensor& x, const at::Tensor& groups, int64_t count) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape[0] = -1;
  return x.reshape({count, -1}).index_select(0, groups).view(shape);
}

class CachedDecoder : public IncrementalDecoder {
 public:
  CachedDecoder(std::shared_ptr<Decoder> decoder, const EncoderOutput& encoded, int64_t beam,
                const at::Tensor& code_rows)
      : decoder_(std::move(decoder)),
        samples_(encoded.states.size(0)),
        rows_(samples_ * beam),
        self_(decoder_->layers().size()) {
    TORCH_CHECK(beam > 0, "beam must be positive, got ", beam);
    const at::NoGradGuard no_grad;
    SetCodeRows(code_rows);
    position_keys_ = decoder_->CrossPositionKeys(encoded);
    if (encoded.padding.any().item<bool>())
      key_mask_ = layers::KeyMask(encoded.padding, encoded.states);
    for (const auto& layer : decoder_->layers())
      cross_.push_back(layer->CrossKeyValues(encoded.states));
  }

  int64_t batch_size() const override { return samples_; }
  int64_t max_steps() const override { return decoder_->max_steps(); }
  at::Tensor Step(const at::Tensor& tokens) override;
  at::Tensor StepFor(const at::Tensor& tokens, const at::Tensor& wanted) override;
  void Reorder(const at::Tensor& rows, const at::Tensor& samples) override;
  std::unique_ptr<IncrementalDecoder> Fork(const at::Tensor& rows,
                                           const at::Tensor& samples) const override;

 private:
  at::Tensor Advance(const at::Tensor& tokens);  // [R] -> [R, 1, D] behind the last layer
  void SelectRows(const at::Tensor& rows);
  void SelectSamples(const at::Tensor& rows, const at::Tensor& samples);
  void SetCodeRows(const at::Tensor& code_rows);
  void ComputeBiases();
  void DropSamples(const at::Tensor& samples);

  const std::shared_ptr<Decoder> decoder_;
  int64_t samples_, rows_;
  int64_t step_ = 0;
  CodeRows sample_codes_, row_codes_;
  std::vector<layers::SelfCache> self_;   // per layer
  std::vector<layers::KeyValues> cross_;  // per layer, [samples * H, S, d]
  at::Tensor position_keys_;              // [P, S, D]
  at::Tensor key_mask_;                   // [samples, 1, 1, S] or undefined
  // What follows holds for steps [block_begin_, block_end_).
  int64_t block_begin_ = 0, block_end_ = 0;
  std::vector<at::Tensor> self_bias_;  // per layer, [1 or rows, H, block, block_end]
  layers::AttentionBias cross_bias_;   // [1 or samples, H, block, S]
};

void CachedDecoder::SetCodeRows(const at::Tensor& code_rows) {
  sample_codes_ = CodeRows(code_rows);
  if (!code_rows.defined()) return;
  row_codes_ = CodeRows(code_rows.repeat_interleave(rows_ / samples_));
}

void CachedDecoder::ComputeBiases() {
  block_begin_ = step_;
  block_end_ = std::min(step_ + kBiasBlock, max_steps());
  const at::Tensor absolute = decoder_->AbsoluteSelfBias(row_codes_, block_begin_, block_end_);
  self_bias_.clear();
  for (size_t i = 0; i < self_.size(); ++i) {
    self_bias_.push_back(absolute +
                         decoder_->RelativeSelfBias(row_codes_, i, block_begin_, block_end_));
  }
  cross_bias_ = {decoder_->CrossBias(sample_codes_, position_keys_, block_begin_, block_end_),
                 key_mask_};
  cross_bias_ = FoldKeyMask(cross_bias_, samples_);
}

at::Tensor CachedDecoder::Step(const at::Tensor& tokens) {
  const at::NoGradGuard no_grad;
  return decoder_->Logits(Advance(tokens)).squeeze(1).to(at::kFloat);
}

at::Tensor CachedDecoder::StepFor(const at::Tensor& tokens, const at::Tensor& wanted) {
  const at::NoGradGuard no_grad;
  return decoder_->LogitsOf(Advance(tokens), wanted).squeeze(1).to(at::kFloat);
}

at::Tensor CachedDecoder::Advance(const at::Tensor& tokens) {
  TORCH_CHECK(tokens.dim() == 1 && tokens.size(0) == rows_, "tokens must be [", rows_,
              "], one per row, got ", tokens.sizes());
  TORCH_CHECK(step_ < max_steps(), "the decoder has ", max_steps(), " steps");
  if (step_ == block_end_) ComputeBiases();
  const int64_t offset = step_ - block_begin_;
  at::Tensor x = decoder_->Embed(tokens.unsqueeze(1), row_codes_, step_);
  const layers::AttentionBias cross{cross_bias_.positions.narrow(2, offset, 1), cross_bias_.keys};
  for (size_t i = 0; i < self_.size(); ++i) {
    const at::Tensor bias = self_bias_[i].narrow(2, offset, 1).narrow(3, 0, step_ + 1);
    x = decoder_->layers()[i]->Step(x, self_[i], {bias, at::Tensor()}, cross_[i], cross, samples_);
  }
  ++step_;
  return x;
}

void CachedDecoder::Reorder(const at::Tensor& rows, const at::Tensor& samples) {
  const at::NoGradGuard no_grad;
  if (!IsIdentity(rows, rows_)) SelectRows(rows);
  SelectSamples(rows, samples);
}

// Always with caches of its own: they are written in place.
std::unique_ptr<IncrementalDecoder> CachedDecoder::Fork(const at::Tensor& rows,
                                                        const at::Tensor& samples) const {
  const at::NoGradGuard no_grad;
  auto fork = std::make_unique<CachedDecoder>(*this);
  fork->SelectRows(rows);
  fork->SelectSamples(rows, samples);
  return fork;
}

void CachedDecoder::SelectRows(const at::Tensor& rows) {
  for (layers::SelfCache& cache : self_) {
    if (cache.length == 0) continue;
    cache.buffers.keys = SelectGroups(cache.buffers.keys, rows, rows_);
    cache.buffers.values = SelectGroups(cache.buffers.values, rows, rows_);
  }
}

void CachedDecoder::SelectSamples(const at::Tensor& rows, const at::Tensor& samples) {
  TORCH_CHECK(samples.size(0) > 0 && rows.size(0) % samples.size(0) == 0, "cannot divide ",
              rows.size(0), " rows among ", samples.size(0), " samples");
  const bool same_samples = IsIdentity(samples, samples_) && rows.size(0) == rows_;
  rows_ = rows.size(0);
  if (!same_samples) DropSamples(samples);
}

void CachedDecoder::DropSamples(const at::Tensor& samples) {
  const bool same = IsIdentity(samples, samples_);  // then only the number of rows is another
  for (layers::KeyValues& cross : cross_) {
    if (same) break;
    cross.keys = SelectGroups(cross.keys, samples, samples_);
    cross.values = SelectGroups(cross.values, samples, samples_);
  }
  if (position_keys_.size(0) == samples_ && samples_ > 1) {
    position_keys_ = position_keys_.index_select(0, samples);
  }
  if (key_mask_.defined()) key_mask_ = key_mask_.index_select(0, samples);
  const at::Tensor codes = sample_codes_.rows();
  samples_ = samples.size(0);
  SetCodeRows(codes.defined() ? codes.index_select(0, samples) : codes);
  block_end_ = step_;  // biases may be per row: computed again at the next step
}

}  // namespace

std::unique_ptr<IncrementalDecoder> NewCachedDecoder(std::shared_ptr<Decoder> decoder,
                                                     const EncoderOutput& encoded, int64_t beam,
                                                     const at::Tensor& code_rows) {
  return std::make_unique<CachedDecoder>(std::move(decoder), encoded, beam, code_rows);
}

}  // namespace unival
