// What a receipt says, checked against model directories: one rule after the other, in one piece.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/backbone_hash.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "training/config/plan.h"
#include "training/run/receipt_json.h"
#include "training/run/trainable.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Hashes = std::map<std::string, TensorHash>;

// A model directory as it is on disk. Null when its files differ from its manifest: that is a
// finding about the model, not a failure to read it.
absl::StatusOr<std::unique_ptr<Model>> LoadOrReport(const std::string& directory,
                                                    const Runtime& runtime, ReceiptCheck* check,
                                                    const ModelLoadOptions& options = {}) {
  auto model = Model::Load(directory, runtime, options);
  if (model.ok()) return model;
  if (!absl::IsDataLoss(model.status())) return model.status();
  check->problems.emplace_back(model.status().message());
  return std::unique_ptr<Model>();
}

void Differs(const std::string& what, const std::string& found, const std::string& stated,
             ReceiptCheck* check) {
  if (found == stated) return;
  check->problems.push_back(absl::StrCat(what, ": found ", found, ", the receipt says ", stated));
}

std::string Description(const TensorHash& tensor) {
  return absl::StrCat(tensor.is_buffer ? "buffer " : "parameter ", tensor.dtype, " ",
                      ShapeText(tensor.shape));
}

// Does the trained model hold what the receipt says, tensor by tensor?
void CompareWithModel(const Receipt& receipt, const Hashes& model, ReceiptCheck* check) {
  for (const ReceiptEntry& entry : receipt.entries) {
    const std::string& name = entry.before.name;
    auto found = model.find(name);
    if (found == model.end()) {
      check->problems.push_back(absl::StrCat(name, ": missing from the trained model"));
      continue;
    }
    ++check->compared_with_model;
    Differs(absl::StrCat(name, ": in the trained model"), found->second.sha256, entry.stored,
            check);
    Differs(absl::StrCat(name, ": in the trained model"), Description(found->second),
            Description(entry.before), check);
  }
  if (model.size() != receipt.entries.size()) {
    check->problems.push_back(absl::StrCat("the trained model has ", model.size(),
                                           " tensors, the receipt lists ", receipt.entries.size()));
  }
}

// Where nothing was rounded, what training left is what is stored, and what was there before is not
// rounded either.
void CheckRounding(const Receipt& receipt, ReceiptCheck* check) {
  int64_t own_word = 0;
  for (const ReceiptEntry& entry : receipt.entries) {
    const std::string& name = entry.before.name;
    if (!receipt.description.stored_half) {
      Differs(absl::StrCat(name, ": after training"), entry.stored, entry.after, check);
      if (entry.before_stored.empty()) continue;
      Differs(absl::StrCat(name, ": before training, as it would be stored"), entry.before.sha256,
              entry.before_stored, check);
    } else if (entry.role != TensorRole::kFrozen && !entry.after.empty()) {
      ++own_word;
    }
  }
  if (own_word == 0) return;
  check->unproven.push_back(
      absl::StrCat("the hashes of ", own_word,
                   " trained tensors before they were rounded to float16 are the receipt's "
                   "own word"));
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

void CompareFrozen(const ReceiptEntry& entry, const TensorHash& was, const Hashes& model, bool half,
                   ReceiptCheck* check) {
  auto is = model.find(entry.before.name);
  if (entry.role != TensorRole::kFrozen || is == model.end()) return;
  if (is->second.sha256 == (half ? was.half_sha256 : was.sha256)) return;
  check->changed.insert(entry.before.name);
  check->problems.push_back(
      absl::StrCat(entry.before.name, ": frozen, yet it differs from the base model"));
}

// Did what the receipt calls frozen stay what it was in the base model?
void CompareWithBase(const Receipt& receipt, const Hashes& model, const Hashes& base,
                     ReceiptCheck* check) {
  const bool half = receipt.description.stored_half;
  for (const ReceiptEntry& entry : receipt.entries) {
    if (entry.fresh) continue;
    const std::string& name = entry.before.name;
    auto was = base.find(name);
    if (was == base.end()) {
      check->problems.push_back(absl::StrCat(name, ": missing from the base model"));
      continue;
    }
    ++check->compared_with_base;
    Differs(absl::StrCat(name, ": in the base model"), was->second.sha256, entry.before.sha256,
            check);
    if (half && !entry.before_stored.empty()) {
      Differs(absl::StrCat(name, ": in the base model, rounded to float16"),
              was->second.half_sha256, entry.before_stored, check);
    }
    CompareFrozen(entry, was->second, model, half, check);
  }
}

// The same for equal values: keys in the order of the alphabet.
std::string SortedText(const Json& value) { return JsonText(nlohmann::json(value)); }

// What stands in one object of the receipt, against what follows from its tensors. Nothing may
// stand there that is not derived; receipts of before `before_stored` was introduced lack it.
void CheckObject(const std::string& where, const Json& derived, const Json& stated,
                 ReceiptCheck* check) {
  for (const auto& [key, value] : stated.items()) {
    if (key == "tensors") continue;
    Differs(absl::StrCat(where, key), SortedText(derived.value(key, Json())), SortedText(value),
            check);
  }
  for (const auto& [key, value] : derived.items()) {
    if (stated.contains(key) || key == "before_stored") continue;
    Differs(absl::StrCat(where, key), SortedText(value), "nothing", check);
  }
}

// A key that stands twice is read as one thing here and as another by others.
absl::StatusOr<Json> ParseAndCheckKeys(const std::string& text, const std::string& file,
                                       ReceiptCheck* check) {
  std::vector<std::set<std::string>> seen;
  return ParseReceipt(text, file, [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(parsed).second) {
      check->problems.push_back(absl::StrCat("the key ", JsonText(parsed), " stands twice"));
    }
    return true;
  });
}

// Statement, counts and flags follow from the tensors, which are listed by name, each once.
void CheckStatements(const Json& stated, const Receipt& receipt, ReceiptCheck* check) {
  const Json derived = JsonOf(receipt);
  CheckObject("", derived, stated, check);
  for (size_t i = 0; i < receipt.entries.size(); ++i) {
    const std::string& name = receipt.entries[i].before.name;
    CheckObject(name + ": ", derived["tensors"][i], stated["tensors"][i], check);
    if (i > 0 && receipt.entries[i - 1].before.name >= name) {
      check->problems.push_back(absl::StrCat(name, ": stands twice or out of order"));
    }
  }
}

bool IsIn(const std::string& name, const std::string& part) {
  return absl::StartsWith(name, part + ".");
}

// Whether `plan` draws a tensor that the base model holds, or holds under this name.
bool IsFresh(const TrainingPlan& plan, const std::string& name, const Hashes& base) {
  if (plan.has_fresh_model() || base.count(name) == 0) return true;
  if (plan.random_backbone() && IsIn(name, "backbone")) return true;
  for (const std::string& part : plan.reset()) {
    if (IsIn(name, part)) return true;
  }
  return false;
}

void CheckDrawn(const Receipt& receipt, const TrainingPlan& plan, const Hashes& base,
                ReceiptCheck* check) {
  for (const ReceiptEntry& entry : receipt.entries) {
    const bool fresh = IsFresh(plan, entry.before.name, base);
    Differs(absl::StrCat(entry.before.name, ": drawn"), fresh ? "true" : "false",
            entry.fresh ? "true" : "false", check);
  }
}

// The stages that had begun: all of a run that was finished.
int64_t StagesOf(const Receipt& receipt, const TrainingPlan& plan) {
  const auto& unfinished = receipt.description.unfinished;
  return unfinished ? std::min<int64_t>(unfinished->stages, plan.stage_size()) : plan.stage_size();
}

// Roles are what the plan's stages train.
absl::Status CheckRoles(const Receipt& receipt, const TrainingPlan& plan, const Model& model,
                        ReceiptCheck* check) {
  std::set<std::string> trained;
  for (int i = 0; i < StagesOf(receipt, plan); ++i) {
    const Stage& stage = plan.stage(i);
    const std::vector<std::string> patterns(stage.trainable().begin(), stage.trainable().end());
    UNIVAL_ASSIGN_OR_RETURN(const TrainableSet set, SelectTrainable(model, patterns));
    trained.insert(set.names.begin(), set.names.end());
  }
  for (const ReceiptEntry& entry : receipt.entries) {
    Differs(absl::StrCat(entry.before.name, ": role"), RoleName(RoleOf(entry.before, trained)),
            RoleName(entry.role), check);
  }
  return absl::OkStatus();
}

// Where a run stopped is a place of its plan.
void CheckUnfinished(const ReceiptDescription& stated, const TrainingPlan& plan,
                     ReceiptCheck* check) {
  if (!stated.unfinished) return;
  int64_t planned = 0;
  for (const Stage& stage : plan.stage()) planned += stage.steps();
  Differs("unfinished.planned_steps", absl::StrCat(planned),
          absl::StrCat(stated.unfinished->planned_steps), check);
  const bool is_place = stated.unfinished->stages >= 0 &&
                        stated.unfinished->stages <= plan.stage_size() &&
                        stated.unfinished->steps >= 0 && stated.unfinished->steps <= planned;
  if (is_place) return;
  check->problems.push_back(absl::StrCat("unfinished: ", stated.unfinished->steps, " steps in ",
                                         stated.unfinished->stages,
                                         " stages is no place of the plan"));
}

void CheckPlanFields(const ReceiptDescription& stated, const TrainingPlan& plan,
                     const std::string& text, ReceiptCheck* check) {
  Differs("plan_sha256", Sha256Hex(text), stated.plan_sha256, check);
  Differs("plan", plan.name(), stated.plan_name, check);
  Differs("base_model", plan.model(), stated.base_model, check);
  Differs("seed", absl::StrCat(plan.seed()), absl::StrCat(stated.seed), check);
  Differs("stored_as", plan.save_half() ? "float16" : "float32",
          stated.stored_half ? "float16" : "float32", check);
  CheckUnfinished(stated, plan, check);
}

// The plan as it ran lies beside the receipt. Null when it does not.
absl::StatusOr<std::unique_ptr<TrainingPlan>> PlanBeside(const std::string& receipt_file,
                                                         const Receipt& receipt,
                                                         ReceiptCheck* check) {
  const std::string file = (fs::path(receipt_file).parent_path() / "plan.textproto").string();
  if (!IsThere(file)) {
    check->unproven.push_back(absl::StrCat(
        file,
        " is not there: plan, base model, seed, precision of storage and what was to be "
        "trained are the receipt's own word"));
    return std::unique_ptr<TrainingPlan>();
  }
  auto plan = std::make_unique<TrainingPlan>();
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file));
  UNIVAL_RETURN_IF_ERROR(ParseTextProto(text, file, plan.get()));
  CheckPlanFields(receipt.description, *plan, text, check);
  check->plan_compared = true;
  return plan;
}

// The last step of training in a model's lineage, which the receipt is about; null without one.
const Lineage* TrainingStep(const Manifest& manifest) {
  const Lineage* step = nullptr;
  for (const Lineage& lineage : manifest.lineage()) {
    if (lineage.command() == "train") step = &lineage;
  }
  return step;
}

// Does the trained model's lineage stop where the receipt says? Models of before such notes lack
// them.
void CompareLength(const Receipt& receipt, const Manifest& manifest, ReceiptCheck* check) {
  const Lineage* step = TrainingStep(manifest);
  const std::string found = step == nullptr ? "" : step->note();
  const std::string stated = NoteOf(receipt.description.unfinished);
  if (!found.empty()) {
    Differs("unfinished: the trained model's lineage", found, stated.empty() ? "nothing" : stated,
            check);
  } else if (!stated.empty()) {
    check->unproven.push_back(absl::StrCat("that the run ", stated,
                                           " is the receipt's own word: the model's lineage has "
                                           "no note of it"));
  }
}

// Does the trained model's manifest name the base model as its parent?
absl::Status CompareParent(const Receipt& receipt, const Manifest& manifest,
                           const std::string& base_directory, ReceiptCheck* check) {
  const std::set<std::string>& fresh = receipt.description.fresh;
  const auto first = fresh.lower_bound("backbone.");
  // Earlier manifests named a backbone of which parts had been fresh anew as it was then.
  if (first != fresh.end() && IsIn(*first, "backbone")) return absl::OkStatus();
  const Lineage* step = TrainingStep(manifest);
  if (step == nullptr || step->parent_backbone_sha256().empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const auto base, ModelDirectory::Open(base_directory));
  UNIVAL_ASSIGN_OR_RETURN(const bool is_parent,
                          NamesBackbone(step->parent_backbone_sha256(), *base));
  if (is_parent) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const std::string hash, BackboneSha256(*base));
  check->problems.push_back(absl::StrCat("lineage: parent_backbone_sha256: the trained model says ",
                                         step->parent_backbone_sha256(), ", the base model has ",
                                         hash));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ReceiptCheck> VerifyReceipt(const std::string& receipt_file,
                                           const std::string& model_directory,
                                           const std::string& base_directory,
                                           const Runtime& runtime) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(receipt_file));
  ReceiptCheck check;
  UNIVAL_ASSIGN_OR_RETURN(const Json stated, ParseAndCheckKeys(text, receipt_file, &check));
  UNIVAL_ASSIGN_OR_RETURN(const Receipt receipt, ReceiptOf(stated, receipt_file));
  check.tensors = static_cast<int64_t>(receipt.entries.size());
  CheckStatements(stated, receipt, &check);
  CheckRounding(receipt, &check);
  CheckFrozenEntries(receipt, &check);
  UNIVAL_ASSIGN_OR_RETURN(const auto plan, PlanBeside(receipt_file, receipt, &check));
  UNIVAL_ASSIGN_OR_RETURN(const auto model, LoadOrReport(model_directory, runtime, &check));
  Hashes hashes;
  if (model != nullptr) {
    hashes = ByName(HashState(*model));
    CompareWithModel(receipt, hashes, &check);
    CompareLength(receipt, model->manifest(), &check);
    if (plan != nullptr) UNIVAL_RETURN_IF_ERROR(CheckRoles(receipt, *plan, *model, &check));
  }
  if (!base_directory.empty()) {
    // As the run loaded it, since another input size interpolates positions.
    ModelLoadOptions load;
    if (plan != nullptr) load.input_sizes = {plan->input_size().begin(), plan->input_size().end()};
    UNIVAL_ASSIGN_OR_RETURN(const auto base, LoadOrReport(base_directory, runtime, &check, load));
    if (base != nullptr) {
      const Hashes was = ByName(HashState(*base, receipt.description.stored_half));
      CompareWithBase(receipt, hashes, was, &check);
      if (plan != nullptr) CheckDrawn(receipt, *plan, was, &check);
      check.base_compared = true;
      if (model != nullptr) {
        UNIVAL_RETURN_IF_ERROR(CompareParent(receipt, model->manifest(), base_directory, &check));
      }
    }
  }
  check.frozen_changed = static_cast<int64_t>(check.changed.size());
  return check;
}

}  // namespace unival
