// unival: adapter_copy.h
//
// Takes a trained modality, its encoder and its connection, or another adapter over into another
// model directory with the same language model, whose vocabulary may have other blocks at other
// offsets.
//
//   AdapterCopy copy;
//   copy.from = "runs/depth/model", copy.modality = "depth", copy.into = "models/mine";
//   UNIVAL_ASSIGN_OR_RETURN(const AdapterCopyResult result, CopyAdapter(copy));
#ifndef UNIVAL_BACKBONE_STORAGE_ADAPTER_COPY_H_
#define UNIVAL_BACKBONE_STORAGE_ADAPTER_COPY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace unival {

struct AdapterCopy {
  std::string from;      // model directory that holds it
  std::string modality;  // id of it, or of the adapter
  std::string into;      // model directory with the same language model
  std::string output;    // model directory to write; empty: `into` itself, in one step
  bool replace = false;  // takes it in the place of one that `into` has
  // Also when it was trained against other weights; that is written down in the manifest.
  bool allow_mismatch = false;
  // Component id -> file name -> content: folders of the output in the place of those that `into`
  // has, for what goes with the modality and this room knows nothing of, such as its tasks.
  std::map<std::string, std::map<std::string, std::string>> folders;
  // What the manifest is to say of the folder of tasks; absent: as that of `into`.
  absl::optional<std::string> template_set_hash;
};

struct AdapterCopyResult {
  std::string output;
  std::string into_name;  // the name of the model that took it
  // Blocks that `from` has and `into` lacks: what the connection may have been trained to say.
  std::vector<std::string> missing_blocks;
};

// NotFound: `from` has no such modality or adapter, or `into` not the modality that it works on.
// AlreadyExists: `into` has one, and `replace` is off.
// FailedPrecondition lists how the two models differ in what the adapter was trained against.
// Otherwise as ModelDirectory and ModelDirectoryWriter say. The output is whole or untouched.
absl::StatusOr<AdapterCopyResult> CopyAdapter(const AdapterCopy& copy);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_ADAPTER_COPY_H_
