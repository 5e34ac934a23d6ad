#include "training/run/receipt.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/storage/tensor_hash.h"
#include "runtime/half_storage.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/run/receipt_json.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kFormat[] = "unival-receipt/1";

TensorHash HashTensor(const NamedTensor& entry, bool with_half) {
  TensorHash hash;
  hash.name = entry.name;
  hash.dtype = DtypeName(entry.tensor.scalar_type());
  hash.shape = entry.tensor.sizes().vec();
  hash.is_buffer = entry.is_buffer;
  hash.sha256 = TensorSha256(entry.tensor);
  if (with_half) {
    hash.half_sha256 =
        BecomesHalf(entry.name, entry.tensor)
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

// So that no product of sizes, and no sum of products, is beyond what an integer holds.
absl::Status CheckShape(const TensorHash& tensor) {
  int64_t room = int64_t{1} << 40;
  for (int64_t size : tensor.shape) {
    if (size < 0 || size > room) {
      return InvalidArgument(tensor.name, ": shape: expected at most 2^40 elements, got [",
                             absl::StrJoin(tensor.shape, ", "), "]");
    }
    room /= std::max<int64_t>(size, 1);
  }
  return absl::OkStatus();
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
          {"drawn", entry.fresh},
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
  UNIVAL_RETURN_IF_ERROR(CheckShape(entry.before));
  entry.before.sha256 = json.at("before");
  entry.after = json.at("after");
  entry.stored = json.at("stored");
  entry.before_stored = json.value("before_stored", "");
  entry.fresh = json.at("drawn");
  UNIVAL_ASSIGN_OR_RETURN(entry.role, RoleFromName(json.at("role")));
  return entry;
}

}  // namespace

std::map<std::string, TensorHash> ByName(std::vector<TensorHash> hashes) {
  std::map<std::string, TensorHash> by_name;
  for (TensorHash& hash : hashes) by_name[hash.name] = std::move(hash);
  return by_name;
}

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

std::string NoteOf(const absl::optional<UnfinishedRun>& unfinished) {
  if (!unfinished) return "";
  return absl::StrCat("stopped after ", unfinished->steps, " of ", unfinished->planned_steps,
                      " steps, with ", unfinished->stages, " stages begun");
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
    entry.fresh = description.fresh.count(tensor.name) > 0;
    entry.before_stored = description.stored_half ? tensor.half_sha256 : tensor.sha256;
    auto found = later.find(tensor.name);
    if (found != later.end()) {
      entry.stored = description.stored_half ? found->second.half_sha256 : found->second.sha256;
      // What a trained tensor was before it was rounded can be recomputed from nothing that is
      // kept.
      const bool lost = description.stored_half && entry.role != TensorRole::kFrozen;
      if (!lost) entry.after = found->second.sha256;
    }
    receipt.entries.push_back(std::move(entry));
  }
  Count(&receipt);
  return receipt;
}

Json JsonOfUnfinished(const UnfinishedRun& run) {
  return {{"stages", run.stages}, {"steps", run.steps}, {"planned_steps", run.planned_steps}};
}

Json JsonOf(const Receipt& receipt) {
  const ReceiptDescription& about = receipt.description;
  Json tensors = Json::array();
  Json changed_frozen = Json::array();
  for (const ReceiptEntry& entry : receipt.entries) {
    tensors.push_back(EntryToJson(entry));
    if (entry.role == TensorRole::kFrozen && entry.changed())
      changed_frozen.push_back(entry.before.name);
  }
  Json json = {{"format", kFormat},
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
                 {"changed_names", changed_frozen}}}};
  if (about.unfinished) json["unfinished"] = JsonOfUnfinished(*about.unfinished);
  json["tensors"] = std::move(tensors);
  return json;
}

std::string ReceiptToJson(const Receipt& receipt) { return JsonText(JsonOf(receipt), 1) + "\n"; }

absl::StatusOr<Receipt> ReceiptOf(const Json& json, const std::string& file) {
  const auto read = [&]() -> absl::StatusOr<Receipt> {
    if (json.at("format") != kFormat) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": format: expected ", kFormat, ", got ", json.at("format").dump()));
    }
    Receipt receipt;
    receipt.description.plan_name = json.at("plan");
    receipt.description.plan_sha256 = json.at("plan_sha256");
    receipt.description.base_model = json.at("base_model");
    // Another kind of number is what no plan has, so that it differs from the plan's.
    const Json& seed = json.at("seed");
    receipt.description.seed = seed.is_number_unsigned() ? seed.get<uint64_t>() : 0;
    receipt.description.stored_half = json.at("stored_as") == "float16";
    if (json.contains("unfinished")) {
      const auto whole = [&](const char* key) -> int64_t {
        return json.at("unfinished").at(key).get_ref<const Json::number_integer_t&>();
      };
      receipt.description.unfinished =
          UnfinishedRun{whole("stages"), whole("steps"), whole("planned_steps")};
    }
    for (const Json& tensor : json.at("tensors")) {
      UNIVAL_ASSIGN_OR_RETURN(ReceiptEntry entry, Annotate(EntryFromJson(tensor), file));
      if (entry.fresh) receipt.description.fresh.insert(entry.before.name);
      receipt.entries.push_back(std::move(entry));
    }
    Count(&receipt);
    return receipt;
  };
  return CatchJson(read, [&file](absl::string_view why) {
    return InvalidArgument(file, ": not a receipt: ", why);
  });
}

absl::StatusOr<Json> ParseReceipt(const std::string& text, const std::string& file,
                                  const Json::parser_callback_t& see) {
  return Annotate(ParseJson<Json>(text, see), file, ": not a receipt");
}

absl::StatusOr<Receipt> ReceiptFromJson(const std::string& text, const std::string& file) {
  UNIVAL_ASSIGN_OR_RETURN(const Json json, ParseReceipt(text, file));
  return ReceiptOf(json, file);
}

}  // namespace unival
