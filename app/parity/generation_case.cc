#include "app/parity/generation_case.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <regex>

#include "absl/strings/str_cat.h"
#include "sdk/native/status_macros.h"

namespace unival {
namespace parity {
namespace {

using Tokens = std::vector<int64_t>;

constexpr int64_t kPad = 1, kEos = 2;
constexpr Tolerance kScore = {1e-4, 0};

const Json& Field(const Json& object, const char* name) {
  static const Json* const kNull = new Json();
  const auto found = object.find(name);
  return found == object.end() ? *kNull : *found;
}

GenerationConfig ReadConfig(const Json& params, int64_t source_length) {
  GenerationConfig config;
  config.set_beam(params.value("beam_size", 1));
  config.set_n_best(config.beam());
  config.set_max_tokens(static_cast<int>(params.value("max_len_a", 0.0) *
                                         static_cast<double>(source_length)) +
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
  const Json& ids = Field(golden, "answer_ids");
  const Json& answers = ids.is_null() ? Field(golden, "answers") : ids;
  if (!answers.is_null()) answers.get_to(constraint.answers);
  const Json& range = Field(golden, "constraint_range");
  if (range.is_null()) return constraint;
  const std::string text = range;
  // The reference leaves the special tokens allowed.
  constraint.allowed = {{0, 4}, {std::stol(text), std::stol(text.substr(text.find(',') + 1))}};
  return constraint;
}

// The fixture's hypotheses hold prefix and </s>.
Tokens Generated(const Json& hypothesis, size_t prefix) {
  Tokens tokens = hypothesis.at("tokens").get<Tokens>();
  if (!tokens.empty() && tokens.back() == kEos) tokens.pop_back();
  return Tokens(tokens.begin() + static_cast<ptrdiff_t>(std::min(prefix, tokens.size())),
                tokens.end());
}

void CheckRequest(const std::vector<Hypothesis>& found, const Json& expected, size_t prefix,
                  size_t request, Checker& check) {
  check.EqualJson("generation", absl::StrCat("request ", request, ", number of hypotheses"),
                  found.size(), expected.size());
  for (size_t k = 0; k < std::min(found.size(), expected.size()); ++k) {
    const std::string where = absl::StrCat("request ", request, ", hypothesis ", k);
    check.EqualJson("generation", absl::StrCat(where, ", tokens"), found[k].tokens,
                    Generated(expected[k], prefix));
    check.Number("generation", absl::StrCat(where, ", score"), found[k].score,
                 expected[k].at("score"), kScore);
  }
}

}  // namespace

GenerationCase ReadGenerationCase(const Json& golden, const Json& defaults) {
  Json params = defaults.is_object() ? defaults : Json::object();
  params.update(golden.at("params"));
  const Json& sources = golden.at("src_tokens");
  GenerationCase made;
  made.config = ReadConfig(params, static_cast<int64_t>(sources.at(0).size()));
  const Json& prefixes = Field(golden, "prefix_tokens");
  const Constraint constraint = ReadConstraint(golden);
  made.options.mask_after_softmax = params.value("zero_shot", false);
  made.options.forbid_special_tokens = params.value("gen_code", false);
  made.options.soft_prefix = !prefixes.is_null() && constraint.answers.empty();
  for (size_t i = 0; i < sources.size(); ++i) {
    GenerationRequest& request = made.requests.emplace_back();
    request.constraint = constraint;
    if (prefixes.is_null()) continue;
    for (const Json& token : prefixes.at(i)) {
      if (token != kPad) request.prefix.push_back(token);
    }
  }
  return made;
}

absl::StatusOr<std::vector<std::vector<Hypothesis>>> CheckHypotheses(
    UnivalModel& model, const EncoderOutput& encoded, const GenerationCase& wanted,
    const Json& hypotheses, Checker& check) {
  at::Tensor code_rows;
  if (wanted.options.forbid_special_tokens) {
    code_rows = at::ones({encoded.states.size(0)}, at::kBool);
  }
  const auto decoder =
      model.NewIncrementalDecoder(encoded, RowsPerSample(wanted.config), code_rows);
  UNIVAL_ASSIGN_OR_RETURN(
      auto found,
      Generate(*decoder, wanted.config, wanted.requests, SpecialTokens(), wanted.options));
  for (size_t i = 0; i < wanted.requests.size(); ++i) {
    CheckRequest(found[i], hypotheses.at(i), wanted.requests[i].prefix.size(), i, check);
  }
  return found;
}

double EndOfSentenceScale(const std::string& note) {
  static const auto* const kPattern = new std::regex(R"(([0-9.]+) \* decoder\.layer_norm\.bias)");
  std::smatch match;
  return std::regex_search(note, match, *kPattern) ? std::stod(match[1]) : 0;
}

}  // namespace parity
}  // namespace unival
