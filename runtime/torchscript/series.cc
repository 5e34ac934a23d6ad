#include "runtime/torchscript/series.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace unival {
namespace {

// Appends the numbers of `line`; false when it holds anything else.
bool AppendNumbers(absl::string_view line, std::vector<float>* values) {
  for (absl::string_view cell : absl::StrSplit(line, ',')) {
    float value = 0;
    if (!absl::SimpleAtof(cell, &value) || !std::isfinite(value)) return false;
    values->push_back(value);
  }
  return true;
}

}  // namespace

absl::StatusOr<std::vector<float>> ParseSeries(absl::string_view csv, int channels,
                                               int64_t max_steps) {
  std::vector<float> values;
  int64_t number = 0, steps = 0;
  for (absl::string_view line : absl::StrSplit(csv, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const size_t before = values.size();
    const bool numeric = AppendNumbers(line, &values);
    if (!numeric && number == 1) {
      values.clear();
      continue;
    }
    if (!numeric || values.size() - before != static_cast<size_t>(channels)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": expected ", channels, " numbers between commas"));
    }
    if (++steps == max_steps) break;
  }
  if (steps == 0) return absl::InvalidArgumentError("no line with numbers");
  return values;
}

}  // namespace unival
