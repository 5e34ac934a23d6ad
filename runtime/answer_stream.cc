#include "runtime/answer_stream.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/open_character.h"

namespace unival {

bool AnswerStream::Tell(absl::string_view text) {
  const absl::string_view piece = text.substr(told_.size());
  if (piece.empty()) return true;
  const bool goes_on = listener_(piece);
  told_ = std::string(text);
  return goes_on;
}

bool AnswerStream::Grow(absl::string_view text) {
  const absl::string_view whole = text.substr(0, text.size() - OpenCharacter(text));
  return whole.size() <= told_.size() || !absl::StartsWith(whole, told_) || Tell(whole);
}

absl::Status AnswerStream::Finish(absl::string_view text) {
  if (!absl::StartsWith(text, told_)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the answer cannot be given piece by piece: expected a text that begins with "
        "\"",
        told_, "\", which was said already, got \"", text, "\"; ask for the whole answer at once"));
  }
  return Tell(text) ? absl::OkStatus() : absl::CancelledError("stopped by who listens");
}

}  // namespace unival
