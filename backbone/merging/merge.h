// unival: merge.h
//
// One model directory of several that were trained from one model: their weights mixed, part by
// part, with one tensor in memory at a time (docs/tutorials/merging.md).
//
//   MergeOptions merge;
//   merge.models = {"runs/captions/model", "runs/answers/model"};
//   merge.method = "interpolate", merge.lambda = 0.3;
//   merge.output = "models/both";
//   UNIVAL_ASSIGN_OR_RETURN(const MergeReport report, MergeModels(merge));
#ifndef UNIVAL_BACKBONE_MERGING_MERGE_H_
#define UNIVAL_BACKBONE_MERGING_MERGE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

// The lambda of some tensors, by their full names ("connection.depth.weight").
struct PartLambda {
  std::string pattern;  // for messages
  std::function<bool(const std::string& name)> matches;
  double lambda = 0;
};

// Running statistics that were measured on data. They replace those that the method would make.
struct MeasuredStatistics {
  // By full names, "modality.image.bn1.running_mean"; stored in the type that the models have.
  // Names that the models lack are not used.
  std::map<std::string, at::Tensor> tensors;
  std::string from;  // where they were measured, for the lineage
};

struct MergeOptions {
  std::vector<std::string> models;  // model directories, two or more
  std::string base;                 // their common ancestor, for methods that need it
  std::string method = "average";   // MergeMethodNames() of tensor_merge.h
  absl::optional<double> lambda;    // in [0, 1] for pairs; nothing: the method's default
  std::vector<PartLambda> parts;    // of those that match a tensor, the last one counts
  std::vector<double> weights;      // one a model; empty: equal shares, or factors of 1
  double density = 0.2;             // of TIES and DARE, in (0, 1]
  uint64_t seed = 0;                // of DARE
  // Running mean and variance of normalisation: "average" takes the mean of the models by their
  // shares, "first" those of the first model.
  std::string statistics = "average";
  MeasuredStatistics measured;  // of those that it names, instead
  // Counts of batches, the only integers in which models may differ: "largest" or "first".
  std::string counters = "largest";
  // Also where manifests name no common ancestor, or weights look as if there were none.
  bool allow_unrelated = false;
  std::string plan;    // name of the plan that says this, for the lineage; empty: none
  std::string output;  // model directory to write
  bool overwrite = false;
  std::function<void(int64_t done, int64_t total)> progress;  // over bytes that are written
};

struct MergeReport {
  std::string output;
  std::string ancestor_sha256;     // backbone that all come from; empty: not known
  int64_t mixed = 0;               // tensors that are made of several
  int64_t same = 0;                // tensors that are alike in all, or copied from one by lambda
  int64_t carried = 0;             // tensors of parts that one model alone has
  int64_t measured = 0;            // tensors that were given as MergeOptions::measured
  std::vector<std::string> notes;  // what a user should know, a sentence each
};

// Says what can be merged: everything is checked before anything is written. InvalidArgument:
// options; FailedPrecondition: no common ancestor, other tokenizer, blocks, modalities or switches,
// tensors that differ in shape (each named with both shapes), a model whose adapters were trained
// against other weights than it has. AlreadyExists: the output, unless `overwrite`. Else as
// ModelDirectory and ModelDirectoryWriter say; the output is whole or untouched.
absl::StatusOr<MergeReport> MergeModels(const MergeOptions& options);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_MERGING_MERGE_H_
