// Scores every answer of a closed set. Answers that begin alike share decoder rows: the prefix tree
// of the answers is visited level by level, with one row per node that still branches. From the
// point where only one answer is left, its remaining tokens have probability one under the
// constraint and need no decoder step.
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "backbone/generation/search.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace generation {
namespace {

constexpr int64_t kMaxRows = 4096;

class CandidateScorer {
 public:
  CandidateScorer(IncrementalDecoder& decoder, const SearchPlan& plan)
      : decoder_(decoder), plan_(plan), scorer_(plan), found_(plan.requests.size()) {
    for (size_t i = 0; i < plan.requests.size(); ++i) {
      Row row;
      row.request = i;
      row.tokens = {plan.special.bos};
      rows_.push_back(row);
      samples_.push_back({static_cast<int64_t>(i)});
    }
  }

  Results Run() {
    while (!rows_.empty()) {
      if (static_cast<int64_t>(rows_.size()) > kMaxRows) return TooWide();
      UNIVAL_ASSIGN_OR_RETURN(at::Tensor logits, StepLogits(decoder_, rows_));
      const at::Tensor scores = scorer_.LogProbabilities(logits, rows_).cpu();
      Advance(scores);
    }
    for (std::vector<Hypothesis>& found : found_) KeepBest(plan_.config.n_best(), &found);
    return std::move(found_);
  }

 private:
  absl::Status TooWide() const {
    return absl::ResourceExhaustedError(
        absl::StrCat("generation.score_candidates: the answer sets of this batch need ",
                     rows_.size(), " decoder rows at once, at most ", kMaxRows,
                     "; use a smaller batch, or beam search (score_candidates: false, beam: 5)"));
  }

  void Advance(const at::Tensor& scores) {
    const int64_t vocabulary = scores.size(1), old_rows = rows_.size(),
                  old_samples = samples_.size();
    const float* values = scores.data_ptr<float>();
    std::vector<std::vector<Row>> next(old_samples);
    std::vector<std::vector<int64_t>> parents(old_samples);
    for (int64_t sample = 0; sample < old_samples; ++sample) {
      for (int64_t row : samples_[sample]) {
        Expand(row, values + row * vocabulary, &next[sample], &parents[sample]);
      }
    }
    Rearrange(&next, parents, old_rows, old_samples);
  }

  void Expand(int64_t index, const float* values, std::vector<Row>* next,
              std::vector<int64_t>* parents) {
    const Row& row = rows_[index];
    const int64_t forced = ForcedToken(plan_, row);
    if (forced >= 0) {  // scores count from the end of the prefix
      next->push_back(row);
      Append(plan_, forced, 0, &next->back());
      parents->push_back(index);
      return;
    }
    const AnswerTrie& trie = *plan_.requests[row.request].trie;
    for (int64_t token : trie.Children(row.node)) {
      Row child = row;
      const float score = row.score + values[token];
      if (token == plan_.special.eos) {
        Keep(child, score);
        continue;
      }
      Append(plan_, token, score, &child);
      if (FollowTail(trie, &child)) continue;
      next->push_back(std::move(child));
      parents->push_back(index);
    }
  }

  // When only one answer is left below the row, completes it and returns true.
  bool FollowTail(const AnswerTrie& trie, Row* row) {
    if (plan_.options.mask_after_softmax) return false;
    Row end = *row;
    while (trie.Children(end.node).size() == 1) {
      const int64_t token = trie.Children(end.node).front();
      if (token == plan_.special.eos) {
        Keep(end, end.score);
        return true;
      }
      Append(plan_, token, end.score, &end);
    }
    return false;
  }

  void Keep(const Row& row, float score) {
    Hypothesis hypothesis = Finish(plan_, row, score);
    hypothesis.score = score;  // a plain sum
    found_[row.request].push_back(std::move(hypothesis));
  }

  // The decoder needs the same number of rows for every remaining sample. Where a sample has fewer
  // open nodes, its first row is repeated, and the copies are not expanded.
  void Rearrange(std::vector<std::vector<Row>>* next,
                 const std::vector<std::vector<int64_t>>& parents, int64_t old_rows,
                 int64_t old_samples) {
    size_t width = 0;
    for (const std::vector<Row>& rows : *next) width = std::max(width, rows.size());
    rows_.clear();
    samples_.clear();
    std::vector<int64_t> order, kept;
    for (int64_t sample = 0; sample < old_samples; ++sample) {
      if ((*next)[sample].empty()) continue;
      kept.push_back(sample);
      samples_.emplace_back();
      for (size_t i = 0; i < width; ++i) {
        const size_t source = i < (*next)[sample].size() ? i : 0;
        if (source == i) samples_.back().push_back(rows_.size());
        rows_.push_back((*next)[sample][source]);
        order.push_back(parents[sample][source]);
      }
    }
    if (!rows_.empty()) Reorder(decoder_, order, kept, old_rows, old_samples);
  }

  IncrementalDecoder& decoder_;
  const SearchPlan& plan_;
  NextTokenScorer scorer_;
  std::vector<Row> rows_;                      // rows of a sample stand together
  std::vector<std::vector<int64_t>> samples_;  // rows of each sample that are open nodes
  std::vector<std::vector<Hypothesis>> found_;
};

}  // namespace

Results ScoreCandidates(IncrementalDecoder& decoder, const SearchPlan& plan) {
  return CandidateScorer(decoder, plan).Run();
}

}  // namespace generation
}  // namespace unival
