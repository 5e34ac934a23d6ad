#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "backbone/generation/search.h"

namespace unival {
namespace generation {
namespace {

at::Tensor Indices(const std::vector<int64_t>& values, const at::Tensor& like) {
  return at::tensor(values, at::kLong).to(like.device());
}

// In the rows `rows` of `scores`, keeps one token each (`kept`: flat positions) and sets all others
// to `others`.
void KeepOneToken(const std::vector<int64_t>& rows, const std::vector<int64_t>& kept,
                  const at::Tensor& others, at::Tensor* scores) {
  const at::Tensor positions = Indices(kept, *scores);
  const at::Tensor values = scores->view({-1}).index_select(0, positions);
  scores->index_fill_(0, Indices(rows, *scores), others);
  scores->view({-1}).index_copy_(0, positions, values);
}

at::Tensor Scalar(float value, const at::Tensor& like) {
  return at::full({}, value, like.options());
}

// Tokens that would complete an n-gram which the row has already emitted.
void AppendRepeats(const std::vector<int64_t>& tokens, int64_t n, std::vector<int64_t>* banned) {
  const int64_t known = n - 1;  // tokens of the n-gram that stand already
  const int64_t size = tokens.size();
  for (int64_t begin = 0; begin + known < size; ++begin) {
    if (std::equal(tokens.end() - known, tokens.end(), tokens.begin() + begin)) {
      banned->push_back(tokens[begin + known]);
    }
  }
}

}  // namespace

NextTokenScorer::NextTokenScorer(const SearchPlan& plan)
    : plan_(plan), outside_ranges_(plan.requests.size()) {
  for (const SearchRequest& request : plan.requests) {
    longest_prefix_ = std::max<int64_t>(longest_prefix_, request.prefix.size());
    constrained_ = constrained_ || request.trie != nullptr || !request.allowed.empty();
  }
}

at::Tensor NextTokenScorer::LogProbabilities(const at::Tensor& logits,
                                             const std::vector<Row>& rows) {
  const float temperature = plan_.config.temperature();
  at::Tensor scaled = temperature == 1.0f ? logits : logits / temperature;
  if (!plan_.retired.empty()) scaled = scaled.masked_fill(Retired(logits), kImpossible);
  const at::Tensor forbidden = constrained_ ? Forbidden(rows, logits.size(1)) : at::Tensor();
  if (forbidden.defined() && !plan_.options.mask_after_softmax) {
    scaled = scaled.masked_fill(forbidden, kImpossible);
  }
  // A matrix product with few rows may give its result in column order; the code below needs row
  // order.
  at::Tensor scores = scaled.log_softmax(-1, at::kFloat).contiguous();
  if (forbidden.defined() && plan_.options.mask_after_softmax) {
    scores.masked_fill_(forbidden, kImpossible);
  }
  ForcePrefixes(rows, &scores);
  // A soft prefix lends a little probability to all other tokens.
  if (plan_.options.soft_prefix && !plan_.retired.empty()) {
    scores.masked_fill_(Retired(scores), kImpossible);
  }
  scores.select(1, plan_.special.pad).fill_(kImpossible);
  if (plan_.config.unk_penalty() != 0) {
    scores.select(1, plan_.special.unk).sub_(plan_.config.unk_penalty());
  }
  BanTokens(rows, &scores);
  return scores;
}

// True where a constraint rules a token out; undefined when none applies to these rows.
at::Tensor NextTokenScorer::Forbidden(const std::vector<Row>& rows, int64_t vocabulary) {
  at::Tensor forbidden;
  std::vector<int64_t> closed_rows, open_positions;
  for (size_t i = 0; i < rows.size(); ++i) {
    const SearchRequest& request = plan_.requests[rows[i].request];
    const bool is_free = request.trie == nullptr && request.allowed.empty();
    if (is_free || ForcedToken(plan_, rows[i]) >= 0) continue;
    if (!forbidden.defined()) {
      forbidden = at::zeros({static_cast<int64_t>(rows.size()), vocabulary}, at::kBool);
    }
    if (request.trie == nullptr) {
      forbidden.select(0, i).copy_(OutsideRanges(rows[i].request, vocabulary));
      continue;
    }
    closed_rows.push_back(i);
    for (int64_t token : request.trie->Children(rows[i].node)) {
      open_positions.push_back(i * vocabulary + token);
    }
  }
  if (!closed_rows.empty()) {
    forbidden.index_fill_(0, at::tensor(closed_rows), true);
    forbidden.view({-1}).index_fill_(0, at::tensor(open_positions), false);
  }
  return forbidden;
}

const at::Tensor& NextTokenScorer::OutsideRanges(int64_t request, int64_t vocabulary) {
  at::Tensor& outside = outside_ranges_[request];
  if (outside.defined()) return outside;
  outside = at::zeros({vocabulary}, at::kBool).fill_(true);
  for (const TokenRange& range : plan_.requests[request].allowed) {
    outside.slice(0, range.begin, range.end).fill_(false);
  }
  const SpecialTokens& special = plan_.special;
  outside.select(0, special.eos).fill_(false);
  if (!plan_.options.ranges_keep_special_tokens) return outside;
  for (int64_t token : {special.bos, special.pad, special.unk}) {
    outside.select(0, token).fill_(false);
  }
  return outside;
}

// [V] bool, true for the tokens of retired blocks.
const at::Tensor& NextTokenScorer::Retired(const at::Tensor& logits) {
  if (retired_.defined()) return retired_;
  retired_ = at::zeros({logits.size(1)}, at::kBool);
  for (const RetiredTokens& tokens : plan_.retired) {
    retired_.slice(0, tokens.range.begin, tokens.range.end).fill_(true);
  }
  return retired_ = retired_.to(logits.device());
}

// A row inside its prefix keeps only the forced token (with soft_prefix, see GenerationOptions,
// others stay possible); a row at its bound keeps only </s>. This comes before all penalties, which
// is the reference's order.
void NextTokenScorer::ForcePrefixes(const std::vector<Row>& rows, at::Tensor* scores) const {
  const int64_t vocabulary = scores->size(1);
  std::vector<int64_t> forced_rows, forced_tokens, ended_rows, ends;
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t row = i;
    const int64_t forced = ForcedToken(plan_, rows[i]);
    if (rows[i].step() >= plan_.requests[rows[i].request].max_length) {
      ended_rows.push_back(row);
      ends.push_back(row * vocabulary + plan_.special.eos);
    } else if (forced >= 0) {
      forced_rows.push_back(row);
      forced_tokens.push_back(row * vocabulary + forced);
    }
  }
  if (!ended_rows.empty()) KeepOneToken(ended_rows, ends, Scalar(kImpossible, *scores), scores);
  if (forced_rows.empty()) return;
  at::Tensor others = Scalar(kImpossible, *scores);
  if (plan_.options.soft_prefix) {
    // As in the reference, a row whose own prefix is over takes part with <pad>.
    std::vector<int64_t> gathered = forced_tokens;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (ForcedToken(plan_, rows[i]) < 0) {
        gathered.push_back(static_cast<int64_t>(i) * vocabulary + plan_.special.pad);
      }
    }
    others = scores->view({-1}).index_select(0, Indices(gathered, *scores)).min() - 1;
  }
  KeepOneToken(forced_rows, forced_tokens, others, scores);
}

// Special tokens, early ends and repeated n-grams.
void NextTokenScorer::BanTokens(const std::vector<Row>& rows, at::Tensor* scores) const {
  std::vector<int64_t> banned, positions;
  const SpecialTokens& special = plan_.special;
  for (size_t i = 0; i < rows.size(); ++i) {
    const SearchRequest& request = plan_.requests[rows[i].request];
    const int64_t step = rows[i].step();
    const bool is_forced = ForcedToken(plan_, rows[i]) >= 0;
    if (is_forced && !plan_.options.soft_prefix) continue;
    banned.clear();
    if (plan_.options.forbid_special_tokens && step < request.max_length) {
      banned = {special.bos, special.pad, special.eos, special.unk};
    }
    const bool in_prefixes = plan_.options.soft_prefix && step < longest_prefix_;
    if (!in_prefixes && step < std::min(request.min_length, request.max_length)) {
      banned.push_back(special.eos);
    }
    const int64_t n = plan_.config.no_repeat_ngram();
    if (n > 0 && request.trie == nullptr) AppendRepeats(rows[i].tokens, n, &banned);
    for (int64_t token : banned) positions.push_back(i * scores->size(1) + token);
  }
  if (!positions.empty()) {
    scores->view({-1}).index_fill_(0, Indices(positions, *scores), kImpossible);
  }
}

}  // namespace generation
}  // namespace unival
