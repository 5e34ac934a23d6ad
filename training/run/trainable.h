// unival: trainable.h
//
// Which parameters a stage trains. Patterns select them by their full names; everything else is
// frozen: no gradient, evaluation mode (no dropout unless a stage asks for it, fixed BatchNorm
// statistics).
//
//   UNIVAL_ASSIGN_OR_RETURN(TrainableSet set, SelectTrainable(*model, {"connection:depth"}));
//   ApplyTrainable(*model, set);
//
// Patterns: "all", "backbone", "connections", "connection:ID", "modality:ID", "adapters",
// "adapter:ID", "name:REGEX" (RE2, the whole name).
#ifndef UNIVAL_TRAINING_RUN_TRAINABLE_H_
#define UNIVAL_TRAINING_RUN_TRAINABLE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/model.h"

namespace unival {

struct TrainableSet {
  std::vector<NamedTensor> parameters;  // sorted by name, the live tensors
  std::set<std::string> names;
  int64_t scalar_count = 0;
  // All of the backbone is in training mode, and so drops what its rates say, even where none of it
  // trains. It holds no statistics, so nothing of it changes by that.
  bool whole_backbone_drops = false;

  bool Contains(const std::string& name) const { return names.count(name) > 0; }
  // Any parameter whose name starts with `prefix`, "modality.image.".
  bool Touches(absl::string_view prefix) const;
};

// InvalidArgument for an unknown form or regular expression, NotFound for a pattern that selects
// nothing; the message lists the parts that the model has.
absl::StatusOr<TrainableSet> SelectTrainable(const Model& model,
                                             const std::vector<std::string>& patterns);

// Whether an example with media of `modalities` can have a gradient for some parameter of `set`:
// one outside all connections, what adapters add to connections, and modalities, or one of a
// modality that it has.
bool Reaches(const TrainableSet& set, const std::vector<std::string>& modalities);

// Sets requires_grad on the parameters of `set` and clears it on all others, drops all gradients,
// and puts a module in training mode only when something inside it trains. A connection or adapter
// that trains leaves the backbone, which holds it, in evaluation mode, unless
// `whole_backbone_drops` asks for it.
void ApplyTrainable(const Model& model, const TrainableSet& set);

// The last of these alone: gradients stay.
void SetTrainingModes(const Model& model, const TrainableSet& set);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_TRAINABLE_H_
