#include "training/data/sample/sampler.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::json;

absl::Status CheckSource(const SamplerSource& source, bool is_mixed) {
  const auto error = [&](absl::string_view field, auto value, absl::string_view expected) {
    return absl::InvalidArgumentError(absl::StrCat("source \"", source.name, "\": ", field,
                                                   ": expected ", expected, ", got ", value));
  };
  if (source.size <= 0) return error("records", source.size, "at least one");
  if (!(source.weight >= 0) || !std::isfinite(source.weight)) {
    return error("weight", source.weight, "0 or more");
  }
  if (source.batch <= 0 && !is_mixed) return error("batch", source.batch, "at least one row");
  if (source.unlock_step < 0) return error("unlock_step", source.unlock_step, "0 or more");
  return absl::OkStatus();
}

// Checks the saved number of drawn rows: a number out of range would lead beyond the records.
absl::StatusOr<int64_t> DrawnOf(const Json& counter) {
  constexpr int64_t kMostDrawn = int64_t{1} << 60;  // no run draws as many
  const Json& drawn = counter.at("drawn");
  if (drawn.is_number_integer() && drawn.get<int64_t>() >= 0 &&
      drawn.get<int64_t>() <= kMostDrawn) {
    return drawn.get<int64_t>();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "sampler state: drawn: expected a whole number from 0 on, got ", JsonText(drawn)));
}

constexpr char kWorldSize[] = "world_size";

// What a saved state belongs to.
Json Identity(const SamplerOptions& options) {
  Json identity = {{"seed", options.seed}, {kWorldSize, options.world_size}};
  if (options.mixed_rows > 0) identity["mixed_rows"] = options.mixed_rows;
  for (const SamplerSource& source : options.sources) {
    identity["sources"].push_back({{"name", source.name},
                                   {"size", source.size},
                                   {"weight", source.weight},
                                   {"unlock_step", source.unlock_step},
                                   {"batch", source.batch}});
  }
  return identity;
}

}  // namespace

int64_t PermutedIndex(int64_t position, int64_t size, uint64_t key) {
  // A Feistel network permutes [0, 4^k) for the smallest 4^k >= size. A result outside [0, size) is
  // permuted again until it lies inside, which it must, since every cycle returns to its start.
  int half_bits = 1;
  while (half_bits < 31 && (int64_t{1} << (2 * half_bits)) < size) ++half_bits;
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  uint64_t value = static_cast<uint64_t>(position);
  do {
    uint64_t left = value >> half_bits, right = value & mask;
    for (uint64_t round = 0; round < 6; ++round) {
      const uint64_t next = left ^ (Mix(key + round, right) & mask);
      left = right;
      right = next;
    }
    value = left << half_bits | right;
  } while (value >= static_cast<uint64_t>(size));
  return static_cast<int64_t>(value);
}

BalancedSampler::BalancedSampler(SamplerOptions options)
    : options_(std::move(options)), counters_(options_.sources.size()) {}

absl::StatusOr<BalancedSampler> BalancedSampler::Create(const SamplerOptions& options) {
  bool unlocked = false;
  for (const SamplerSource& source : options.sources) {
    UNIVAL_RETURN_IF_ERROR(CheckSource(source, options.mixed_rows > 0));
    unlocked |= source.unlock_step == 0 && source.weight > 0;
  }
  if (!unlocked) {
    return absl::InvalidArgumentError(
        "no source is unlocked at step 0; set unlock_step: 0 and a weight above 0 for one");
  }
  if (options.world_size < 1 || options.rank < 0 || options.rank >= options.world_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", options.rank, " of a world of ", options.world_size));
  }
  return BalancedSampler(options);
}

int BalancedSampler::Choose(int64_t step) {
  double total = 0;
  for (const SamplerSource& source : options_.sources) {
    if (step >= source.unlock_step) total += source.weight;
  }
  int best = -1;
  for (size_t i = 0; i < counters_.size(); ++i) {
    const SamplerSource& source = options_.sources[i];
    if (step < source.unlock_step || source.weight == 0) continue;
    counters_[i].credit += source.weight / total;
    if (best < 0 || counters_[i].credit > counters_[best].credit) best = static_cast<int>(i);
  }
  counters_[best].credit -= 1;
  return best;
}

void BalancedSampler::AddRow(int index, int64_t row, MicroBatch* batch) const {
  const SamplerSource& source = options_.sources[index];
  const uint64_t stream = Mix(options_.seed, static_cast<uint64_t>(index));
  const uint64_t epoch_key = Mix(stream, static_cast<uint64_t>(row / source.size));
  if (batch->sources.empty()) {
    batch->source = index;
    batch->epoch = row / source.size;
  }
  batch->sources.push_back(index);
  batch->indices.push_back(PermutedIndex(row % source.size, source.size, epoch_key));
  batch->seeds.push_back(Mix(~stream, static_cast<uint64_t>(row)));
}

void BalancedSampler::DrawFromOne(int64_t step, MicroBatch* batch) {
  const int chosen = Choose(step);
  const int64_t rows = options_.sources[chosen].batch;
  Counter& counter = counters_[chosen];
  const int64_t first = counter.drawn + options_.rank * rows;
  for (int64_t row = first; row < first + rows; ++row) AddRow(chosen, row, batch);
  batch->source_rows[chosen] = rows * options_.world_size;
  counter.drawn += rows * options_.world_size;
}

// The rows of all ranks are drawn by each, so that the source of a row does not depend on how many
// ranks share the micro-batch.
void BalancedSampler::DrawFromAll(int64_t step, MicroBatch* batch) {
  const int64_t first = options_.rank * options_.mixed_rows, end = first + options_.mixed_rows;
  for (int64_t i = 0; i < options_.mixed_rows * options_.world_size; ++i) {
    const int chosen = Choose(step);
    const int64_t row = counters_[chosen].drawn++;
    ++batch->source_rows[chosen];
    if (i >= first && i < end) AddRow(chosen, row, batch);
  }
}

MicroBatch BalancedSampler::Next(int64_t step) {
  MicroBatch batch;
  batch.source_rows.assign(options_.sources.size(), 0);
  if (options_.mixed_rows > 0) {
    DrawFromAll(step, &batch);
  } else {
    DrawFromOne(step, &batch);
  }
  return batch;
}

std::string BalancedSampler::Save() const {
  Json state = {{"version", 1}, {"identity", Identity(options_)}};
  for (const Counter& counter : counters_) {
    state["counters"].push_back({{"credit", counter.credit}, {"drawn", counter.drawn}});
  }
  return JsonText(state);
}

absl::Status BalancedSampler::Restore(absl::string_view text) {
  constexpr char kPlace[] = "sampler state";
  std::vector<Counter> counters;
  UNIVAL_ASSIGN_OR_RETURN(const Json state, Annotate(ParseJson<Json>(text), kPlace));
  // As Save wrote it: bytes of names that are no UTF-8 are replaced.
  UNIVAL_ASSIGN_OR_RETURN(Json expected,
                          Annotate(ParseJson<Json>(JsonText(Identity(options_))), kPlace));
  const auto read = [&]() -> absl::Status {
    expected[kWorldSize] = state.at("identity").at(kWorldSize);
    if (state.at("identity") != expected) {
      return absl::InvalidArgumentError(absl::StrCat(
          "sampler state belongs to other data: expected ", JsonText(expected), ", got ",
          JsonText(state.at("identity")), "; resume with the plan and data of the first start"));
    }
    for (const Json& counter : state.at("counters")) {
      UNIVAL_ASSIGN_OR_RETURN(const int64_t drawn, DrawnOf(counter));
      counters.push_back({counter.at("credit").get<double>(), drawn});
    }
    return absl::OkStatus();
  };
  UNIVAL_RETURN_IF_ERROR(
      CatchJson(read, [&](absl::string_view why) { return InvalidArgument(kPlace, ": ", why); }));
  if (counters.size() != counters_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("sampler state: expected ", counters_.size(),
                                                   " counters, got ", counters.size()));
  }
  counters_ = std::move(counters);
  return absl::OkStatus();
}

}  // namespace unival
