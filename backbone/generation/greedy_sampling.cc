// Greedy search and sampling: each row takes one token per step, the likeliest or a random one. The
// rows of a sample do not compete, unlike beams.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/generation/search.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace generation {
namespace {

// Token and log-probability of one row's next token.
struct Choice {
  int64_t token = 0;
  float log_probability = 0;
};

std::vector<Choice> ToChoices(const at::Tensor& tokens, const at::Tensor& values) {
  const at::Tensor host_tokens = tokens.to(at::kCPU, at::kLong).contiguous();
  const at::Tensor host_values = values.to(at::kCPU, at::kFloat).contiguous();
  std::vector<Choice> choices(host_tokens.numel());
  for (size_t i = 0; i < choices.size(); ++i) {
    choices[i] = {host_tokens.data_ptr<int64_t>()[i], host_values.data_ptr<float>()[i]};
  }
  return choices;
}

std::vector<Choice> ChooseLikeliest(const at::Tensor& scores) {
  const auto [values, tokens] = scores.max(-1);
  return ToChoices(tokens, values);
}

// Draws from every row of `scores` [R, V], cut to the top_k likeliest tokens and then to the fewest
// of these whose probability reaches top_p. `uniform` [R] float64 in [0, 1).
std::vector<Choice> Draw(const at::Tensor& scores, const GenerationConfig& config,
                         const at::Tensor& uniform) {
  const int64_t vocabulary = scores.size(1);
  const int64_t kept =
      config.top_k() > 0 ? std::min<int64_t>(config.top_k(), vocabulary) : vocabulary;
  at::Tensor values = scores, tokens;
  if (kept < vocabulary) {
    std::tie(values, tokens) = scores.topk(kept);
  } else if (config.top_p() > 0) {
    std::tie(values, tokens) = scores.sort(-1, /*descending=*/true);
  }
  const at::Tensor probabilities = values.to(at::kDouble).exp();
  const at::Tensor cumulative = probabilities.cumsum(-1);
  at::Tensor total = cumulative.narrow(1, kept - 1, 1);
  if (config.top_p() > 0) {
    const at::Tensor is_kept = (cumulative - probabilities).lt(total * config.top_p());
    total = (probabilities * is_kept).sum(-1, /*keepdim=*/true);
  }
  const at::Tensor possible = probabilities.gt(0).sum(-1, /*keepdim=*/true);
  at::Tensor place =
      cumulative.le(uniform.to(scores.device()).unsqueeze(1) * total).sum(-1, /*keepdim=*/true);
  if (!tokens.defined()) {
    // Impossible tokens add nothing to the sum, so the place found is a possible token; only
    // rounding can lead past the last one.
    const at::Tensor drawn = place.clamp_max(kept - 1);
    return ToChoices(drawn.squeeze(1), values.gather(1, drawn).squeeze(1));
  }
  place = place.minimum(possible - 1).clamp_min(0);
  return ToChoices(tokens.gather(1, place).squeeze(1), values.gather(1, place).squeeze(1));
}

class GreedyOrSampling {
 public:
  GreedyOrSampling(IncrementalDecoder& decoder, const SearchPlan& plan)
      : decoder_(decoder),
        plan_(plan),
        scorer_(plan),
        certain_(plan),
        found_(plan.requests.size()) {
    if (plan.config.sample()) {
      rows_per_sample_ = std::max<int64_t>(plan.config.beam(), plan.config.n_best());
    }
    for (size_t i = 0; i < plan.requests.size(); ++i) {
      Row row;
      row.request = i;
      row.tokens = {plan.special.bos};
      rows_.push_back(row);
    }
    ended_.resize(rows_.size());
  }

  Results Run() {
    while (!rows_.empty()) {
      UNIVAL_ASSIGN_OR_RETURN(at::Tensor logits, StepLogits(decoder_, rows_));
      at::Tensor scores = scorer_.LogProbabilities(logits, rows_);
      if (width_ < rows_per_sample_ && !AllForced()) scores = Widen(scores);
      const std::vector<Choice> choices =
          plan_.config.sample() ? Draw(scores, plan_.config, Uniform()) : ChooseLikeliest(scores);
      UNIVAL_RETURN_IF_ERROR(Advance(choices));
      DropEnded();
      UNIVAL_RETURN_IF_ERROR(certain_.Tell(rows_, found_));
    }
    for (std::vector<Found>& found : found_) KeepBest(plan_.config.n_best(), &found);
    UNIVAL_RETURN_IF_ERROR(certain_.TellAll(found_));
    return std::move(found_);
  }

 private:
  bool AllForced() const {
    return std::all_of(rows_.begin(), rows_.end(),
                       [this](const Row& row) { return ForcedToken(plan_, row) >= 0; });
  }

  // Repeats the one row of every sample. The decoder's rows are repeated at the next Reorder.
  at::Tensor Widen(const at::Tensor& scores) {
    std::vector<Row> wide;
    parents_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) {
      wide.insert(wide.end(), rows_per_sample_, rows_[i]);
      parents_.insert(parents_.end(), rows_per_sample_, i);
    }
    decoder_rows_ = rows_.size();
    rows_ = std::move(wide);
    ended_.assign(rows_.size(), false);
    width_ = rows_per_sample_;
    return scores.repeat_interleave(rows_per_sample_, 0);
  }

  // One number in [0, 1) per row, a function of seeds, number of the draw and step alone.
  at::Tensor Uniform() const {
    std::vector<double> numbers(rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      const uint64_t seed = Mix(plan_.config.seed() ^ Mix(plan_.requests[rows_[i].request].seed));
      const uint64_t bits =
          Mix(Mix(seed ^ Mix(i % width_)) ^ static_cast<uint64_t>(rows_[i].step()));
      numbers[i] = UnitInterval(bits);
    }
    return at::tensor(numbers, at::kDouble);
  }

  absl::Status Advance(const std::vector<Choice>& choices) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (ended_[i]) continue;
      const auto [token, log_probability] = choices[i];
      if (!(log_probability <= 0) || log_probability == kImpossible) {
        return absl::InternalError(
            absl::StrCat("request ", rows_[i].request, ", token ", rows_[i].step(),
                         ": no token is possible (log-probability ", log_probability, ")"));
      }
      const float score = rows_[i].score + log_probability;
      if (token == plan_.special.eos) {
        found_[rows_[i].request].push_back(Finish(plan_, rows_[i], score));
        ended_[i] = true;
      } else {
        Append(plan_, token, score, &rows_[i]);
      }
    }
    return absl::OkStatus();
  }

  // Drops samples all of whose rows have ended.
  void DropEnded() {
    const int64_t old_samples = rows_.size() / width_;
    const bool was_widened = !parents_.empty();
    std::vector<Row> rows;
    std::vector<char> ended;
    std::vector<int64_t> parents, samples;
    for (int64_t sample = 0; sample < old_samples; ++sample) {
      const int64_t begin = sample * width_, end = begin + width_;
      if (std::all_of(ended_.begin() + begin, ended_.begin() + end, [](char e) { return e; }))
        continue;
      samples.push_back(sample);
      for (int64_t i = begin; i < end; ++i) {
        rows.push_back(std::move(rows_[i]));
        ended.push_back(ended_[i]);
        parents.push_back(was_widened ? parents_[i] : i);
      }
    }
    const int64_t old_rows = was_widened ? decoder_rows_ : static_cast<int64_t>(rows_.size());
    if (!rows.empty()) Reorder(decoder_, parents, samples, old_rows, old_samples);
    rows_ = std::move(rows);
    ended_ = std::move(ended);
    parents_.clear();
  }

  IncrementalDecoder& decoder_;
  const SearchPlan& plan_;
  NextTokenScorer scorer_;
  CertainTokens certain_;
  int64_t rows_per_sample_ = 1;
  int64_t width_ = 1;             // rows per sample now
  int64_t decoder_rows_ = 0;      // rows that the decoder had before widening
  std::vector<int64_t> parents_;  // decoder row of every row, right after widening
  std::vector<Row> rows_;
  std::vector<char> ended_;
  std::vector<std::vector<Found>> found_;
};

}  // namespace

Results SearchGreedyOrSampling(IncrementalDecoder& decoder, const SearchPlan& plan) {
  return GreedyOrSampling(decoder, plan).Run();
}

}  // namespace generation
}  // namespace unival
