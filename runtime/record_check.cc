#include "runtime/record_check.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_kind.h"

namespace unival {
namespace {

constexpr StatusKind kRecordError("unival/record_error");
constexpr StatusKind kModalityFailure("unival/modality_failure");

absl::Status TooLong(const Seq2SeqExample& example, absl::string_view what, size_t tokens,
                     int64_t most, absl::string_view remedy) {
  return RecordError(absl::InvalidArgumentError(
      absl::StrCat(example.key, ": the ", what, " has ", tokens, " tokens, more than the ", most,
                   " that the model has positions for; ", remedy)));
}

}  // namespace

absl::Status RecordError(absl::Status status) {
  return status.ok() ? status : kRecordError.Mark(std::move(status));
}

bool IsRecordError(const absl::Status& status) { return kRecordError.IsOf(status); }

std::string AtRecord(const std::string& key, const absl::Status& status) {
  const std::string place = absl::StrCat(key, ": ");
  return absl::StrCat(absl::StartsWith(status.message(), place) ? "" : place, status.message());
}

absl::Status ModalityFailure(absl::Status status) {
  return status.ok() ? status : kModalityFailure.Mark(std::move(status));
}

bool IsModalityFailure(const absl::Status& status) { return kModalityFailure.IsOf(status); }

absl::Status CheckLengths(const Model& model, const Seq2SeqExample& example, LengthOf what) {
  const int64_t positions = model.manifest().backbone().max_positions();
  // A media item within the text takes the place of a token.
  const size_t within = std::count_if(example.media.begin(), example.media.end(),
                                      [](const MediaInput& input) { return input.place >= 0; });
  if (static_cast<int64_t>(example.source.size() + within) > positions) {
    return TooLong(example, "prompt", example.source.size() + within, positions,
                   "shorten it, or set max_source_tokens of the task");
  }
  // Image codes have the positions of their grid, which the decoder checks.
  if (example.image_codes) return absl::OkStatus();
  // The decoder reads <s>, the prefix, and the target without its </s>.
  const bool with_target = what == LengthOf::kPromptAndTarget;
  const size_t decoded = example.prefix.size() + (with_target ? example.target.size() : 0);
  if (static_cast<int64_t>(decoded) <= positions) return absl::OkStatus();
  return TooLong(example, example.prefix.empty() ? "target" : "text for the decoder", decoded,
                 positions, "shorten it, or set max_target_tokens of the task");
}

}  // namespace unival
