// Finds the tokens of an answer that are certain before the search has ended.
#include <algorithm>

#include "absl/types/optional.h"
#include "backbone/generation/search.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace generation {
namespace {

// The longest common beginning of the answers that were added.
class Common {
 public:
  void Add(absl::Span<const int64_t> answer) {
    if (!tokens_.has_value()) tokens_ = answer;
    const size_t shorter = std::min(tokens_->size(), answer.size());
    const auto end =
        std::mismatch(answer.begin(), answer.begin() + shorter, tokens_->begin()).first;
    tokens_ = tokens_->first(static_cast<size_t>(end - answer.begin()));
  }
  // Empty before the first answer.
  absl::Span<const int64_t> tokens() const { return tokens_.value_or(absl::Span<const int64_t>()); }

 private:
  absl::optional<absl::Span<const int64_t>> tokens_;
};

}  // namespace

absl::Status CertainTokens::Tell(const std::vector<Row>& rows,
                                 const std::vector<std::vector<Found>>& found) {
  if (told_.empty()) return absl::OkStatus();
  std::vector<Common> common(told_.size());
  std::vector<char> goes_on(told_.size(), 0);
  for (const Row& row : rows) {
    if (row.score == kImpossible) continue;  // only fills its place: it cannot win
    common[row.request].Add(AnswerOf(plan_, row));
    goes_on[row.request] = 1;
  }
  for (size_t request = 0; request < found.size(); ++request) {
    if (goes_on[request] == 0) continue;  // has ended: TellAll reports its best answer
    for (const Found& ended : found[request]) common[request].Add(ended.tokens);
    UNIVAL_RETURN_IF_ERROR(TellOne(request, common[request].tokens()));
  }
  return absl::OkStatus();
}

absl::Status CertainTokens::TellAll(const std::vector<std::vector<Found>>& found) {
  for (size_t request = 0; request < told_.size(); ++request) {
    if (found[request].empty()) continue;
    UNIVAL_RETURN_IF_ERROR(TellOne(request, found[request].front().tokens));
  }
  return absl::OkStatus();
}

absl::Status CertainTokens::TellOne(int64_t request, absl::Span<const int64_t> certain) {
  if (certain.size() <= told_[request]) return absl::OkStatus();
  told_[request] = certain.size();
  if (plan_.options.on_certain(request, certain)) return absl::OkStatus();
  return absl::CancelledError("generate: stopped by who listens to it");
}

}  // namespace generation
}  // namespace unival
