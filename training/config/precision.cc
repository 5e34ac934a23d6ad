#include "training/config/precision.h"

namespace unival {
namespace {

struct Named {
  const char* name;
  Precision precision;
};

constexpr Named kTable[] = {{"float32", Precision::kFloat32}, {"bfloat16", Precision::kBfloat16}};

}  // namespace

absl::optional<Precision> ParsePrecision(absl::string_view text) {
  for (const Named& entry : kTable) {
    if (text == entry.name) return entry.precision;
  }
  return absl::nullopt;
}

std::vector<std::string> PrecisionNames() {
  std::vector<std::string> names;
  for (const Named& entry : kTable) names.emplace_back(entry.name);
  return names;
}

}  // namespace unival
