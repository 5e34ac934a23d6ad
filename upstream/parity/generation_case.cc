#include "upstream/parity/generation_case.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/fields.h"

namespace unival {
namespace parity {
namespace {

using Tokens = std::vector<int64_t>;

constexpr SpecialTokens kSpecial{};

GenerationConfig ReadConfig(const Json& params, int64_t source_length) {
  GenerationConfig config;
  config.set_beam(params.value("beam_size", 1));
  config.set_n_best(config.beam());
  config.set_max_tokens(
      static_cast<int>(params.value("max_len_a", 0.0) * static_cast<double>(source_length)) +
      params.value("max_len_b", 200));
  config.set_min_tokens(params.value("min_len", 1));
  config.set_unnormalized(!params.value("normalize_scores", true));
  config.set_length_penalty(params.value("len_penalty", 1.0f));
  config.set_unk_penalty(params.value("unk_penalty", 0.0f));
  config.set_temperature(params.value("temperature", 1.0f));
  config.set_no_repeat_ngram(params.value("no_repeat_ngram_size", 0));
  return config;
}

Constraint ReadConstraint(const Json& golden) {
  Constraint constraint;
  const Json& ids = OrNull(golden, "answer_ids");
  const Json& answers = ids.is_null() ? OrNull(golden, "answers") : ids;
  if (!answers.is_null()) constraint.answers = answers.get<std::vector<Tokens>>();
  const Json& range = OrNull(golden, "constraint_range");
  if (range.is_null()) return constraint;
  constraint.allowed = {RangeOf(range)};
  return constraint;
}

// The fixture's hypotheses end with </s>.
Tokens WithoutEnd(const Json& hypothesis) {
  Tokens tokens = hypothesis.at("tokens").get<Tokens>();
  if (!tokens.empty() && tokens.back() == kSpecial.eos) tokens.pop_back();
  return tokens;
}

// Parameters of the reference's search that this one has, and those that no published script sets:
// these must be off.
absl::Status CheckKnown(const Json& params) {
  static const auto* const kKnown =
      new std::set<std::string>{"beam_size",   "max_len_a",        "max_len_b",
                                "min_len",     "normalize_scores", "len_penalty",
                                "unk_penalty", "temperature",      "no_repeat_ngram_size",
                                "gen_code",    "zero_shot",        "stop_on_max_len"};
  for (const auto& [name, value] : params.items()) {
    if (kKnown->count(name) > 0 || value == Json(false) || value.is_null()) continue;
    return absl::UnimplementedError(
        absl::StrCat("params.", name, ": ", value.dump(), ": this search has no such parameter"));
  }
  if (params.value("beam_size", 1) > 0) return absl::OkStatus();
  return absl::InvalidArgumentError("params.beam_size: expected 1 or more");
}

void CheckRequest(const std::vector<Hypothesis>& found, const Json& expected, size_t request,
                  Checker& check) {
  check.EqualJson("generation", absl::StrCat("request ", request, ", number of hypotheses"),
                  found.size(), expected.size());
  for (size_t k = 0; k < std::min(found.size(), expected.size()); ++k) {
    const std::string where = absl::StrCat("request ", request, ", hypothesis ", k);
    const Tokens tokens = WithoutEnd(expected[k]);
    check.Tokens(absl::StrCat(where, ", tokens"), static_cast<int64_t>(k), found[k].tokens, tokens);
    // The score of another hypothesis says nothing.
    if (!check.is_exact() && found[k].tokens != tokens) continue;
    check.Score(absl::StrCat(where, ", score"), found[k].score, expected[k].at("score"));
  }
}

}  // namespace

TokenRange RangeOf(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  const auto end = [&](size_t index) {
    return IntegerOf(PartOf(parts, index, "constraint_range", "BEGIN,END"), "constraint_range");
  };
  return {end(0), end(1)};
}

absl::StatusOr<GenerationCase> ReadGenerationCase(const Json& golden, const Json& defaults) {
  Json params = defaults.is_object() ? defaults : Json::object();
  params.update(golden.at("params"));
  UNIVAL_RETURN_IF_ERROR(CheckKnown(params));
  const Json& sources = golden.at("src_tokens");
  GenerationCase made;
  size_t longest = 0;  // the reference's bound follows the padded batch
  for (const Json& source : sources) longest = std::max(longest, source.size());
  made.config = ReadConfig(params, static_cast<int64_t>(longest));
  const Json& prefixes = OrNull(golden, "prefix_tokens");
  const Constraint constraint = ReadConstraint(golden);
  made.options.mask_after_softmax = params.value("zero_shot", false);
  made.options.forbid_special_tokens = params.value("gen_code", false);
  made.options.soft_prefix = !prefixes.is_null() && constraint.answers.empty();
  made.options.keep_prefix = true;
  made.options.ranges_keep_special_tokens = true;
  for (size_t i = 0; i < sources.size(); ++i) {
    Seq2SeqExample& example = made.examples.emplace_back().example;
    sources.at(i).get_to(example.source);
    example.constraint = constraint;
    example.image_codes = made.options.forbid_special_tokens;
    if (prefixes.is_null()) continue;
    for (const Json& token : prefixes.at(i)) {
      if (token != kSpecial.pad) example.prefix.push_back(token);
    }
  }
  return made;
}

void CheckHypotheses(const std::vector<std::vector<Hypothesis>>& found, const Json& hypotheses,
                     Checker& check) {
  check.EqualJson("generation", "number of requests", found.size(), hypotheses.size());
  for (size_t i = 0; i < std::min(found.size(), hypotheses.size()); ++i) {
    CheckRequest(found[i], hypotheses.at(i), i, check);
  }
}

double EndOfSentenceScale(const std::string& note) {
  static const RE2* const kPattern = new RE2(R"(([0-9.]+) \* decoder\.layer_norm\.bias)");
  std::string scale;
  return RE2::PartialMatch(note, *kPattern, &scale) ? NumberOf(scale, "weights_note") : 0;
}

}  // namespace parity
}  // namespace unival
