#include "training/data/sample/negatives.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/fields.h"
#include "tasks/templates/template_columns.h"

namespace unival {
namespace {

constexpr double kDefaultShare = 0.5, kDefaultSwapShare = 0.4;
// How often another record is drawn; if none has another text, the right text stays.
constexpr int kMostDraws = 32;
// With a draw u: the confidence counts where it is above u + kConfidenceMargin, and numbers are
// changed where u is above kNumbersFrom.
constexpr double kConfidenceMargin = 0.1, kNumbersFrom = 0.5;
// Mixed into the seed, so that these draws differ from those that the task makes with it.
constexpr uint64_t kDrawsOfNegatives = 0x6e656761;

// The text of a column, a number as its digits, or one text of a list, drawn.
absl::StatusOr<std::string> TextOfColumn(const TaskSample& sample, const std::string& column,
                                         SeededRandom& random) {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  if (const auto* number = std::get_if<double>(value)) return NumberText(*number);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  const auto* several = std::get_if<std::vector<std::string>>(value);
  if (several != nullptr && !several->empty()) return (*several)[random.Below(several->size())];
  return WrongKind(sample, column, "a text, a number or a list of texts", *value);
}

// What records of one group have in common; empty: none.
std::string GroupOf(const TaskSample& sample, const std::string& column) {
  const auto found = sample.fields.find(column);
  if (found == sample.fields.end()) return "";
  if (const auto* number = std::get_if<double>(&found->second)) return NumberText(*number);
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

bool HasText(const FieldValue& value, const std::string& text) {
  if (const auto* number = std::get_if<double>(&value)) return NumberText(*number) == text;
  if (const auto* one = std::get_if<std::string>(&value)) return *one == text;
  const auto* several = std::get_if<std::vector<std::string>>(&value);
  return several != nullptr && std::find(several->begin(), several->end(), text) != several->end();
}

// The whole number beside `text`, "3" -> "2" or "4"; none of a text that is no such number.
absl::optional<std::string> NeighbouringNumber(const std::string& text, SeededRandom& random) {
  int64_t number = 0;
  const bool is_number = !text.empty() &&
                         std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
                         absl::SimpleAtoi(text, &number);
  if (!is_number) return absl::nullopt;
  const bool up = random.Below(2) == 1 || number == 0;
  return absl::StrCat(up ? number + 1 : number - 1);
}

bool IsInWord(const std::string& text, size_t at) {
  return at < text.size() && (absl::ascii_isalnum(text[at]) || text[at] == '_' ||
                              static_cast<unsigned char>(text[at]) >= 0x80);
}

}  // namespace

std::string WithWordReplaced(const std::string& text, const std::string& word,
                             const std::string& other) {
  if (word.empty()) return text;
  std::string replaced;
  size_t from = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const bool is_whole = !(at > 0 && IsInWord(text, at - 1)) && !IsInWord(text, at + word.size());
    if (!is_whole || at < from) continue;
    replaced.append(text, from, at - from).append(other);
    from = at + word.size();
  }
  return replaced.append(text, from, std::string::npos);
}

TaskSample WithColumns(TaskSample sample, const std::map<std::string, std::string>& columns) {
  std::map<std::string, FieldValue> copies;
  for (const auto& [name, from] : columns) {
    const auto found = sample.fields.find(from);
    if (found != sample.fields.end()) copies[name] = found->second;
  }
  for (auto& [name, value] : copies) sample.fields[name] = std::move(value);
  return sample;
}

NegativeMaker::NegativeMaker(const Negatives& negatives, const Source& source,
                             const std::map<std::string, std::string>& columns)
    : negatives_(negatives),
      source_(source),
      columns_(columns),
      words_(negatives.word().begin(), negatives.word().end()) {}

std::shared_ptr<const NegativeMaker> NegativeMaker::Create(
    const Negatives& negatives, const Source& source,
    const std::map<std::string, std::string>& columns) {
  std::shared_ptr<NegativeMaker> maker(new NegativeMaker(negatives, source, columns));
  if (!negatives.same().empty()) maker->ReadGroups();
  return maker;
}

absl::StatusOr<TaskSample> NegativeMaker::Read(int64_t index) const {
  UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, source_.ReadFields(index));
  return WithColumns(std::move(sample), columns_);
}

void NegativeMaker::ReadGroups() {
  for (int64_t i = 0; i < source_.size(); ++i) {
    const absl::StatusOr<TaskSample> sample = Read(i);
    if (sample.ok()) groups_[GroupOf(*sample, negatives_.same())].push_back(i);
  }
}

absl::StatusOr<TaskSample> NegativeMaker::Judge(TaskSample sample, uint64_t seed) const {
  if (sample.fields.count(negatives_.answer()) > 0) return sample;
  SeededRandom random(Mix(seed, kDrawsOfNegatives));
  const double share = negatives_.has_share() ? negatives_.share() : kDefaultShare;
  const bool is_wrong = random.Uniform(0, 1) < share;
  sample.fields[negatives_.answer()] = YesOf(negatives_);
  if (!is_wrong) return sample;
  UNIVAL_ASSIGN_OR_RETURN(const std::string text,
                          TextOfColumn(sample, negatives_.column(), random));
  UNIVAL_ASSIGN_OR_RETURN(absl::optional<std::string> wrong, WrongText(sample, text, random));
  if (!wrong.has_value()) return sample;
  sample.fields[negatives_.column()] = *std::move(wrong);
  sample.fields[negatives_.answer()] = NoOf(negatives_);
  return sample;
}

absl::StatusOr<absl::optional<std::string>> NegativeMaker::WrongText(const TaskSample& sample,
                                                                     const std::string& text,
                                                                     SeededRandom& random) const {
  const double share = negatives_.has_swap_share() ? negatives_.swap_share() : kDefaultSwapShare;
  if (!negatives_.word().empty() && random.Uniform(0, 1) < share) {
    UNIVAL_ASSIGN_OR_RETURN(absl::optional<std::string> swapped, Swapped(sample, text, random));
    if (swapped.has_value()) return swapped;
  }
  UNIVAL_ASSIGN_OR_RETURN(const double confidence, ConfidenceOf(negatives_, sample));
  const double u = random.Uniform(0, 1);
  if (negatives_.same().empty() || confidence <= u + kConfidenceMargin) {
    return OfAnother(nullptr, text, random);
  }
  const std::string group = GroupOf(sample, negatives_.same());
  if (!negatives_.counting().empty() && group == negatives_.counting() && u > kNumbersFrom) {
    const absl::optional<std::string> number = NeighbouringNumber(text, random);
    if (number.has_value()) return number;
  }
  const auto found = groups_.find(group);
  const auto same = found == groups_.end() ? absl::optional<std::string>()
                                           : OfAnother(&found->second, text, random);
  return same.has_value() ? same : OfAnother(nullptr, text, random);
}

// Known object words of up to this many words that stand in `text`, in its order.
std::vector<std::string> NegativeMaker::ObjectsIn(const std::string& text) const {
  constexpr size_t kMostWordsOfObject = 3;
  std::vector<std::pair<size_t, size_t>> words;  // begin and end
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsInWord(text, i)) continue;
    if (words.empty() || words.back().second != i) words.emplace_back(i, i);
    words.back().second = i + 1;
  }
  std::vector<std::string> objects;
  for (size_t i = 0; i < words.size(); ++i) {
    for (size_t last = i; last < std::min(words.size(), i + kMostWordsOfObject); ++last) {
      std::string part = text.substr(words[i].first, words[last].second - words[i].first);
      if (words_.count(part) > 0) objects.push_back(std::move(part));
    }
  }
  return objects;
}

// The text with another object in the place of one; none where no known object stands in it.
absl::StatusOr<absl::optional<std::string>> NegativeMaker::Swapped(const TaskSample& sample,
                                                                   const std::string& text,
                                                                   SeededRandom& random) const {
  std::vector<std::string> there;
  if (negatives_.words_of_record().empty()) {
    there = ObjectsIn(text);
  } else {
    UNIVAL_ASSIGN_OR_RETURN(const auto objects, WordsOfRecord(negatives_, sample));
    for (const std::string& object : objects) {
      if (WithWordReplaced(text, object, "") != text) there.push_back(object);
    }
  }
  if (there.empty()) return absl::optional<std::string>();
  const std::string& object = there[random.Below(there.size())];
  const auto words = static_cast<uint64_t>(negatives_.word().size());
  for (int i = 0; i < kMostDraws; ++i) {
    const std::string& other = negatives_.word(static_cast<int>(random.Below(words)));
    const std::string swapped = WithWordReplaced(text, object, other);
    if (swapped != text) return absl::make_optional(swapped);
  }
  return absl::optional<std::string>();
}

// The text of another record, of `among` or of all, that does not say `text` too.
absl::optional<std::string> NegativeMaker::OfAnother(const std::vector<int64_t>* among,
                                                     const std::string& text,
                                                     SeededRandom& random) const {
  const auto count = static_cast<uint64_t>(among == nullptr ? source_.size()
                                                            : static_cast<int64_t>(among->size()));
  for (int i = 0; i < kMostDraws; ++i) {
    const uint64_t drawn = random.Below(count);
    const int64_t index = among == nullptr ? static_cast<int64_t>(drawn) : (*among)[drawn];
    const absl::StatusOr<TaskSample> other = Read(index);
    if (!other.ok()) continue;
    const auto found = other->fields.find(negatives_.column());
    if (found == other->fields.end() || HasText(found->second, text)) continue;
    const absl::StatusOr<std::string> wrong = TextOfColumn(*other, negatives_.column(), random);
    if (wrong.ok()) return *wrong;
  }
  return absl::nullopt;
}

}  // namespace unival
