#include "backbone/generation/search.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace unival {
namespace generation {
namespace {

bool IsIdentity(const std::vector<int64_t>& indices, int64_t size) {
  if (static_cast<int64_t>(indices.size()) != size) return false;
  for (int64_t i = 0; i < size; ++i) {
    if (indices[i] != i) return false;
  }
  return true;
}

at::Tensor NewestTokens(const std::vector<Row>& rows) {
  std::vector<int64_t> newest(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) newest[i] = rows[i].tokens.back();
  return at::tensor(newest, at::kLong);
}

}  // namespace

int64_t ForcedToken(const SearchPlan& plan, const Row& row) {
  const std::vector<int64_t>& prefix = plan.requests[row.request].prefix;
  return row.step() < static_cast<int64_t>(prefix.size()) ? prefix[row.step()] : -1;
}

void Append(const SearchPlan& plan, int64_t token, float score, Row* row) {
  const SearchRequest& request = plan.requests[row->request];
  if (request.trie != nullptr && ForcedToken(plan, *row) < 0) {
    row->node = request.trie->Next(row->node, token);
  }
  row->tokens.push_back(token);
  row->score = score;
  if (row->step() == static_cast<int64_t>(request.prefix.size())) row->prefix_score = score;
}

absl::Span<const int64_t> AnswerOf(const SearchPlan& plan, const Row& row) {
  const int64_t prefix = plan.options.keep_prefix ? 0 : plan.requests[row.request].prefix.size();
  const int64_t behind_prefix = 1 + std::min<int64_t>(prefix, row.step());
  return absl::MakeConstSpan(row.tokens).subspan(behind_prefix);
}

Found Finish(const SearchPlan& plan, const Row& row, float score) {
  const absl::Span<const int64_t> answer = AnswerOf(plan, row);
  const bool with_prefix = static_cast<int64_t>(answer.size()) == row.step();
  const auto normalized = [&plan](double sum, int64_t tokens) {
    if (plan.config.unnormalized()) return sum;
    return sum /
           std::pow(static_cast<double>(tokens), static_cast<double>(plan.config.length_penalty()));
  };
  Found found;
  found.tokens.assign(answer.begin(), answer.end());
  found.rank = normalized(score, row.step() + 1);
  found.score = with_prefix
                    ? found.rank
                    : normalized(score - row.prefix_score, static_cast<int64_t>(answer.size()) + 1);
  return found;
}

void KeepBest(int64_t n, std::vector<Found>* hypotheses) {
  std::stable_sort(hypotheses->begin(), hypotheses->end(),
                   [](const Found& a, const Found& b) { return a.rank > b.rank; });
  if (static_cast<int64_t>(hypotheses->size()) > n) hypotheses->resize(n);
}

absl::StatusOr<at::Tensor> StepLogits(IncrementalDecoder& decoder, const std::vector<Row>& rows) {
  at::Tensor logits = decoder.Step(NewestTokens(rows));
  if (logits.dim() != 2 || logits.size(0) != static_cast<int64_t>(rows.size())) {
    return absl::InternalError(absl::StrCat("decoder step: expected logits [", rows.size(),
                                            ", V], got ", logits.dim(), " dimensions, first ",
                                            logits.dim() > 0 ? logits.size(0) : 0));
  }
  return logits;
}

absl::StatusOr<at::Tensor> StepLogitsOf(IncrementalDecoder& decoder, const std::vector<Row>& rows,
                                        const std::vector<int64_t>& wanted) {
  const auto row_count = static_cast<int64_t>(rows.size());
  const auto width = static_cast<int64_t>(wanted.size());
  at::Tensor logits = decoder.StepFor(NewestTokens(rows), at::tensor(wanted, at::kLong));
  if (logits.dim() != 2 || logits.size(0) != row_count || logits.size(1) != width) {
    return absl::InternalError(absl::StrCat("decoder step: expected logits [", row_count, ", ",
                                            width, "], got ", logits.dim(), " dimensions"));
  }
  return logits;
}

void Reorder(IncrementalDecoder& decoder, const std::vector<int64_t>& parents,
             const std::vector<int64_t>& samples, int64_t old_rows, int64_t old_samples) {
  if (IsIdentity(parents, old_rows) && IsIdentity(samples, old_samples)) return;
  decoder.Reorder(at::tensor(parents, at::kLong), at::tensor(samples, at::kLong));
}

}  // namespace generation
}  // namespace unival
