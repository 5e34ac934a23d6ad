// Scores every answer of a closed set.
//
// Answers that begin alike share decoder rows: the prefix tree of the answers is visited level by
// level, with one row per node that still branches. From the point where only one answer is left,
// its remaining tokens have probability one under the constraint and need no decoder step.
//
// Only the `n_best` answers are wanted, and a token's log-probability is never positive: no answer
// below a node is better than the node. So the best nodes are followed first, and those that are
// worse than the answers found by then are left out. What is found is the same.
//
// A level of many rows is taken in parts (candidate_parts.h), each by a copy of the decoder, one
// after the other down to the leaves. So memory grows with the length of answers, and not with
// their number.
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/generation/candidate_parts.h"
#include "backbone/generation/search.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace generation {
namespace {

// Rows of one step of a decoder that cannot be copied.
constexpr int64_t kMostRowsAtOnce = 4096;

// log-probabilities of `children` among themselves; `columns[i]` is where the logit of children[i]
// stands.
std::vector<float> LogSoftmax(const float* logits, const std::vector<int64_t>& columns,
                              float temperature) {
  std::vector<float> values(columns.size());
  float largest = kImpossible;
  for (size_t i = 0; i < columns.size(); ++i) {
    values[i] = logits[columns[i]] / temperature;
    if (!(values[i] <= largest)) largest = values[i];  // NaN stays
  }
  double sum = 0;
  for (const float value : values) sum += std::exp(static_cast<double>(value) - largest);
  const double normalizer = largest + std::log(sum);
  for (float& value : values) value = static_cast<float>(value - normalizer);
  return values;
}

class CandidateScorer {
 public:
  explicit CandidateScorer(const SearchPlan& plan)
      : plan_(plan),
        scorer_(plan),
        leaves_out_(!plan.options.mask_after_softmax && plan.config.unk_penalty() >= 0),
        found_(plan.requests.size()),
        best_(plan.requests.size()) {}

  Results Run(IncrementalDecoder& decoder) {
    Level level;
    for (size_t i = 0; i < plan_.requests.size(); ++i) {
      Row row;
      row.request = i;
      row.tokens = {plan_.special.bos};
      level.rows.push_back(row);
      level.samples.push_back({static_cast<int64_t>(i)});
    }
    UNIVAL_RETURN_IF_ERROR(Visit(decoder, std::move(level)));
    for (std::vector<Found>& found : found_) {
      // Of equal scores, the order in which they were found must not decide.
      std::sort(found.begin(), found.end(),
                [](const Found& a, const Found& b) { return a.tokens < b.tokens; });
      KeepBest(plan_.config.n_best(), &found);
    }
    UNIVAL_RETURN_IF_ERROR(CertainTokens(plan_).TellAll(found_));
    return std::move(found_);
  }

 private:
  // Scores the answers below a level, step by step down to their ends.
  absl::Status Visit(IncrementalDecoder& decoder, Level level) {
    while (!level.rows.empty()) {
      UNIVAL_ASSIGN_OR_RETURN(Children children, Step(decoder, level));
      const int64_t old_rows = level.rows.size(), old_samples = level.samples.size();
      level = Level();
      if (leaves_out_) BestFirst(&children);
      size_t most = leaves_out_ ? kFirstRows : kMostRows;
      for (Part part = Next(&children, most); !part.samples.empty(); part = Next(&children, most)) {
        most = kMostRows;
        if (part.is_last) {
          level = Continue(decoder, children, part, old_rows, old_samples);
          break;
        }
        UNIVAL_ASSIGN_OR_RETURN(const bool is_visited, VisitCopy(decoder, children, part));
        if (is_visited) continue;
        UNIVAL_ASSIGN_OR_RETURN(level, AllAtOnce(decoder, &children, old_rows, old_samples));
        break;
      }
    }
    return absl::OkStatus();
  }

  // False: the decoder cannot be copied.
  absl::StatusOr<bool> VisitCopy(const IncrementalDecoder& decoder, const Children& children,
                                 const Part& part) {
    std::vector<int64_t> order;
    Level level = TakePart(children, part, &order);
    const std::unique_ptr<IncrementalDecoder> copy =
        decoder.Fork(at::tensor(order, at::kLong), at::tensor(part.samples, at::kLong));
    if (copy == nullptr) return false;
    UNIVAL_RETURN_IF_ERROR(Visit(*copy, std::move(level)));
    return true;
  }

  // With a decoder that cannot be copied, the level must fit into one step.
  absl::StatusOr<Level> AllAtOnce(IncrementalDecoder& decoder, Children* children, int64_t old_rows,
                                  int64_t old_samples) {
    children->begins.assign(children->rows.size(), 0);
    const Part part = Next(children, kMostRowsAtOnce);
    if (part.is_last) return Continue(decoder, *children, part, old_rows, old_samples);
    return absl::ResourceExhaustedError(absl::StrCat(
        "generation.score_candidates: the answer sets of this batch need more than ",
        kMostRowsAtOnce,
        " decoder rows at once; use a smaller batch, or beam search (score_candidates: false, "
        "beam: 5)"));
  }

  Level Continue(IncrementalDecoder& decoder, const Children& children, const Part& part,
                 int64_t old_rows, int64_t old_samples) {
    std::vector<int64_t> order;
    Level level = TakePart(children, part, &order);
    Reorder(decoder, order, part.samples, old_rows, old_samples);
    return level;
  }

  // Whether `n_best` answers were found that are better than all below this node.
  bool IsBeaten(const Row& row) const {
    const std::vector<float>& best = best_[row.request];
    return leaves_out_ && static_cast<int64_t>(best.size()) >= plan_.config.n_best() &&
           row.score < best.back();
  }

  Part Next(Children* children, size_t most) const {
    return NextPart([this](const Row& row) { return IsBeaten(row); }, most, children);
  }

  absl::StatusOr<Children> Step(IncrementalDecoder& decoder, const Level& level) {
    if (plan_.options.mask_after_softmax) {
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor logits, StepLogits(decoder, level.rows));
      const at::Tensor scores = scorer_.LogProbabilities(logits, level.rows).cpu();
      const float* values = scores.data_ptr<float>();
      const int64_t vocabulary = scores.size(1);
      return Expand(level, [&](int64_t row, const std::vector<int64_t>& tokens) {
        std::vector<float> chosen;
        for (const int64_t token : tokens) chosen.push_back(values[row * vocabulary + token]);
        return chosen;
      });
    }
    const std::vector<int64_t> wanted = Wanted(level);
    UNIVAL_ASSIGN_OR_RETURN(at::Tensor logits, StepLogitsOf(decoder, level.rows, wanted));
    logits = logits.cpu().contiguous();
    const float* values = logits.data_ptr<float>();
    return Expand(level, [&](int64_t row, const std::vector<int64_t>& tokens) {
      std::vector<int64_t> columns;
      for (const int64_t token : tokens) {
        columns.push_back(std::lower_bound(wanted.begin(), wanted.end(), token) - wanted.begin());
      }
      const float* own = values + row * static_cast<int64_t>(wanted.size());
      return Penalized(level.rows[row], tokens,
                       LogSoftmax(own, columns, plan_.config.temperature()));
    });
  }

  // What may follow any open row, in ascending order.
  std::vector<int64_t> Wanted(const Level& level) const {
    std::vector<int64_t> wanted;
    for (const std::vector<int64_t>& open : level.samples) {
      for (const int64_t index : open) {
        const Row& row = level.rows[index];
        if (ForcedToken(plan_, row) >= 0) continue;
        const auto& tokens = plan_.requests[row.request].trie->Children(row.node);
        wanted.insert(wanted.end(), tokens.begin(), tokens.end());
      }
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    return wanted;
  }

  // What NextTokenScorer does behind the softmax, for the tokens of an answer.
  std::vector<float> Penalized(const Row& row, const std::vector<int64_t>& tokens,
                               std::vector<float> scores) const {
    const SpecialTokens& special = plan_.special;
    const SearchRequest& request = plan_.requests[row.request];
    const bool at_bound = row.step() >= request.max_length;
    const bool too_short = row.step() < std::min(request.min_length, request.max_length);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool is_end = tokens[i] == special.eos;
      const bool is_special = is_end || tokens[i] == special.bos || tokens[i] == special.unk;
      if (tokens[i] == special.unk) scores[i] -= plan_.config.unk_penalty();
      if (at_bound ? !is_end
                   : (is_special && plan_.options.forbid_special_tokens) || (is_end && too_short)) {
        scores[i] = kImpossible;
      }
    }
    return scores;
  }

  template <typename Score>
  Children Expand(const Level& level, Score score) {
    Children children;
    for (const std::vector<int64_t>& open : level.samples) {
      children.rows.emplace_back();
      for (const int64_t row : open) ExpandRow(level, row, score, &children.rows.back());
    }
    children.begins.resize(children.rows.size());
    return children;
  }

  template <typename Score>
  void ExpandRow(const Level& level, int64_t index, Score score, std::vector<Child>* next) {
    const Row& row = level.rows[index];
    const int64_t forced = ForcedToken(plan_, row);
    if (forced >= 0) {  // scores count from the end of the prefix
      next->push_back({row, index});
      Append(plan_, forced, 0, &next->back().row);
      return;
    }
    const AnswerTrie& trie = *plan_.requests[row.request].trie;
    const std::vector<int64_t>& tokens = trie.Children(row.node);
    const std::vector<float> scores = score(index, tokens);
    for (size_t i = 0; i < tokens.size(); ++i) {
      Row child = row;
      const float sum = row.score + scores[i];
      if (tokens[i] == plan_.special.eos) {
        Keep(child, sum);
        continue;
      }
      Append(plan_, tokens[i], sum, &child);
      if (FollowTail(trie, &child)) continue;
      next->push_back({std::move(child), index});
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
    Found hypothesis = Finish(plan_, row, score);
    hypothesis.score = hypothesis.rank = score;  // a plain sum
    found_[row.request].push_back(std::move(hypothesis));
    std::vector<float>& best = best_[row.request];
    if (std::isnan(score)) return;
    best.insert(std::upper_bound(best.begin(), best.end(), score, std::greater<float>()), score);
    if (static_cast<int64_t>(best.size()) > plan_.config.n_best()) best.pop_back();
  }

  const SearchPlan& plan_;
  NextTokenScorer scorer_;
  const bool leaves_out_;  // whether scores never rise on the way to the leaves
  std::vector<std::vector<Found>> found_;
  std::vector<std::vector<float>> best_;  // by request: the n_best scores, best first
};

}  // namespace

Results ScoreCandidates(IncrementalDecoder& decoder, const SearchPlan& plan) {
  return CandidateScorer(plan).Run(decoder);
}

}  // namespace generation
}  // namespace unival
