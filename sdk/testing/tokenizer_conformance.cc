// Conformance of tokenizers.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sdk/testing/checker.h"

namespace unival {
namespace {

class TokenizerCheck {
 public:
  TokenizerCheck(const Tokenizer& tokenizer, const TokenizerProbe& probe)
      : tokenizer_(tokenizer), probe_(probe) {}

  Finding Description() const {
    const TokenBlockSpec& block = tokenizer_.block();
    if (block.id.empty() || block.size <= 0) return "block() has no id or no size";
    return block.content_hash.empty()
               ? "block() has no content hash: other pieces could not be told apart"
               : "";
  }

  Finding TokensInRange() const {
    return ForEach(probe_.texts, [&](const std::string& text) -> Finding {
      absl::StatusOr<std::vector<int64_t>> tokens = tokenizer_.Encode(text);
      if (!tokens.ok()) return std::string(tokens.status().message());
      for (int64_t token : *tokens) {
        if (token < -1 || token >= tokenizer_.block().size) {
          return absl::StrCat("\"", text, "\" gave token ", token, ", the block has ",
                              tokenizer_.block().size);
        }
      }
      return "";
    });
  }

  Finding RoundTrip() const {
    return ForEach(probe_.texts, [&](const std::string& text) -> Finding {
      absl::StatusOr<std::vector<int64_t>> tokens = tokenizer_.Encode(text);
      if (!tokens.ok()) return std::string(tokens.status().message());
      absl::StatusOr<std::string> back = tokenizer_.Decode(*tokens);
      if (!back.ok()) return std::string(back.status().message());
      return *back == text ? "" : absl::StrCat("\"", text, "\" came back as \"", *back, "\"");
    });
  }

  Finding EmptyText() const {
    absl::StatusOr<std::vector<int64_t>> tokens = tokenizer_.Encode("");
    return tokens.ok() && tokens->empty() ? "" : "empty text does not give an empty list";
  }

  Finding Determinism() const {
    return ForEach(probe_.texts, [&](const std::string& text) -> Finding {
      return *tokenizer_.Encode(text) == *tokenizer_.Encode(text)
                 ? ""
                 : absl::StrCat("\"", text, "\" varies");
    });
  }

  Finding OutOfRange() const {
    for (int64_t token : {int64_t{-2}, tokenizer_.block().size}) {
      if (tokenizer_.Decode({token}).ok()) return absl::StrCat("Decode accepted token ", token);
    }
    return "";
  }

 private:
  const Tokenizer& tokenizer_;
  const TokenizerProbe& probe_;
};

}  // namespace

ConformanceReport CheckTokenizer(const Tokenizer& tokenizer, const TokenizerProbe& probe,
                                 RuleObserver* observer) {
  Checker checker(absl::StrCat("tokenizer of ", tokenizer.block().id), observer);
  const TokenizerCheck check(tokenizer, probe);
  checker.Run("description", [&] { return check.Description(); });
  checker.Run("tokens_in_range", [&] { return check.TokensInRange(); });
  checker.Run("round_trip", [&] { return check.RoundTrip(); });
  checker.Run("empty_text", [&] { return check.EmptyText(); });
  checker.Run("determinism", [&] { return check.Determinism(); });
  checker.Run("out_of_range", [&] { return check.OutOfRange(); });
  checker.Run("concurrent_use", [&] {
    return RunConcurrently(probe.threads, [&](int) { return check.RoundTrip(); });
  });
  return checker.Take();
}

}  // namespace unival
