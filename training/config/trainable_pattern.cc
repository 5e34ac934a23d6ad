#include "training/config/trainable_pattern.h"

#include <re2/re2.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace unival {
namespace {

using Parsed = absl::StatusOr<NamePredicate>;

// One form: a word, or a word, ":" and an argument.
struct Form {
  const char* word;
  const char* argument;  // what stands behind the colon, for messages; nullptr: nothing
  Parsed (*make)(absl::string_view argument);
};

NamePredicate StartsWith(std::string prefix) {
  return [prefix = std::move(prefix)](const std::string& name) {
    return absl::StartsWith(name, prefix);
  };
}

Parsed All(absl::string_view) { return StartsWith(""); }
Parsed OfBackbone(absl::string_view) { return StartsWith("backbone."); }
Parsed OfConnections(absl::string_view) { return StartsWith("connection."); }
Parsed OfConnection(absl::string_view id) {
  return StartsWith(absl::StrCat("connection.", id, "."));
}
Parsed OfAdapters(absl::string_view) { return StartsWith("adapter."); }
Parsed OfAdapter(absl::string_view id) { return StartsWith(absl::StrCat("adapter.", id, ".")); }
Parsed OfModality(absl::string_view id) { return StartsWith(absl::StrCat("modality.", id, ".")); }

// Names of tensors are short; compiling a regular expression is not linear in its length.
constexpr size_t kMaxRegex = 4096;

Parsed Matching(absl::string_view text) {
  if (text.size() > kMaxRegex) {
    return absl::InvalidArgumentError(
        absl::StrCat("trainable \"name:REGEX\": expected a regular expression of at most ",
                     kMaxRegex, " bytes, got ", text.size()));
  }
  RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!regex->ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("trainable \"name:", text, "\": not a regular expression: ", regex->error()));
  }
  return NamePredicate([regex](const std::string& name) { return RE2::FullMatch(name, *regex); });
}

constexpr Form kForms[] = {
    {"all", nullptr, &All},
    {"backbone", nullptr, &OfBackbone},
    {"connections", nullptr, &OfConnections},
    {"connection", "ID", &OfConnection},
    {"modality", "ID", &OfModality},
    {"adapters", nullptr, &OfAdapters},
    {"adapter", "ID", &OfAdapter},
    {"name", "REGEX", &Matching},
};

}  // namespace

Parsed ParseTrainablePattern(const std::string& pattern) {
  for (const Form& form : kForms) {
    absl::string_view rest = pattern;
    if (!absl::ConsumePrefix(&rest, form.word)) continue;
    if (form.argument == nullptr ? rest.empty() : absl::ConsumePrefix(&rest, ":")) {
      return form.make(rest);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("trainable: expected ", TrainableForms(), ", got \"", pattern, "\""));
}

std::string TrainableForms() {
  std::vector<std::string> forms;
  for (const Form& form : kForms) {
    forms.push_back(form.argument == nullptr
                        ? absl::StrCat("\"", form.word, "\"")
                        : absl::StrCat("\"", form.word, ":", form.argument, "\""));
  }
  const std::string last = forms.back();
  forms.pop_back();
  return absl::StrCat(absl::StrJoin(forms, ", "), " or ", last);
}

}  // namespace unival
