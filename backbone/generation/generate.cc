#include "backbone/generation/generate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/generation/search.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

using generation::SearchPlan;
using generation::SearchRequest;

GenerationConfig WithDefaults(GenerationConfig config) {
  if (IsLikeliestOnly(config)) {
    config.set_sample(false);
    config.set_beam(1);
  }
  config.set_beam(std::max(1, config.beam()));
  config.set_n_best(std::max(1, config.n_best()));
  if (!config.has_min_tokens()) config.set_min_tokens(1);
  if (config.temperature() == 0) config.set_temperature(1);
  if (!config.has_length_penalty()) config.set_length_penalty(1);
  return config;
}

// Null where the token belongs to no retired block.
const RetiredTokens* FindRetired(const std::vector<RetiredTokens>& retired, int64_t token) {
  const auto found =
      std::find_if(retired.begin(), retired.end(), [token](const RetiredTokens& tokens) {
        return token >= tokens.range.begin && token < tokens.range.end;
      });
  return found == retired.end() ? nullptr : &*found;
}

absl::Status NeedsRetired(const std::string& what, const std::string& block) {
  return absl::FailedPreconditionError(absl::StrCat(
      what, " of the retired vocabulary block \"", block,
      "\", which is never generated; change the task, or bring the block back: unival vocab add"));
}

absl::Status CheckTokens(const std::vector<int64_t>& tokens, const GenerationVocabulary& vocabulary,
                         const std::string& what) {
  const SpecialTokens& special = vocabulary.special;
  for (int64_t token : tokens) {
    if (const RetiredTokens* found = FindRetired(vocabulary.retired, token)) {
      return NeedsRetired(absl::StrCat(what, " holds token ", token), found->block);
    }
    if (token < 0 || token == special.pad || token == special.eos) {
      return absl::InvalidArgumentError(absl::StrCat(
          what, " holds token ", token, "; <pad>, </s> and negative ids cannot be forced"));
    }
  }
  return absl::OkStatus();
}

// Without the retired blocks, the allowed ranges must still hold a token.
absl::Status CheckAllowed(const std::vector<TokenRange>& allowed,
                          const std::vector<RetiredTokens>& retired, const std::string& name) {
  const RetiredTokens* needed = nullptr;
  int64_t left = 0;
  for (const TokenRange& range : allowed) {
    left += range.end - range.begin;
    for (const RetiredTokens& tokens : retired) {
      const int64_t begin = std::max(range.begin, tokens.range.begin);
      const int64_t end = std::min(range.end, tokens.range.end);
      if (begin >= end) continue;
      left -= end - begin;
      needed = &tokens;
    }
  }
  if (needed == nullptr || left > 0) return absl::OkStatus();
  return NeedsRetired(absl::StrCat(name, ": all allowed tokens are"), needed->block);
}

absl::Status CheckAnswers(const AnswerSet& answers, const GenerationVocabulary& vocabulary,
                          const std::string& name) {
  for (const std::vector<int64_t>& answer : answers) {
    UNIVAL_RETURN_IF_ERROR(CheckTokens(answer, vocabulary, absl::StrCat(name, ": an answer")));
  }
  const int64_t eos = vocabulary.special.eos;
  if (answers.empty() || answers.trie()->eos() == eos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": the answer set ends with token ",
                                                 answers.trie()->eos(), ", expected ", eos));
}

absl::Status CheckRequest(const GenerationRequest& request, const GenerationVocabulary& vocabulary,
                          const std::string& name) {
  UNIVAL_RETURN_IF_ERROR(
      CheckTokens(request.prefix, vocabulary, absl::StrCat(name, ": the prefix")));
  for (const TokenRange& range : request.constraint.allowed) {
    if (range.begin < 0 || range.end < range.begin) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": allowed range [", range.begin, ", ",
                                                     range.end, ") is not a range of ids"));
    }
  }
  return CheckAllowed(request.constraint.allowed, vocabulary.retired, name);
}

absl::Status SetBounds(const SearchPlan& plan, int64_t max_steps, const std::string& name,
                       SearchRequest* request) {
  const int64_t prefix = request->prefix.size();
  const int64_t longest = request->trie == nullptr ? 0 : request->trie->longest_answer();
  int64_t max_tokens = plan.config.max_tokens();
  if (max_tokens == 0) {
    max_tokens = std::max(kDefaultMaxTokens, longest);
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckLeastTokens(plan.config, max_tokens), name));
  }
  const int64_t start = plan.options.soft_prefix ? 0 : prefix;
  request->min_length = start + plan.config.min_tokens();
  request->max_length = std::min(start + max_tokens, max_steps - 1);
  if (request->max_length <= prefix) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": the prefix of ", prefix,
                                                   " tokens leaves no room; the decoder has ",
                                                   max_steps, " positions; shorten the prompt"));
  }
  if (request->trie != nullptr && prefix + longest > request->max_length) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": an answer of ", longest, " tokens does not fit into generation.max_tokens ",
        max_tokens, " behind a prefix of ", prefix, "; raise max_tokens or shorten the prompt"));
  }
  // An answer that is cut below min_tokens would be another one than was asked for.
  if (request->min_length > request->max_length) {
    return InvalidArgument(name, ": ", plan.config.min_tokens(), " tokens asked (min_tokens)",
                           start > 0 ? absl::StrCat(" behind a prefix of ", start) : "",
                           ", the model has ", max_steps - 1, " positions; ask for fewer");
  }
  return absl::OkStatus();
}

absl::StatusOr<SearchPlan> MakePlan(const IncrementalDecoder& decoder,
                                    const GenerationConfig& config,
                                    const std::vector<GenerationRequest>& requests,
                                    const GenerationVocabulary& vocabulary,
                                    const GenerationOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckGenerationConfig(config));
  UNIVAL_RETURN_IF_ERROR(CheckGenerationTogether(config));
  if (decoder.batch_size() != static_cast<int64_t>(requests.size())) {
    return absl::InvalidArgumentError(absl::StrCat("the decoder has ", decoder.batch_size(),
                                                   " samples, but there are ", requests.size(),
                                                   " requests"));
  }
  SearchPlan plan{WithDefaults(config), options, vocabulary.special, vocabulary.retired, {}};
  for (size_t i = 0; i < requests.size(); ++i) {
    const std::string name = absl::StrCat("request ", i);
    const Constraint& constraint = requests[i].constraint;
    UNIVAL_RETURN_IF_ERROR(CheckRequest(requests[i], vocabulary, name));
    if (i == 0 || constraint.answers.trie() != requests[i - 1].constraint.answers.trie()) {
      UNIVAL_RETURN_IF_ERROR(CheckAnswers(constraint.answers, vocabulary, name));
    }
    SearchRequest request;
    request.prefix = requests[i].prefix;
    request.seed = requests[i].seed;
    request.trie = constraint.answers.trie();
    if (request.trie == nullptr) request.allowed = constraint.allowed;
    if (config.score_candidates() && request.trie == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          name,
          ": generation.score_candidates needs a closed set of answers (labels of the task)"));
    }
    UNIVAL_RETURN_IF_ERROR(SetBounds(plan, decoder.max_steps(), name, &request));
    plan.requests.push_back(std::move(request));
  }
  return plan;
}

generation::Results Search(IncrementalDecoder& decoder, const SearchPlan& plan) {
  if (plan.config.score_candidates()) return generation::ScoreCandidates(decoder, plan);
  const bool is_beam_search =
      !plan.config.sample() && (plan.config.beam() > 1 || plan.options.soft_prefix);
  if (is_beam_search) return generation::BeamSearch(decoder, plan);
  return generation::SearchGreedyOrSampling(decoder, plan);
}

}  // namespace

absl::StatusOr<std::vector<std::vector<Hypothesis>>> Generate(
    IncrementalDecoder& decoder, const GenerationConfig& config,
    const std::vector<GenerationRequest>& requests, const GenerationVocabulary& vocabulary,
    const GenerationOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const SearchPlan plan,
                          MakePlan(decoder, config, requests, vocabulary, options));
  if (requests.empty()) return std::vector<std::vector<Hypothesis>>();
  auto found = CatchTorch("generate", [&] {
    const at::NoGradGuard no_grad;
    return Search(decoder, plan);
  });
  if (!found.ok()) return found.status();
  std::vector<std::vector<Hypothesis>> hypotheses;
  for (std::vector<generation::Found>& of_request : *found) {
    if (of_request.empty()) {
      return absl::InternalError(absl::StrCat("request ", hypotheses.size(),
                                              ": no hypothesis is possible; the model's "
                                              "output is minus infinity for all allowed tokens"));
    }
    hypotheses.emplace_back(std::make_move_iterator(of_request.begin()),
                            std::make_move_iterator(of_request.end()));
  }
  return hypotheses;
}

}  // namespace unival
