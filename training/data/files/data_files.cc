#include "training/data/files/data_files.h"

#include <glob.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sdk/base/beginning.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// "-" is the standard input.
bool IsInput(const std::string& path) { return path == "-" || IsThere(path); }

bool IsPattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

// For messages.
std::string Shown(absl::string_view path) { return BeginningOf(path, 300); }

absl::Status TooMany(absl::string_view path) {
  return InvalidArgument(Shown(path), ": expected at most ", kMaxDataFiles,
                         " files of one path, got more");
}

// The system does not open longer names.
absl::Status CheckNameLength(size_t length, absl::string_view path) {
  if (length < PATH_MAX) return absl::OkStatus();
  return InvalidArgument(Shown(path), ": expected names of at most ", PATH_MAX - 1,
                         " bytes behind the braces, got one of ", length,
                         "; name files of the current folder, or fewer braces");
}

// "0000..0127": the numbers from the first to the last, with the digits of the first.
absl::StatusOr<std::vector<std::string>> NumbersOf(absl::string_view range,
                                                   absl::string_view path) {
  const std::vector<absl::string_view> ends = absl::StrSplit(range, absl::MaxSplits("..", 1));
  int64_t first = 0, last = 0;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &first) || !absl::SimpleAtoi(ends[1], &last) ||
      first < 0 || last < first) {
    return InvalidArgument(Shown(path), ": expected {FIRST..LAST} or {a,b,c}, got {", Shown(range),
                           "}");
  }
  UNIVAL_RETURN_IF_ERROR(CheckNameLength(ends[0].size(), path));
  if (last - first >= static_cast<int64_t>(kMaxDataFiles)) return TooMany(path);
  std::vector<std::string> numbers;
  for (int64_t number = first; number <= last; ++number) {
    numbers.push_back(absl::StrFormat("%0*d", static_cast<int>(ends[0].size()), number));
  }
  return numbers;
}

absl::StatusOr<std::vector<std::string>> PartsOf(absl::string_view inside, absl::string_view path) {
  if (absl::StrContains(inside, ',')) return absl::StrSplit(inside, ',');
  return NumbersOf(inside, path);
}

size_t Longest(const std::vector<std::string>& texts) {
  size_t longest = 0;
  for (const std::string& text : texts) longest = std::max(longest, text.size());
  return longest;
}

// Checks names before they are made: each begins with one of `begun`, goes on with `before` bytes
// and ends with one of `parts`. InvalidArgument where one is too long, or all together are.
absl::Status CheckNames(const std::vector<std::string>& begun, size_t before,
                        const std::vector<std::string>& parts, absl::string_view path) {
  const size_t longest = Longest(begun) + before + Longest(parts);
  UNIVAL_RETURN_IF_ERROR(CheckNameLength(longest, path));
  if (begun.size() * parts.size() * longest <= kMaxDataNames) return absl::OkStatus();
  return InvalidArgument(Shown(path), ": expected names of at most ", kMaxDataNames >> 20,
                         " MiB together, got more; name a folder, or fewer braces");
}

// All texts that the braces of `path` stand for, in order: the last brace changes fastest.
absl::StatusOr<std::vector<std::string>> ExpandBraces(const std::string& path) {
  std::vector<std::string> begun = {""};
  absl::string_view rest = path;
  while (!rest.empty()) {
    const size_t open = rest.find('{'), close = rest.find('}', open);
    const bool is_plain = open == absl::string_view::npos || close == absl::string_view::npos;
    const absl::string_view before = rest.substr(0, is_plain ? rest.size() : open);
    std::vector<std::string> parts = {""};
    if (!is_plain) {
      UNIVAL_ASSIGN_OR_RETURN(parts, PartsOf(rest.substr(open + 1, close - open - 1), path));
    }
    if (begun.size() * parts.size() > kMaxDataFiles) return TooMany(path);
    UNIVAL_RETURN_IF_ERROR(CheckNames(begun, before.size(), parts, path));
    std::vector<std::string> longer;
    for (const std::string& start : begun) {
      for (const std::string& part : parts) longer.push_back(absl::StrCat(start, before, part));
    }
    begun = std::move(longer);
    rest.remove_prefix(is_plain ? rest.size() : close + 1);
  }
  return begun;
}

// Adds the names that fit `pattern`, if any, sorted by their bytes whatever the language of the
// process.
absl::Status AddMatches(const std::string& pattern, std::vector<std::string>* files) {
  glob_t found = {};
  const int result = glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> names(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (result != 0 && result != GLOB_NOMATCH) {
    return absl::UnavailableError(absl::StrCat(pattern, ": cannot be listed"));
  }
  std::sort(names.begin(), names.end());
  files->insert(files->end(), names.begin(), names.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandDataPath(const std::string& path) {
  if (IsInput(path)) return std::vector<std::string>{path};
  if (path.size() > kMaxDataPath) {
    return InvalidArgument(Shown(path), ": expected a path of at most ", kMaxDataPath >> 10,
                           " KiB, got ", path.size() >> 10, " KiB; name a folder or a pattern");
  }
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> names, ExpandBraces(path));
  std::vector<std::string> files;
  for (const std::string& name : names) {
    if (IsInput(name)) {
      files.push_back(name);
    } else if (IsPattern(name)) {
      UNIVAL_RETURN_IF_ERROR(AddMatches(name, &files));
    } else {
      return absl::NotFoundError(absl::StrCat(name, ": no such file"));
    }
    if (files.size() > kMaxDataFiles) return TooMany(path);
  }
  // Of "*.{png,jpg}" one kind may be missing; a name without wildcards may not (a lost shard).
  if (files.empty()) {
    return absl::NotFoundError(absl::StrCat(Shown(path), ": no file fits this pattern"));
  }
  return files;
}

}  // namespace unival
