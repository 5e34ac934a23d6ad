// unival: trainable_pattern.h
//
// The forms in which a plan says what a stage moves, by the full names of a model's parameters:
//
//   "all"            everything
//   "backbone"       the language model, without connections
//   "connections"    the linear connection of every modality
//   "connection:ID"  that of one modality
//   "modality:ID"    the encoder of one modality
//   "adapters"       the adapters that the plan or the base added, without connections
//   "adapter:ID"     one of them
//   "name:REGEX"     parameters whose whole name matches (RE2)
//
//   UNIVAL_ASSIGN_OR_RETURN(const NamePredicate matches,
// ParseTrainablePattern("connection:depth"));
//   matches("connection.depth.weight")   // true
#ifndef UNIVAL_TRAINING_CONFIG_TRAINABLE_PATTERN_H_
#define UNIVAL_TRAINING_CONFIG_TRAINABLE_PATTERN_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace unival {

using NamePredicate = std::function<bool(const std::string& name)>;

// InvalidArgument lists the forms, or says why REGEX is none. Thread-safe, as are the predicates.
absl::StatusOr<NamePredicate> ParseTrainablePattern(const std::string& pattern);

// "\"all\", \"backbone\", ... or \"name:REGEX\"", for messages.
std::string TrainableForms();

}  // namespace unival

#endif  // UNIVAL_TRAINING_CONFIG_TRAINABLE_PATTERN_H_
