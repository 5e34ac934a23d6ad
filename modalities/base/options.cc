#include "modalities/base/options.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {

void OptionReader::Fail(const std::string& message) {
  if (status_.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrCat("modality ", config_.id(), ": ", message));
  }
}

std::string OptionReader::Choice(const std::string& key, const std::string& fallback,
                                 const std::vector<std::string>& allowed) {
  known_.insert(key);
  const auto it = config_.options().find(key);
  if (it == config_.options().end()) return fallback;
  if (std::find(allowed.begin(), allowed.end(), it->second) == allowed.end()) {
    Fail(absl::StrCat("options[\"", key, "\"]: \"", it->second, "\", expected one of ",
                      absl::StrJoin(allowed, ", ")));
  }
  return it->second;
}

bool OptionReader::Flag(const std::string& key, bool fallback) {
  return Choice(key, fallback ? "true" : "false", {"true", "false"}) == "true";
}

int64_t OptionReader::Integer(const std::string& key, int64_t fallback, int64_t least,
                              int64_t most) {
  known_.insert(key);
  const auto it = config_.options().find(key);
  if (it == config_.options().end()) return fallback;
  int64_t value = 0;
  if (!absl::SimpleAtoi(it->second, &value) || value < least || value > most) {
    Fail(absl::StrCat("options[\"", key, "\"]: \"", it->second, "\", expected ", least, " to ",
                      most));
  }
  return value;
}

void OptionReader::Require(const std::string& field, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most) {
    Fail(absl::StrCat(field, ": ", value, ", expected ", least, " to ", most));
  }
}

void OptionReader::Check(const std::string& field, bool holds, const std::string& expected) {
  if (!holds) Fail(absl::StrCat(field, ": expected ", expected));
}

absl::Status OptionReader::Finish() const {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : config_.options()) {
    if (known_.count(key) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("modality ", config_.id(), ": unknown option \"",
                                                   key, "\", known are ",
                                                   absl::StrJoin(known_, ", ")));
  }
  return absl::OkStatus();
}

const MediaDecoder* ChooseOrientation(OptionReader* options, const MediaDecoder* media) {
  const bool stored = options->Choice("orientation", "upright", {"upright", "stored"}) == "stored";
  return stored && media != nullptr ? &media->as_stored() : media;
}

std::string OneLine(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace unival
