// unival: receipt.h
//
// The proof of what a training run changed: the SHA-256 of every parameter and buffer before and
// after (docs/formats/receipt.md), and its verification from the model directories alone.
//
//   std::vector<TensorHash> before = HashState(*model);
//   ... train ...
//   Receipt receipt = MakeReceipt(description, before, HashState(*model), trained_names);
//   receipt.frozen_changed                                   // 0
//   auto check = VerifyReceipt("run/receipt.json", "run/model", "base/model", *runtime);
#ifndef UNIVAL_TRAINING_RUN_RECEIPT_H_
#define UNIVAL_TRAINING_RUN_RECEIPT_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "runtime/model.h"

namespace unival {

struct TensorHash {
  std::string name;
  std::string dtype;  // "float32", "int64", ...
  std::vector<int64_t> shape;
  bool is_buffer = false;
  std::string sha256;       // of the elements, row-major, little endian
  std::string half_sha256;  // of the elements after a round trip through float16; filled on request
};

// Sorted by name.
std::vector<TensorHash> HashState(const Model& model, bool with_half = false);

// One hash over all of `hashes`.
std::string CombinedHash(const std::vector<TensorHash>& hashes);

// How far the run of a model was that is not the run's last one.
struct UnfinishedRun {
  int64_t stages = 0;         // that had begun: what later ones train is frozen so far
  int64_t steps = 0;          // of all stages
  int64_t planned_steps = 0;  // of all stages
};

// What the lineage of such a run's model notes; empty for a finished one.
std::string NoteOf(const absl::optional<UnfinishedRun>& unfinished);

struct ReceiptDescription {
  std::string plan_name;
  std::string plan_sha256;
  std::string base_model;  // as the plan names it; empty for a fresh model
  uint64_t seed = 0;
  bool stored_half = false;
  std::set<std::string> fresh;  // tensors that did not come from the base model
  absl::optional<UnfinishedRun> unfinished;
};

// What may happen to a tensor.
enum class TensorRole {
  kTrainable,   // the optimizer moves it
  kStatistics,  // a buffer of a module that trains, such as BatchNorm's running mean
  kFrozen,
};

// What the optimizer moved in any stage is `trained`. A buffer may change when its module trains,
// that is when a parameter of the same module or of one inside it is trained.
TensorRole RoleOf(const TensorHash& tensor, const std::set<std::string>& trained);
const char* RoleName(TensorRole role);

struct ReceiptEntry {
  TensorHash before;
  std::string after;          // empty where only `stored` can be recomputed: trained, then rounded
  std::string stored;         // hash of the tensor as the model directory gives it back
  std::string before_stored;  // hash of the tensor before training, rounded as the directory would
  TensorRole role = TensorRole::kFrozen;
  bool fresh = false;
  bool changed() const { return after.empty() ? before_stored != stored : before.sha256 != after; }
};

struct Receipt {
  ReceiptDescription description;
  std::vector<ReceiptEntry> entries;
  int64_t trainable_tensors = 0, trainable_scalars = 0, trainable_changed = 0;
  int64_t frozen_tensors = 0, frozen_scalars = 0, frozen_changed = 0;
};

// `before` and `after` name the same tensors, both with half hashes when the model is stored so.
// `trained`: names that the optimizer moved in any stage.
Receipt MakeReceipt(const ReceiptDescription& description, const std::vector<TensorHash>& before,
                    const std::vector<TensorHash>& after, const std::set<std::string>& trained);

std::string ReceiptToJson(const Receipt& receipt);
// InvalidArgument names what is missing or of the wrong type.
absl::StatusOr<Receipt> ReceiptFromJson(const std::string& json, const std::string& file);

struct ReceiptCheck {
  int64_t tensors = 0;  // in the receipt
  int64_t compared_with_model = 0;
  int64_t compared_with_base = 0;
  bool base_compared = false;  // false: `before` is what the receipt says, unproven
  bool plan_compared = false;  // false: roles, seed and plan are what the receipt says, unproven
  // Frozen tensors that differ between the directories or within the receipt.
  std::set<std::string> changed;
  int64_t frozen_changed = 0;         // their number; not read from the receipt's own count
  std::vector<std::string> problems;  // one line each; empty: the receipt holds
  std::vector<std::string> unproven;  // what nothing at hand could confirm, one line each
  bool ok() const { return problems.empty(); }
};

// Recomputes what the receipt states: every hash, kind, shape and dtype from the trained model and,
// unless `base_directory` is empty, from the model that training started from; roles, seed, names
// and the plan's hash from plan.textproto beside the receipt; counts and the statement from the
// tensors. What cannot be recomputed with what is at hand is listed in `unproven`. A model
// directory whose files differ from its own manifest is a problem too. Errors are those of reading
// files.
absl::StatusOr<ReceiptCheck> VerifyReceipt(const std::string& receipt_file,
                                           const std::string& model_directory,
                                           const std::string& base_directory,
                                           const Runtime& runtime);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RECEIPT_H_
