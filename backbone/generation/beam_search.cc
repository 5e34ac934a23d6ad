// Beam search as generate.h describes it. Scores and candidates are computed with tensors and
// copied to the CPU once per step; which beams go on is decided there, on plain vectors.
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

class Beams {
 public:
  Beams(IncrementalDecoder& decoder, const SearchPlan& plan)
      : decoder_(decoder),
        plan_(plan),
        scorer_(plan),
        certain_(plan),
        beam_(plan.config.beam()),
        found_(plan.requests.size()) {
    for (size_t i = 0; i < plan.requests.size(); ++i) {
      Row row;
      row.request = i;
      row.tokens = {plan.special.bos};
      rows_.push_back(row);
    }
    samples_ = plan.requests.size();
  }

  Results Run() {
    while (samples_ > 0) {
      UNIVAL_ASSIGN_OR_RETURN(at::Tensor logits, StepLogits(decoder_, rows_));
      const at::Tensor scores = scorer_.LogProbabilities(logits, rows_);
      if (AllForced()) {
        AdvanceForced(scores);
      } else {
        UNIVAL_RETURN_IF_ERROR(Advance(scores));
      }
      UNIVAL_RETURN_IF_ERROR(certain_.Tell(rows_, found_));
    }
    for (std::vector<Found>& found : found_) KeepBest(plan_.config.n_best(), &found);
    UNIVAL_RETURN_IF_ERROR(certain_.TellAll(found_));
    return std::move(found_);
  }

 private:
  struct Candidates {
    at::Tensor scores, tokens;  // [B, C] on the CPU; tokens: beam * V + token
  };

  int64_t width() const { return rows_.size() / samples_; }  // rows per sample

  // While every sample is inside its prefix, all its beams would be equal: one row per sample is
  // enough.
  bool AllForced() const {
    if (width() > 1 || plan_.options.soft_prefix) return false;
    return std::all_of(rows_.begin(), rows_.end(),
                       [this](const Row& row) { return ForcedToken(plan_, row) >= 0; });
  }

  void AdvanceForced(const at::Tensor& scores) {
    std::vector<int64_t> positions;
    for (size_t i = 0; i < rows_.size(); ++i) {
      positions.push_back(i * scores.size(1) + ForcedToken(plan_, rows_[i]));
    }
    const at::Tensor chosen =
        scores.view({-1}).index_select(0, at::tensor(positions).to(scores.device())).cpu();
    const float* values = chosen.data_ptr<float>();
    for (size_t i = 0; i < rows_.size(); ++i) {
      Append(plan_, ForcedToken(plan_, rows_[i]), rows_[i].score + values[i], &rows_[i]);
    }
  }

  Candidates TopCandidates(const at::Tensor& scores) const {
    std::vector<float> sums(rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) sums[i] = rows_[i].score;
    const at::Tensor totals =
        scores.add_(at::tensor(sums).to(scores.device()).unsqueeze(1)).view({samples_, -1});
    const int64_t count = std::min<int64_t>(2 * beam_, totals.size(1) - 1);
    const auto [values, indices] = totals.topk(count);
    return {values.cpu().contiguous(), indices.cpu().contiguous()};
  }

  absl::Status Advance(const at::Tensor& scores) {
    const Candidates candidates = TopCandidates(scores);
    const int64_t count = candidates.scores.size(1), vocabulary = scores.size(1);
    const int64_t old_rows = rows_.size(), old_samples = samples_, old_width = width();
    std::vector<Row> next_rows;
    std::vector<int64_t> parents, kept_samples;
    for (int64_t sample = 0; sample < old_samples; ++sample) {
      const float* values = candidates.scores.data_ptr<float>() + sample * count;
      const int64_t* tokens = candidates.tokens.data_ptr<int64_t>() + sample * count;
      if (std::isnan(values[0])) return absl::InternalError("decoder step: logits are not numbers");
      const size_t first_new = next_rows.size();
      if (AdvanceSample(sample * old_width, values, tokens, count, vocabulary, &next_rows,
                        &parents)) {
        kept_samples.push_back(sample);
      } else {
        next_rows.resize(first_new);
        parents.resize(first_new);
      }
    }
    rows_ = std::move(next_rows);
    samples_ = kept_samples.size();
    if (samples_ > 0) Reorder(decoder_, parents, kept_samples, old_rows, old_samples);
    return absl::OkStatus();
  }

  // Ends hypotheses and appends the beams that go on; false when the sample is finished.
  bool AdvanceSample(int64_t first_row, const float* values, const int64_t* tokens, int64_t count,
                     int64_t vocabulary, std::vector<Row>* next_rows,
                     std::vector<int64_t>* parents) {
    const int64_t request = rows_[first_row].request;
    const bool is_last_step = rows_[first_row].step() >= plan_.requests[request].max_length;
    std::vector<Found>& found = found_[request];
    int64_t active = 0;
    bool is_alive = false;
    for (int64_t i = 0; i < count && active < beam_; ++i) {
      const int64_t parent = first_row + tokens[i] / vocabulary, token = tokens[i] % vocabulary;
      const bool is_possible = values[i] != kImpossible;
      if (token == plan_.special.eos && is_possible) {
        if (i < beam_ && static_cast<int64_t>(found.size()) < beam_) {
          found.push_back(Finish(plan_, rows_[parent], values[i]));
        }
        continue;
      }
      is_alive = is_alive || is_possible;
      Continue(parent, token, values[i], next_rows, parents);
      ++active;
    }
    for (; active < beam_; ++active) {  // a vocabulary smaller than the beam
      Continue(first_row, plan_.special.eos, kImpossible, next_rows, parents);
    }
    return is_alive && !is_last_step && static_cast<int64_t>(found.size()) < beam_;
  }

  void Continue(int64_t parent, int64_t token, float score, std::vector<Row>* next_rows,
                std::vector<int64_t>* parents) const {
    next_rows->push_back(rows_[parent]);
    Append(plan_, token, score, &next_rows->back());
    parents->push_back(parent);
  }

  IncrementalDecoder& decoder_;
  const SearchPlan& plan_;
  NextTokenScorer scorer_;
  CertainTokens certain_;
  const int64_t beam_;
  int64_t samples_ = 0;
  std::vector<Row> rows_;  // rows of a sample stand together
  std::vector<std::vector<Found>> found_;
};

}  // namespace

Results BeamSearch(IncrementalDecoder& decoder, const SearchPlan& plan) {
  return Beams(decoder, plan).Run();
}

}  // namespace generation
}  // namespace unival
