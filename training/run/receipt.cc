#include "training/run/receipt.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "unival-receipt/1";

std::string DtypeName(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

std::string TensorSha256(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  Sha256 hash;
  hash.Update(plain.data_ptr(), plain.nbytes());
  return hash.HexDigest();
}

TensorHash HashTensor(const NamedTensor& entry, bool with_half) {
  TensorHash hash;
  hash.name = entry.name;
  hash.dtype = DtypeName(entry.tensor.scalar_type());
  hash.shape = entry.tensor.sizes().vec();
  hash.is_buffer = entry.is_buffer;
  hash.sha256 = TensorSha256(entry.tensor);
  if (with_half) {
    hash.half_sha256 =
        entry.tensor.is_floating_point()
            ? TensorSha256(entry.tensor.detach().to(at::kHalf).to(entry.tensor.scalar_type()))
            : hash.sha256;
  }
  return hash;
}

int64_t Scalars(const TensorHash& tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.shape) count *= size;
  return count;
}

// A buffer may change when its module trains, that is when a parameter of the same module or of one
// inside it is trained.
TensorRole RoleOf(const TensorHash& tensor, const std::set<std::string>& trained) {
  if (trained.count(tensor.name) > 0) return TensorRole::kTrainable;
  if (!tensor.is_buffer) return TensorRole::kFrozen;
  const std::string owner = tensor.name.substr(0, tensor.name.rfind('.') + 1);
  auto at = trained.lower_bound(owner);
  const bool moves = at != trained.end() && absl::StartsWith(*at, owner);
  return moves ? TensorRole::kStatistics : TensorRole::kFrozen;
}

const char* RoleName(TensorRole role) {
  return role == TensorRole::kTrainable    ? "trainable"
         : role == TensorRole::kStatistics ? "statistics"
                                           : "frozen";
}

absl::StatusOr<TensorRole> RoleFromName(const std::string& name) {
  for (TensorRole role : {TensorRole::kTrainable, TensorRole::kStatistics, TensorRole::kFrozen}) {
    if (name == RoleName(role)) return role;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("role: expected trainable, statistics or frozen, got \"", name, "\""));
}

void Count(Receipt* receipt) {
  for (const ReceiptEntry& entry : receipt->entries) {
    if (entry.role == TensorRole::kTrainable) {
      ++receipt->trainable_tensors;
      receipt->trainable_scalars += Scalars(entry.before);
      receipt->trainable_changed += entry.changed();
    } else if (entry.role == TensorRole::kFrozen) {
      ++receipt->frozen_tensors;
      receipt->frozen_scalars += Scalars(entry.before);
      receipt->frozen_changed += entry.changed();
    }
  }
}

Json EntryToJson(const ReceiptEntry& entry) {
  return {{"name", entry.before.name},
          {"kind", entry.before.is_buffer ? "buffer" : "parameter"},
          {"role", RoleName(entry.role)},
          {"dtype", entry.before.dtype},
          {"shape", entry.before.shape},
          {"drawn", entry.drawn},
          {"changed", entry.changed()},
          {"before", entry.before.sha256},
          {"after", entry.after},
          {"stored", entry.stored},
          {"before_stored", entry.before_stored}};
}

absl::StatusOr<ReceiptEntry> EntryFromJson(const Json& json) {
  ReceiptEntry entry;
  entry.before.name = json.at("name");
  entry.before.is_buffer = json.at("kind") == "buffer";
  entry.before.dtype = json.at("dtype");
  entry.before.shape = json.at("shape").get<std::vector<int64_t>>();
  entry.before.sha256 = json.at("before");
  entry.after = json.at("after");
  entry.stored = json.at("stored");
  entry.before_stored = json.value("before_stored", "");
  entry.drawn = json.at("drawn");
  UNIVAL_ASSIGN_OR_RETURN(entry.role, RoleFromName(json.at("role")));
  return entry;
}

std::map<std::string, TensorHash> ByName(std::vector<TensorHash> hashes) {
  std::map<std::string, TensorHash> by_name;
  for (TensorHash& hash : hashes) by_name[hash.name] = std::move(hash);
  return by_name;
}

absl::StatusOr<std::map<std::string, TensorHash>> HashDirectory(const std::string& directory,
                                                                const Runtime& runtime, bool half) {
  UNIVAL_ASSIGN_OR_RETURN(auto model, Model::Load(directory, runtime));
  return ByName(HashState(*model, half));
}

// Does the trained model hold what the receipt says, tensor by tensor?
void CompareWithModel(const Receipt& receipt, const std::map<std::string, TensorHash>& model,
                      ReceiptCheck* check) {
  for (const ReceiptEntry& entry : receipt.entries) {
    auto found = model.find(entry.before.name);
    if (found == model.end()) {
      check->problems.push_back(
          absl::StrCat(entry.before.name, ": missing from the trained model"));
      continue;
    }
    ++check->compared_with_model;
    if (found->second.sha256 == entry.stored) continue;
    check->problems.push_back(absl::StrCat(entry.before.name, ": the trained model has ",
                                           found->second.sha256, ", the receipt says ",
                                           entry.stored));
  }
  if (model.size() != receipt.entries.size()) {
    check->problems.push_back(absl::StrCat("the trained model has ", model.size(),
                                           " tensors, the receipt lists ", receipt.entries.size()));
  }
}

// Does the receipt itself say that what was frozen stayed what it was, as trained and as stored?
// All there is to check for tensors that no base model holds.
void CheckFrozenEntries(const Receipt& receipt, ReceiptCheck* check) {
  for (const ReceiptEntry& entry : receipt.entries) {
    if (entry.role != TensorRole::kFrozen) continue;
    std::string expected = entry.before_stored;
    // A receipt from before this field was introduced: there is nothing to compare a rounded tensor
    // with.
    if (expected.empty()) {
      expected = receipt.description.stored_half ? entry.stored : entry.before.sha256;
    }
    if (!entry.changed() && entry.stored == expected) continue;
    check->changed.insert(entry.before.name);
    check->problems.push_back(absl::StrCat(entry.before.name, ": frozen, yet the receipt has ",
                                           entry.before.sha256, " before and ", entry.after,
                                           " after training, ", entry.stored, " stored where ",
                                           expected, " was expected"));
  }
}

// Did what the receipt calls frozen stay what it was in the base model?
void CompareWithBase(const Receipt& receipt, const std::map<std::string, TensorHash>& model,
                     const std::map<std::string, TensorHash>& base, ReceiptCheck* check) {
  for (const ReceiptEntry& entry : receipt.entries) {
    if (entry.drawn) continue;
    auto was = base.find(entry.before.name);
    if (was == base.end()) {
      check->problems.push_back(absl::StrCat(entry.before.name, ": missing from the base model"));
      continue;
    }
    ++check->compared_with_base;
    if (was->second.sha256 != entry.before.sha256) {
      check->problems.push_back(absl::StrCat(entry.before.name, ": the base model has ",
                                             was->second.sha256, ", the receipt says ",
                                             entry.before.sha256));
    }
    auto is = model.find(entry.before.name);
    if (entry.role != TensorRole::kFrozen || is == model.end()) continue;
    const std::string& expected =
        receipt.description.stored_half ? was->second.half_sha256 : was->second.sha256;
    if (is->second.sha256 == expected) continue;
    check->changed.insert(entry.before.name);
    check->problems.push_back(
        absl::StrCat(entry.before.name, ": frozen, yet it differs from the base model"));
  }
}

}  // namespace

std::vector<TensorHash> HashState(const Model& model, bool with_half) {
  std::vector<TensorHash> hashes;
  for (const NamedTensor& entry : model.State()) hashes.push_back(HashTensor(entry, with_half));
  return hashes;
}

std::string CombinedHash(const std::vector<TensorHash>& hashes) {
  Sha256 hash;
  for (const TensorHash& tensor : hashes) {
    hash.UpdateField(tensor.name);
    hash.UpdateField(tensor.dtype);
    hash.UpdateField(absl::StrJoin(tensor.shape, ","));
    hash.UpdateField(tensor.sha256);
  }
  return hash.HexDigest();
}

Receipt MakeReceipt(const ReceiptDescription& description, const std::vector<TensorHash>& before,
                    const std::vector<TensorHash>& after, const std::set<std::string>& trained) {
  Receipt receipt;
  receipt.description = description;
  const std::map<std::string, TensorHash> later = ByName(after);
  for (const TensorHash& tensor : before) {
    ReceiptEntry entry;
    entry.before = tensor;
    entry.role = RoleOf(tensor, trained);
    entry.drawn = description.drawn.count(tensor.name) > 0;
    entry.before_stored = description.stored_half ? tensor.half_sha256 : tensor.sha256;
    auto found = later.find(tensor.name);
    if (found != later.end()) {
      entry.after = found->second.sha256;
      entry.stored = description.stored_half ? found->second.half_sha256 : found->second.sha256;
    }
    receipt.entries.push_back(std::move(entry));
  }
  Count(&receipt);
  return receipt;
}

std::string ReceiptToJson(const Receipt& receipt) {
  const ReceiptDescription& about = receipt.description;
  Json tensors = Json::array();
  Json changed_frozen = Json::array();
  for (const ReceiptEntry& entry : receipt.entries) {
    tensors.push_back(EntryToJson(entry));
    if (entry.role == TensorRole::kFrozen && entry.changed())
      changed_frozen.push_back(entry.before.name);
  }
  const Json json = {
      {"format", kFormat},
      {"statement", absl::StrCat("frozen tensors changed: ", receipt.frozen_changed)},
      {"plan", about.plan_name},
      {"plan_sha256", about.plan_sha256},
      {"base_model", about.base_model},
      {"seed", about.seed},
      {"stored_as", about.stored_half ? "float16" : "float32"},
      {"trainable",
       {{"tensors", receipt.trainable_tensors},
        {"scalars", receipt.trainable_scalars},
        {"changed", receipt.trainable_changed}}},
      {"frozen",
       {{"tensors", receipt.frozen_tensors},
        {"scalars", receipt.frozen_scalars},
        {"changed", receipt.frozen_changed},
        {"changed_names", changed_frozen}}},
      {"tensors", tensors}};
  return json.dump(1) + "\n";
}

absl::StatusOr<Receipt> ReceiptFromJson(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kFormat) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": format: expected ", kFormat, ", got ", json.at("format").dump()));
    }
    Receipt receipt;
    receipt.description.plan_name = json.at("plan");
    receipt.description.plan_sha256 = json.at("plan_sha256");
    receipt.description.base_model = json.at("base_model");
    receipt.description.seed = json.at("seed");
    receipt.description.stored_half = json.at("stored_as") == "float16";
    for (const Json& tensor : json.at("tensors")) {
      UNIVAL_ASSIGN_OR_RETURN(ReceiptEntry entry, EntryFromJson(tensor));
      if (entry.drawn) receipt.description.drawn.insert(entry.before.name);
      receipt.entries.push_back(std::move(entry));
    }
    Count(&receipt);
    return receipt;
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": not a receipt: ", error.what()));
  }
}

absl::StatusOr<ReceiptCheck> VerifyReceipt(const std::string& receipt_file,
                                           const std::string& model_directory,
                                           const std::string& base_directory,
                                           const Runtime& runtime) {
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(receipt_file));
  UNIVAL_ASSIGN_OR_RETURN(Receipt receipt, ReceiptFromJson(text, receipt_file));
  const bool half = receipt.description.stored_half;
  ReceiptCheck check;
  check.tensors = static_cast<int64_t>(receipt.entries.size());
  UNIVAL_ASSIGN_OR_RETURN(auto model, HashDirectory(model_directory, runtime, false));
  CompareWithModel(receipt, model, &check);
  CheckFrozenEntries(receipt, &check);
  if (!base_directory.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(auto base, HashDirectory(base_directory, runtime, half));
    CompareWithBase(receipt, model, base, &check);
    check.base_compared = true;
  }
  check.frozen_changed = static_cast<int64_t>(check.changed.size());
  return check;
}

}  // namespace unival
