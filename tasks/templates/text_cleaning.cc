#include "tasks/templates/text_cleaning.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace unival {
namespace {

using icu::UnicodeString;

// White space as Python sees it: Unicode's, and the four ASCII separators.
bool IsSpace(UChar32 c) { return u_isUWhiteSpace(c) || (c >= 0x1c && c <= 0x1f); }

std::string Utf8(const UnicodeString& text) {
  std::string bytes;
  text.toUTF8String(bytes);
  return bytes;
}

std::string LowerCase(const std::string& text) {
  return Utf8(UnicodeString::fromUTF8(text).toLower(icu::Locale::getRoot()));
}

// Runs of two or more white-space characters become one blank; a single one stays what it is.
std::string CollapseRuns(const std::string& text) {
  const UnicodeString in = UnicodeString::fromUTF8(text);
  UnicodeString out;
  for (int32_t i = 0; i < in.length();) {
    int32_t end = i;
    while (end < in.length() && IsSpace(in.char32At(end))) end = in.moveIndex32(end, 1);
    if (end - i >= 2) {
      out.append(static_cast<UChar32>(' '));
      i = end;
    } else {
      out.append(in.char32At(i));
      i = in.moveIndex32(i, 1);
    }
  }
  return Utf8(out);
}

std::string JoinWords(const std::string& text, int max_words) {
  const UnicodeString in = UnicodeString::fromUTF8(text);
  std::vector<std::string> words;
  UnicodeString word;
  const auto finish = [&] {
    if (!word.isEmpty()) words.push_back(Utf8(word));
    word.remove();
  };
  for (int32_t i = 0; i < in.length(); i = in.moveIndex32(i, 1)) {
    const UChar32 c = in.char32At(i);
    if (IsSpace(c)) {
      finish();
    } else {
      word.append(c);
    }
  }
  finish();
  if (max_words > 0 && words.size() > static_cast<size_t>(max_words)) words.resize(max_words);
  return absl::StrJoin(words, " ");
}

std::string TrimBlanks(absl::string_view text) {
  while (absl::ConsumePrefix(&text, " ")) {
  }
  while (absl::ConsumeSuffix(&text, " ")) {
  }
  return std::string(text);
}

std::string FirstWords(const std::string& text, int max_words) {
  std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  if (max_words <= 0 || words.size() <= static_cast<size_t>(max_words)) return text;
  words.resize(max_words);
  return absl::StrJoin(words, " ");
}

// What questions and captions share.
std::string CleanSentence(const std::string& text, bool caption, int max_words) {
  const std::string lower = LowerCase(text);
  absl::string_view rest = lower;
  rest.remove_prefix(std::min(rest.find_first_not_of(",.!?*#:;~"), rest.size()));
  std::string clean = absl::StrReplaceAll(rest, {{"-", " "}, {"/", " "}});
  if (caption) clean = absl::StrReplaceAll(clean, {{"<person>", "person"}});
  clean = CollapseRuns(clean);
  absl::string_view trimmed = clean;
  while (absl::ConsumeSuffix(&trimmed, "\n")) {
  }
  return FirstWords(TrimBlanks(trimmed), max_words);
}

std::string WithoutPunctuation(const std::string& text) {
  std::string kept;
  for (const char c : text) {
    if (!absl::ascii_ispunct(static_cast<unsigned char>(c))) kept += c;
  }
  return kept;
}

}  // namespace

std::string CleanText(const std::string& text, TextCleaning rule, int max_words) {
  switch (rule) {
    case TEXT_CLEANING_QUESTION: {
      std::string question = CleanSentence(text, /*caption=*/false, max_words);
      if (!absl::EndsWith(question, "?")) question += '?';
      return question;
    }
    case TEXT_CLEANING_CAPTION:
      return CleanSentence(text, /*caption=*/true, max_words);
    case TEXT_CLEANING_NO_PUNCTUATION:
      return JoinWords(WithoutPunctuation(text), max_words);
    default:
      return max_words > 0 ? JoinWords(text, max_words) : text;
  }
}

}  // namespace unival
