#include "backbone/adapters/adapter_config.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/adapters/adapter_kind.h"
#include "backbone/adapters/module_tree.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Far above what anybody trains, and low enough that a product of two of them does not overflow.
constexpr int64_t kMaxRank = 4096, kMaxLength = 1024, kMaxHidden = 65536;
constexpr double kMaxAlpha = 65536;

absl::Status WholeBetween(absl::string_view field, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat("a whole number from 1 to ", most), value,
                    "correct the value");
}

absl::Status CheckAlpha(double alpha) {
  if (std::isfinite(alpha) && alpha > 0 && alpha <= kMaxAlpha) return absl::OkStatus();
  return FieldError("alpha", absl::StrCat("a number above 0 to ", kMaxAlpha), alpha,
                    "correct the value");
}

absl::Status CheckDropout(double dropout) {
  if (dropout >= 0 && dropout < 1) return absl::OkStatus();
  return FieldError("dropout", "a number from 0 to below 1", dropout, "correct the value");
}

// Values that a kind takes, whichever it is.
absl::Status CheckNumbers(const AdapterConfig& config) {
  if (config.has_rank()) UNIVAL_RETURN_IF_ERROR(WholeBetween("rank", config.rank(), kMaxRank));
  if (config.has_length())
    UNIVAL_RETURN_IF_ERROR(WholeBetween("length", config.length(), kMaxLength));
  if (config.has_hidden())
    UNIVAL_RETURN_IF_ERROR(WholeBetween("hidden", config.hidden(), kMaxHidden));
  if (config.has_alpha()) UNIVAL_RETURN_IF_ERROR(CheckAlpha(config.alpha()));
  if (config.has_dropout()) UNIVAL_RETURN_IF_ERROR(CheckDropout(config.dropout()));
  for (int i = 0; i < config.target_size(); ++i) {
    UNIVAL_RETURN_IF_ERROR(Annotate(CheckAdapterTarget(config.target(i)), "target[", i, "]"));
  }
  return absl::OkStatus();
}

// Fields that are set and that the kind knows nothing of.
absl::Status CheckFields(const AdapterConfig& config, const AdapterKind& kind) {
  std::vector<const google::protobuf::FieldDescriptor*> set;
  config.GetReflection()->ListFields(config, &set);
  for (const auto* field : set) {
    const std::string& name = field->name();
    if (name == "id" || name == "kind") continue;
    if (std::find(kind.fields.begin(), kind.fields.end(), name) != kind.fields.end()) continue;
    return FieldError(
        name,
        absl::StrCat("nothing, as kind \"", kind.name, "\" takes ",
                     kind.fields.empty() ? "no numbers" : absl::StrJoin(kind.fields, ", ")),
        "a value", "remove it");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> AdapterKindNames() { return Registered<AdapterKind>::Names(); }

std::string AdapterIdOf(const AdapterConfig& config) {
  return config.id().empty() ? config.kind() : config.id();
}

absl::Status CheckAdapterConfig(const AdapterConfig& config) {
  const auto kind = Registered<AdapterKind>::Find(config.kind());
  if (absl::IsNotFound(kind.status())) {
    return FieldError("kind", absl::StrCat("one of ", absl::StrJoin(AdapterKindNames(), ", ")),
                      absl::StrCat("\"", config.kind(), "\""), "choose one of these");
  }
  UNIVAL_RETURN_IF_ERROR(kind.status());
  if (!IsId(AdapterIdOf(config))) {
    return FieldError("id", absl::StrCat("a name of the form ", kIdForm),
                      absl::StrCat("\"", config.id(), "\""), "rename it");
  }
  UNIVAL_RETURN_IF_ERROR(CheckFields(config, **kind));
  UNIVAL_RETURN_IF_ERROR(CheckNumbers(config));
  const auto& fields = (*kind)->fields;
  const bool of_modality = std::find(fields.begin(), fields.end(), "modality") != fields.end();
  if (of_modality && config.modality().empty()) {
    return FieldError("modality", "the id of a modality, whose connection it works on", "nothing",
                      "name the modality");
  }
  return (*kind)->check == nullptr ? absl::OkStatus() : (*kind)->check(config);
}

}  // namespace unival
