// unival: adapter_edit.h
//
// Takes an adapter out of a model directory, or into its weights.
//
//   AdapterRemoval removal;
//   removal.model = "runs/lora/model", removal.adapter = "lora", removal.output = "models/plain";
//   UNIVAL_RETURN_IF_ERROR(RemoveAdapter(removal));
//   UNIVAL_ASSIGN_OR_RETURN(const auto merged, MergeAdapter({"models/nano", "lora.safetensors",
//                                                           "models/merged"}));
#ifndef UNIVAL_BACKBONE_STORAGE_ADAPTER_EDIT_H_
#define UNIVAL_BACKBONE_STORAGE_ADAPTER_EDIT_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

struct AdapterRemoval {
  std::string model;    // model directory that holds it
  std::string adapter;  // id; a modality's takes its encoder and connection with it
  std::string output;   // model directory to write; empty: `model` itself, in one step
  // Component id -> file name -> content: folders of the output in the place of those that `model`
  // has, for what goes with the adapter and this room knows nothing of, such as its tasks. One
  // without files goes.
  std::map<std::string, std::map<std::string, std::string>> folders = {};
  // What the manifest is to say of the folder of tasks; absent: as that of `model`.
  absl::optional<std::string> template_set_hash = absl::nullopt;
};

// Every other file of the model is taken over byte for byte: what is left is the model that it was
// without it.
// NotFound lists the adapters there are; FailedPrecondition for a connection that another adapter
// works on. The output is whole or untouched.
absl::Status RemoveAdapter(const AdapterRemoval& removal);

struct AdapterMerge {
  std::string model;            // model directory
  std::string adapter;          // id of one that it holds, or the file of one
  std::string output;           // model directory to write
  bool allow_mismatch = false;  // also when it was trained against other weights
};

struct AdapterMergeResult {
  std::string id, kind;
  int64_t tensors = 0;  // of the backbone, that changed
  std::string backbone_sha256;
};

// Adds what the adapter does to the backbone's weights, which are stored as float32 where they
// changed; other adapters of the model are bound to the new backbone. FailedPrecondition for a kind
// that no change of weights can replace, and, with both hashes, for one that was trained against
// another base.
absl::StatusOr<AdapterMergeResult> MergeAdapter(const AdapterMerge& merge);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_ADAPTER_EDIT_H_
