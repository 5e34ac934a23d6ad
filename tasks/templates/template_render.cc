// How patterns and records become text and tokens.
#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/boxes.h"
#include "tasks/templates/fields.h"
#include "tasks/templates/seeded_random.h"
#include "tasks/templates/template_task.h"
#include "tasks/templates/text_cleaning.h"

namespace unival {
namespace {

// Start and end of the next word at or after `from`, its leading white space included.
std::pair<size_t, size_t> NextWord(absl::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && absl::ascii_isspace(text[end])) ++end;
  while (end < text.size() && !absl::ascii_isspace(text[end])) ++end;
  return {from, end};
}

std::vector<absl::string_view> Words(absl::string_view text) {
  std::vector<absl::string_view> words;
  for (size_t position = 0; position < text.size();) {
    const auto [start, end] = NextWord(text, position);
    words.push_back(text.substr(start, end - start));
    position = end;
  }
  return words;
}

// `count` of `n` positions.
std::vector<bool> ChooseSome(size_t n, size_t count, SeededRandom& random) {
  std::vector<bool> chosen(n, false);
  for (size_t left = n, need = count; need > 0; --left) {
    if (random.Below(left) < need) {
      chosen[n - left] = true;
      --need;
    }
  }
  return chosen;
}

}  // namespace

absl::StatusOr<std::vector<TemplateTask::Chunk>> TemplateTask::Render(const Pattern& pattern,
                                                                      const TaskSample& sample,
                                                                      const RenderOptions& options,
                                                                      SeededRandom& random) const {
  std::vector<Chunk> chunks;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == SlotType::kLiteral) {
      chunks.push_back({piece.text, {}});
    } else if (piece.type == SlotType::kBox || piece.type == SlotType::kCodes) {
      UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, SlotTokens(piece, sample));
      chunks.push_back({"", std::move(tokens)});
    } else {
      UNIVAL_ASSIGN_OR_RETURN(std::string text, SlotText(piece, sample, options, random));
      if (options.mask_words && piece.type == SlotType::kText) {
        UNIVAL_RETURN_IF_ERROR(AppendMasked(text, random, chunks));
      } else {
        chunks.push_back({std::move(text), {}});
      }
    }
  }
  return chunks;
}

// Neighbouring texts are joined before the tokenizer sees them. Blanks beside tokens that no
// tokenizer makes are dropped: the target " {box}" is four bins and no space.
absl::StatusOr<std::vector<int64_t>> TemplateTask::Encode(const std::vector<Chunk>& chunks) const {
  std::vector<int64_t> tokens;
  std::string run;
  const auto flush = [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> encoded, vocabulary_.EncodeText(run));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    run.clear();
    return absl::OkStatus();
  };
  for (const Chunk& chunk : chunks) {
    run += chunk.text;
    if (chunk.tokens.empty()) continue;
    if (absl::StripAsciiWhitespace(run).empty()) run.clear();
    if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
    tokens.insert(tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
  }
  if (!tokens.empty() && absl::StripAsciiWhitespace(run).empty()) run.clear();
  if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
  return tokens;
}

absl::StatusOr<std::string> TemplateTask::SlotText(const PatternPiece& slot,
                                                   const TaskSample& sample,
                                                   const RenderOptions& options,
                                                   SeededRandom& random) const {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, slot.text));
  std::string text;
  if (const auto* number = std::get_if<double>(value)) {
    text = NumberText(*number);
  } else if (slot.type == SlotType::kNumber) {
    return WrongKind(sample, slot.text, "a number", *value);
  } else if (const auto* one = std::get_if<std::string>(value)) {
    text = *one;
  } else if (const auto* several = std::get_if<std::vector<std::string>>(value);
             several != nullptr && !several->empty()) {
    const size_t which = options.training ? random.Below(several->size())
                                          : std::min(options.alternative, several->size() - 1);
    text = (*several)[which];
  } else {
    return WrongKind(sample, slot.text, "a text, a number or a list of texts", *value);
  }
  for (const ColumnCleaning& clean : source_.proto.clean()) {
    if (clean.column() == slot.text) text = CleanText(text, clean.rule(), clean.max_words());
  }
  const auto& labels = source_.proto.labels().values();
  if (slot.type == SlotType::kLabel &&
      std::find(labels.begin(), labels.end(), text) == labels.end()) {
    return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '", slot.text,
                                                   "': '", text, "' is none of the ", labels.size(),
                                                   " labels of task '", info_.name, "'"));
  }
  return text;
}

// Replaces a share of the words by <mask>, each with the blank before it; at least one word stays.
absl::Status TemplateTask::AppendMasked(const std::string& text, SeededRandom& random,
                                        std::vector<Chunk>& chunks) const {
  const std::vector<absl::string_view> words = Words(text);
  const double share = source_.proto.mask_ratio() * static_cast<double>(words.size());
  const size_t most = words.empty() ? 0 : words.size() - 1;
  const size_t count =
      std::min(most, std::max<size_t>(1, static_cast<size_t>(std::nearbyint(share))));
  const std::vector<bool> masked = ChooseSome(words.size(), count, random);
  for (size_t i = 0; i < words.size(); ++i) {
    if (masked[i]) {
      chunks.push_back({"", {vocabulary_.mask()}});
    } else {
      chunks.push_back({std::string(words[i]), {}});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> TemplateTask::SlotTokens(const PatternPiece& slot,
                                                              const TaskSample& sample) const {
  std::vector<int64_t> tokens;
  if (slot.type == SlotType::kBox) {
    UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox box, BoxOfColumn(sample, slot.text));
    for (const int64_t bin : QuantizeBox(box, location_bins_)) {
      UNIVAL_ASSIGN_OR_RETURN(const int64_t id, vocabulary_.GlobalId(kLocationBins, bin));
      tokens.push_back(id);
    }
    return tokens;
  }
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, slot.text));
  const auto* codes = std::get_if<std::vector<double>>(value);
  if (codes == nullptr) return WrongKind(sample, slot.text, "a list of numbers", *value);
  for (const double code : *codes) {
    if (code != std::floor(code) || code < 0 || code > 1e9) {
      return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '",
                                                     slot.text, "': ", code, " is not a code"));
    }
    absl::StatusOr<int64_t> id =
        vocabulary_.GlobalId(source_.proto.codes_block(), static_cast<int64_t>(code));
    if (!id.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '",
                                                     slot.text, "': ", id.status().message()));
    }
    tokens.push_back(*id);
  }
  return tokens;
}

}  // namespace unival
