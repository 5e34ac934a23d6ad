// unival: convert.h
//
// A checkpoint of the reference's trainer becomes a model directory.
//
//   FairseqConversionHost host;
//   host.describe = [&](const ModalityConfig& config) {
//     … NamedTensors(*modality->module()) …
//   };
//   UNIVAL_ASSIGN_OR_RETURN(FairseqConversion report,
//                           ConvertFairseq("checkpoint_best.pt", "models/unival", {}, host));
//
// Weights keep the dtype that they have in the checkpoint, and are written from a mapping of it:
// memory holds one component at a time. Single-threaded; uses libtorch's default generator.
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_CONVERT_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_CONVERT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/storage/safetensors.h"
#include "sdk/proto/modality.pb.h"
#include "upstream/fairseq/fairseq_checkpoint.h"

namespace unival {

struct FairseqConversionOptions {
  bool ema = false;               // the moving average instead of the weights
  bool allow_missing = false;     // fresh values (seed 0) for tensors that are not there
  bool allow_unexpected = false;  // leave out tensors that the model has no place for
  bool half = false;              // store floating tensors as float16
  bool overwrite = false;         // replace a model directory at the target
  uint64_t seed = 0;              // of fresh values
  // Tensors, by their reference names, that need not be there: fresh values fill them, and the
  // report lists them apart. Empty: none.
  std::function<bool(const std::string& reference_name)> may_be_fresh;
  // Rows of the embedding; when the checkpoint has fewer, fresh ones follow as in the reference. 0:
  // as many as it has.
  int64_t vocabulary = 0;
};

// A modality as the program knows it.
struct HostModality {
  std::string type;            // ModalityInfo.type
  std::string feature_schema;  // ModalityInfo.feature_schema
  TensorMap tensors;           // of its network: shapes, and fresh values for allow_missing
};

// What lies outside the backbone's layer.
struct FairseqConversionHost {
  std::function<absl::StatusOr<HostModality>(const ModalityConfig&)> describe;
  // The tokenizer's files by name, and the block that they make. Empty: the model directory gets
  // none, and cannot be loaded until it has one.
  std::map<std::string, std::string> tokenizer_files;
  int64_t text_size = 0;
  std::string text_hash;
};

struct FairseqConversion {
  std::vector<std::string> modalities;
  std::vector<std::string> missing;     // filled with fresh values
  std::vector<std::string> fresh;       // the same where FairseqConversionOptions expects it
  std::vector<std::string> unexpected;  // left out
  std::vector<std::string> unused;      // classifiers that no forward pass uses, left out
  int64_t tensors = 0;                  // written, counted as the checkpoint has them
  int64_t vocabulary = 0;
  int64_t updates = 0;
};

// InvalidArgument starts with `checkpoint` and lists every missing, unexpected and unfit tensor;
// see FairseqCheckpoint::Open and ModelDirectoryWriter for the others. Nothing is left at
// `directory` after an error.
absl::StatusOr<FairseqConversion> ConvertFairseq(const std::string& checkpoint,
                                                 const std::string& directory,
                                                 const FairseqConversionOptions& options,
                                                 const FairseqConversionHost& host);

// The same for an opened or assembled checkpoint; `name` is the model's and starts messages.
absl::StatusOr<FairseqConversion> ConvertFairseq(const FairseqCheckpoint& checkpoint,
                                                 const std::string& name,
                                                 const std::string& directory,
                                                 const FairseqConversionOptions& options,
                                                 const FairseqConversionHost& host);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_CONVERT_H_
