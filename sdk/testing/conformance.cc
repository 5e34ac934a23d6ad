#include "sdk/testing/conformance.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace unival {

bool ConformanceReport::ok() const {
  return std::all_of(rows.begin(), rows.end(), [](const ConformanceRow& row) { return row.ok; });
}

std::string ConformanceReport::Table() const {
  std::string table = absl::StrCat(component, "\n");
  for (const ConformanceRow& row : rows) {
    absl::StrAppendFormat(&table, "  %-4s  %-28s  %s\n", row.ok ? "ok" : "FAIL", row.rule,
                          row.detail);
  }
  return table;
}

}  // namespace unival
