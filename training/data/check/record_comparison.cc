#include "training/data/check/record_comparison.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/sha256.h"
#include "tasks/slots/fields.h"

namespace unival {
namespace {

std::string TextsOf(const TaskSample& sample, const std::vector<std::string>& columns) {
  std::string texts;
  for (const std::string& column : columns) {
    const auto found = sample.fields.find(column);
    absl::StrAppend(&texts, column, "\n",
                    found == sample.fields.end() ? "" : ValueText(found->second), "\n");
  }
  return texts;
}

}  // namespace

std::string ValueText(const FieldValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return NumberText(*number);
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    return absl::StrJoin(*list, ",", [](std::string* out, double number) {
      absl::StrAppend(out, NumberText(number));
    });
  }
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    return absl::StrJoin(*texts, "\n");
  }
  return "";
}

// Media and prompt; empty where media cannot be read.
std::string RecordComparison::InputOf(const TaskSample& sample,
                                      const std::map<std::string, std::string>& digests) const {
  std::string input;
  for (const auto& [column, digest] : digests) {
    if (digest.empty()) return "";
    absl::StrAppend(&input, column, " ", digest, "\n");
  }
  return input + TextsOf(sample, prompt_);
}

void RecordComparison::AddOther(const TaskSample& sample,
                                const std::map<std::string, std::string>& digests) {
  for (const auto& [column, digest] : digests) {
    if (!digest.empty()) others_.emplace(digest, sample.key);
  }
  if (digests.empty()) others_.emplace(Sha256Hex(InputOf(sample, digests)), sample.key);
}

std::vector<Likeness> RecordComparison::Take(const TaskSample& sample,
                                             const std::map<std::string, std::string>& digests) {
  constexpr char kLeakRemedy[] = "take the record out of one of the files";
  std::vector<Likeness> found;
  for (const auto& [column, digest] : digests) {
    const auto other = others_.find(digest);
    if (digest.empty() || other == others_.end()) continue;
    found.push_back({"leak", column, absl::StrCat("has the same bytes as that of ", other->second),
                     kLeakRemedy});
  }
  const std::string input = InputOf(sample, digests);
  if (input.empty()) return found;
  const std::string asked = Sha256Hex(input);
  if (digests.empty() && others_.count(asked) > 0) {
    found.push_back(
        {"leak", "", absl::StrCat("asks the same as ", others_.at(asked)), kLeakRemedy});
  }
  const std::string whole = Sha256Hex(absl::StrCat(input, "\n", TextsOf(sample, target_)));
  const auto [same, is_new] = seen_.emplace(whole, sample.key);
  const auto [before, is_first] = asked_.emplace(asked, sample.key);
  if (!is_new) {
    found.push_back({"duplicate", "", absl::StrCat("the same media and texts as ", same->second),
                     "keep one of them"});
  } else if (closed_ && !is_first) {
    found.push_back(
        {"contradiction", target_.front(),
         absl::StrCat("the same media and prompt as ", before->second, ", another answer"),
         "keep the right one"});
  }
  return found;
}

}  // namespace unival
