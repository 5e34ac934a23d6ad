// unival: ancestry.h - whether models come from one, by what their manifests say.
//
// Weights may be averaged number by number only where the numbers mean the same, which is so for
// models that were trained from one model. Lineages name those by the hash of their backbone
// (docs/formats/model_directory.md, "One hash of a backbone").
#ifndef UNIVAL_BACKBONE_MERGING_ANCESTRY_H_
#define UNIVAL_BACKBONE_MERGING_ANCESTRY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// A model as far as its ancestry goes.
struct Descent {
  std::string name;             // for messages: its path
  std::string backbone_sha256;  // its own
  const Manifest* manifest = nullptr;
};

// Hashes of the backbones that a model comes from, newest first, its own among them. What lies
// before a step that began with fresh or foreign weights is no ancestor.
std::vector<std::string> AncestorsOf(const Descent& model);

// The newest backbone that all of them come from. FailedPrecondition lists what each comes from.
absl::StatusOr<std::string> CommonAncestor(absl::Span<const Descent> models);

// FailedPrecondition names the model that does not come from `base`.
absl::Status CheckDescendsFrom(const Descent& base, absl::Span<const Descent> models);

// The lineage of what is merged of `models`: what led to each of them, once, in order; and an entry
// for each that names it, its backbone and `notes` of it.
std::vector<Lineage> MergedLineage(absl::Span<const Descent> models,
                                   const std::vector<std::string>& notes, const Lineage& entry);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_ANCESTRY_H_
