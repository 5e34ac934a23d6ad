#include "training/loss/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();
constexpr double kSmallestRest = 1e-5;  // of 1 - p in the encouraging bonus
constexpr int64_t kSpecialTokens = 4;

// The positions that count, flattened. N of them.
struct Positions {
  at::Tensor log_probabilities;  // [N, V]
  at::Tensor target;             // [N]
  at::Tensor rows;               // [N] int64, of the batch; undefined: nobody asks
  at::Tensor allowed;            // [N, V] bool or undefined
};

struct TokenLosses {
  at::Tensor loss, nll;  // [N]
};

std::string DimsAndShape(const at::Tensor& tensor) {
  return absl::StrCat(tensor.dim(), "-D ", ShapeText(tensor));
}

absl::Status CheckShapes(const at::Tensor& logits, const at::Tensor& target,
                         const LossConfig& config, const LossMasks& masks) {
  const auto fail = [&](const char* what, const at::Tensor& tensor) {
    return absl::InvalidArgumentError(absl::StrCat("loss: ", what, " is ", DimsAndShape(tensor),
                                                   ", logits are ", DimsAndShape(logits)));
  };
  if (logits.dim() != 3) return fail("expected logits [B, T, V]; the tensor", logits);
  if (target.sizes() != logits.sizes().slice(0, 2)) return fail("target", target);
  if (masks.allowed.defined() && masks.allowed.sizes() != logits.sizes()) {
    return fail("the mask of allowed tokens", masks.allowed);
  }
  const at::Tensor& confidence = masks.confidence;
  if (confidence.defined() && (confidence.dim() != 1 || confidence.size(0) != logits.size(0))) {
    return fail("the confidence of rows", confidence);
  }
  if (config.rdrop_alpha > 0 && logits.size(0) % 2 != 0) {
    return fail("rdrop_alpha needs every row twice; target", target);
  }
  return absl::OkStatus();
}

at::Tensor InRange(const TokenRange& range, int64_t vocabulary) {
  at::Tensor allowed = at::zeros({vocabulary}, at::kBool);
  allowed.slice(0, 0, kSpecialTokens).fill_(true);
  allowed.slice(0, range.begin, range.end).fill_(true);
  return allowed;
}

// Flattened indices of the positions whose target counts.
at::Tensor CountedPositions(const at::Tensor& target, const LossConfig& config) {
  at::Tensor counts = target.ne(config.pad);
  if (config.ignore_eos) counts = counts.logical_and(target.ne(config.eos));
  if (config.ignore_prefix > 0) counts.slice(1, 0, config.ignore_prefix).fill_(false);
  return counts.reshape({-1}).nonzero().squeeze(1);
}

Positions SelectPositions(const at::Tensor& logits, const at::Tensor& target,
                          const at::Tensor& counted, const LossConfig& config,
                          const LossMasks& masks) {
  const int64_t vocabulary = logits.size(2);
  Positions positions;
  if (config.by_row) positions.rows = counted.div(target.size(1), "floor");
  positions.target = target.reshape({-1}).index_select(0, counted);
  at::Tensor chosen = logits.reshape({-1, vocabulary}).index_select(0, counted);
  if (masks.allowed.defined()) {
    positions.allowed = masks.allowed.reshape({-1, vocabulary}).index_select(0, counted);
  } else if (config.allowed_range.has_value()) {
    positions.allowed = InRange(*config.allowed_range, vocabulary)
                            .to(logits.device())
                            .expand({counted.size(0), vocabulary});
  }
  if (positions.allowed.defined()) {
    chosen = chosen.masked_fill(positions.allowed.logical_not(), kImpossible);
  }
  positions.log_probabilities = chosen.log_softmax(-1, at::kFloat);
  if (masks.confidence.defined()) {
    const at::Tensor weights =
        masks.confidence.to(at::kFloat).unsqueeze(1).expand_as(target).reshape({-1});
    positions.log_probabilities =
        positions.log_probabilities * weights.index_select(0, counted).unsqueeze(1);
  }
  return positions;
}

TokenLosses SmoothedCrossEntropy(const Positions& positions, double smoothing) {
  const at::Tensor& log_p = positions.log_probabilities;
  const at::Tensor nll = log_p.gather(1, positions.target.unsqueeze(1)).squeeze(1).neg();
  if (smoothing == 0) return {nll, nll};
  if (!positions.allowed.defined()) {
    const double share = smoothing / static_cast<double>(log_p.size(1) - 1);
    return {nll * (1 - smoothing - share) - log_p.sum(-1) * share, nll};
  }
  const at::Tensor allowed_sum = log_p.masked_fill(positions.allowed.logical_not(), 0).sum(-1);
  const at::Tensor others = positions.allowed.sum(-1).to(at::kFloat) - 1 + 1e-6;
  const at::Tensor share = others.reciprocal() * smoothing;
  return {nll * (1 - smoothing - share) - allowed_sum * share, nll};
}

// Indices of the tokens whose losses are smallest; halves of a doubled batch are cut alike.
at::Tensor BestTokens(const at::Tensor& loss, const LossConfig& config) {
  const bool is_doubled = config.rdrop_alpha > 0;
  const int64_t count = is_doubled ? loss.size(0) / 2 : loss.size(0);
  // The small term keeps ratios that came through float32 on the intended side of the integer.
  const double kept = static_cast<double>(count) * (1 - config.drop_worst_ratio + 1e-8);
  const int64_t k = std::max<int64_t>(1, static_cast<int64_t>(kept));
  const at::Tensor best = std::get<1>(loss.slice(0, 0, count).topk(k, 0, /*largest=*/false));
  return is_doubled ? at::cat({best, best + count}) : best;
}

void Keep(const at::Tensor& indices, Positions* positions, TokenLosses* losses) {
  losses->loss = losses->loss.index_select(0, indices);
  losses->nll = losses->nll.index_select(0, indices);
  positions->target = positions->target.index_select(0, indices);
  if (positions->rows.defined()) positions->rows = positions->rows.index_select(0, indices);
  positions->log_probabilities = positions->log_probabilities.index_select(0, indices);
  if (positions->allowed.defined()) {
    positions->allowed = positions->allowed.index_select(0, indices);
  }
}

// bonus(p) = log(1 - p) of every token, [N, V].
at::Tensor BonusOf(const Positions& positions, const LossConfig& config) {
  const at::Tensor p = positions.log_probabilities.exp();
  at::Tensor bonus = (1 - p).clamp_min(kSmallestRest).log();
  if (config.log_end != 1) {
    const at::Tensor tangent =
        (p - config.log_end) / (config.log_end - 1) + std::log(1 - config.log_end);
    bonus = at::where(p > config.log_end, tangent, bonus);
  }
  return bonus;
}

// Rewards confidence: (1 - s) * bonus(target) + s / V * sum of all bonuses.
at::Tensor EncouragingBonus(const Positions& positions, const LossConfig& config) {
  const at::Tensor bonus = BonusOf(positions, config);
  const double smoothing = config.label_smoothing;
  const at::Tensor on_target = bonus.gather(1, positions.target.unsqueeze(1)).sum();
  return on_target * (1 - smoothing) +
         bonus.sum() * (smoothing / static_cast<double>(bonus.size(1)));
}

// The same of each position, [N].
at::Tensor BonusOfEach(const Positions& positions, const LossConfig& config) {
  const at::Tensor bonus = BonusOf(positions, config);
  const double smoothing = config.label_smoothing;
  return bonus.gather(1, positions.target.unsqueeze(1)).squeeze(1) * (1 - smoothing) +
         bonus.sum(-1) * (smoothing / static_cast<double>(bonus.size(1)));
}

// Both directions between the halves, of every token, [N / 2, V].
at::Tensor Divergences(const Positions& positions) {
  const auto halves = positions.log_probabilities.chunk(2);
  at::Tensor difference = halves[0] - halves[1];
  if (positions.allowed.defined()) {
    difference = difference.masked_fill(positions.allowed.chunk(2)[0].logical_not(), 0);
  }
  return (halves[0].exp() - halves[1].exp()) * difference;
}

// Mean of the two Kullback-Leibler sums between the halves.
at::Tensor HalvesDivergence(const Positions& positions) {
  return Divergences(positions).sum() * 0.5;
}

// Sums of `values` [N] over the positions of each row, [count].
at::Tensor RowSums(const at::Tensor& values, const at::Tensor& rows, int64_t count) {
  const at::Tensor row = at::arange(count, rows.options()).unsqueeze(1);
  return (row.eq(rows.unsqueeze(0)).to(values.scalar_type()) * values.unsqueeze(0)).sum(-1);
}

// The loss again, as the sum of the losses of rows.
void AddRows(const Positions& positions, const TokenLosses& losses, const LossConfig& config,
             int64_t batch, LossResult* result) {
  at::Tensor each = losses.loss;
  if (config.encouraging) each = each + BonusOfEach(positions, config);
  const int64_t count = config.rdrop_alpha > 0 ? batch / 2 : batch;
  const at::Tensor rows = positions.rows.remainder(count);
  result->row_loss = RowSums(each, rows, count);
  result->row_tokens = RowSums(at::ones_like(each).detach(), rows, count);
  if (config.rdrop_alpha > 0) {
    const at::Tensor between = Divergences(positions).sum(-1) * (0.5 * config.rdrop_alpha);
    result->row_loss = result->row_loss + RowSums(between, rows.chunk(2)[0], count);
  }
  result->loss = result->row_loss.sum();
}

absl::StatusOr<LossResult> Compute(const at::Tensor& logits, const at::Tensor& target,
                                   const LossConfig& config, int64_t update,
                                   const LossMasks& masks) {
  const at::Tensor counted = CountedPositions(target, config);
  LossResult result;
  result.tokens = counted.size(0);
  if (result.tokens == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("loss: none of the ", target.numel(), " target positions counts"));
  }
  Positions positions = SelectPositions(logits, target, counted, config, masks);
  result.correct =
      positions.log_probabilities.detach().argmax(-1).eq(positions.target).sum().item<int64_t>();
  TokenLosses losses = SmoothedCrossEntropy(positions, config.label_smoothing);
  if (config.drop_worst_ratio > 0 && update > config.drop_worst_after) {
    Keep(BestTokens(losses.loss.detach(), config), &positions, &losses);
  }
  if (config.by_row) {
    AddRows(positions, losses, config, target.size(0), &result);
  } else {
    result.loss = losses.loss.sum();
    if (config.encouraging) result.loss = result.loss + EncouragingBonus(positions, config);
    if (config.rdrop_alpha > 0) {
      result.loss = result.loss + HalvesDivergence(positions) * config.rdrop_alpha;
    }
  }
  result.nll = losses.nll.detach().sum().item<double>();
  result.sample_size = config.sentence_average ? target.size(0) : losses.loss.size(0);
  return result;
}

}  // namespace

absl::StatusOr<LossResult> ComputeLoss(const at::Tensor& logits, const at::Tensor& target,
                                       const LossConfig& config, int64_t update,
                                       const LossMasks& masks) {
  const absl::Status status = CheckShapes(logits, target, config, masks);
  if (!status.ok()) return status;
  return CatchTorch("loss", [&] { return Compute(logits, target, config, update, masks); });
}

LossResult CombineViews(const LossResult& first, const LossResult& second) {
  LossResult both;
  both.loss = first.loss / first.sample_size + second.loss / second.sample_size;
  both.sample_size = 1;
  both.tokens = first.tokens + second.tokens;
  both.correct = first.correct + second.correct;
  both.nll = first.nll / static_cast<double>(first.sample_size) +
             second.nll / static_cast<double>(second.sample_size);
  return both;
}

at::Tensor AllowedByAnswers(const at::Tensor& target, const AnswerSet& answers,
                            int64_t vocabulary_size, int64_t pad) {
  if (answers.empty()) {
    return at::ones({target.size(0), target.size(1), vocabulary_size},
                    target.options().dtype(at::kBool));
  }
  const AnswerTrie& trie = *answers.trie();
  const at::Tensor tokens = target.to(at::kCPU, at::kLong).contiguous();
  const int64_t rows = tokens.size(0), length = tokens.size(1);
  at::Tensor allowed = at::ones({rows, length, vocabulary_size}, at::kBool);
  bool* masks = allowed.data_ptr<bool>();
  for (int64_t row = 0; row < rows; ++row) {
    int32_t node = AnswerTrie::kRoot;
    for (int64_t t = 0; t < length; ++t) {
      const int64_t token = tokens.data_ptr<int64_t>()[row * length + t];
      if (token == pad) continue;
      bool* mask = masks + (row * length + t) * vocabulary_size;
      std::fill(mask, mask + vocabulary_size, false);
      for (int64_t child : trie.Children(node)) mask[child] = true;
      node = trie.Next(node, token);
    }
  }
  return allowed.to(target.device());
}

}  // namespace unival
