#include "backbone/merging/ancestry.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr char kRemedy[] =
    "merge models that were trained from one model, or say --allow_unrelated where you know that "
    "they were";

// Whether the step began with fresh or foreign weights instead of those of the step before.
bool BeginsAnew(const Lineage& step) {
  return step.parent_backbone_sha256().empty() &&
         (absl::StartsWith(step.command(), "train") || absl::StartsWith(step.command(), "convert"));
}

std::string Short(const std::string& hash) { return hash.substr(0, 16); }

std::string Listed(const Descent& model) {
  const std::vector<std::string> ancestors = AncestorsOf(model);
  return absl::StrCat(model.name, ": ",
                      absl::StrJoin(ancestors, ", ", [](std::string* out, const auto& hash) {
                        absl::StrAppend(out, Short(hash));
                      }));
}

bool Holds(const std::vector<Lineage>& steps, const Lineage& step) {
  return absl::c_any_of(steps, [&](const Lineage& other) {
    return google::protobuf::util::MessageDifferencer::Equals(other, step);
  });
}

}  // namespace

std::vector<std::string> AncestorsOf(const Descent& model) {
  std::vector<std::string> ancestors = {model.backbone_sha256};
  const auto& steps = model.manifest->lineage();
  for (auto step = steps.rbegin(); step != steps.rend() && !BeginsAnew(*step); ++step) {
    const std::string& parent = step->parent_backbone_sha256();
    if (!parent.empty() && !absl::c_linear_search(ancestors, parent)) ancestors.push_back(parent);
  }
  return ancestors;
}

absl::StatusOr<std::string> CommonAncestor(absl::Span<const Descent> models) {
  for (const std::string& hash : AncestorsOf(models.front())) {
    const auto comes_from = [&](const Descent& model) {
      return absl::c_linear_search(AncestorsOf(model), hash);
    };
    if (absl::c_all_of(models, comes_from)) return hash;
  }
  std::vector<std::string> lines;
  for (const Descent& model : models) lines.push_back(Listed(model));
  return absl::FailedPreconditionError(absl::StrCat(
      "lineage: expected models that come from one model, got none that all come from; ", kRemedy,
      ". Backbones that each comes from, newest first:\n  ", absl::StrJoin(lines, "\n  ")));
}

absl::Status CheckDescendsFrom(const Descent& base, absl::Span<const Descent> models) {
  for (const Descent& model : models) {
    if (absl::c_linear_search(AncestorsOf(model), base.backbone_sha256)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(model.name, ": lineage: expected to come from the base ", base.name,
                     " (backbone ", Short(base.backbone_sha256), "), got a model that comes from ",
                     Listed(model), "; ", kRemedy));
  }
  return absl::OkStatus();
}

std::vector<Lineage> MergedLineage(absl::Span<const Descent> models,
                                   const std::vector<std::string>& notes, const Lineage& entry) {
  std::vector<Lineage> steps;
  for (const Descent& model : models) {
    for (const Lineage& step : model.manifest->lineage()) {
      if (!Holds(steps, step)) steps.push_back(step);
    }
  }
  for (size_t i = 0; i < models.size(); ++i) {
    Lineage own = entry;
    own.set_parent_backbone_sha256(models[i].backbone_sha256);
    own.set_note(notes[i]);
    steps.push_back(own);
  }
  return steps;
}

}  // namespace unival
