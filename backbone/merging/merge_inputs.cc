// What models must have in common to be merged, in one piece.
#include "backbone/merging/merge_inputs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dot.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr char kModality[] = "modality.", kAdapter[] = "adapter.", kTokens[] = "tokens.";

// Trained from one model, matrices keep most of their direction: cosines of 0.9 and more are usual,
// while independent draws of n numbers have about 1 / sqrt(n).
constexpr double kLeastCosine = 0.25;
constexpr int64_t kLeastNumbers = 256;  // fewer may turn anywhere

bool HoldsTensors(absl::string_view id) {
  return id == "backbone" || absl::StartsWith(id, kModality) || absl::StartsWith(id, kAdapter) ||
         absl::StartsWith(id, kTokens);
}

// An adapter that was trained against other weights than the model has: somebody changed them.
absl::Status CheckAdapters(const MergeInput& input) {
  for (const AdapterRecord& record : input.manifest().adapter()) {
    if (record.backbone_sha256() == input.backbone_sha256) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        input.path(), ": adapter of modality \"", record.modality(), "\": backbone_sha256: ",
        "expected the backbone that the model has, ", input.backbone_sha256, ", got ",
        record.backbone_sha256(), "; its weights were changed after they were trained"));
  }
  return absl::OkStatus();
}

absl::StatusOr<MergeInput> OpenInput(const std::string& path, bool allow_unrelated) {
  MergeInput input;
  UNIVAL_ASSIGN_OR_RETURN(input.directory, ModelDirectory::Open(path));
  UNIVAL_ASSIGN_OR_RETURN(input.backbone_sha256, BackboneSha256(*input.directory));
  if (!allow_unrelated) UNIVAL_RETURN_IF_ERROR(CheckAdapters(input));
  return input;
}

// As text, where the messages differ; empty where they are the same.
std::string DifferencesOf(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  google::protobuf::util::MessageDifferencer differ;
  differ.set_message_field_comparison(google::protobuf::util::MessageDifferencer::EQUIVALENT);
  std::string text;
  differ.ReportDifferencesToString(&text);
  if (differ.Compare(a, b)) return "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

absl::Status CheckSame(const google::protobuf::Message& a, const google::protobuf::Message& b,
                       absl::string_view what, const MergeInput& first, const MergeInput& other) {
  const std::string differences = DifferencesOf(a, b);
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(other.path(), ": ", what, ": expected the one of ", first.path(),
                   ", got another:\n  ", absl::StrReplaceAll(differences, {{"\n", "\n  "}})));
}

// What changes the meaning of weights; how much is dropped in training does not.
BackboneConfig WithoutRegularisation(BackboneConfig config) {
  config.clear_dropout();
  config.clear_attention_dropout();
  config.clear_encoder_drop_path();
  config.clear_decoder_drop_path();
  return config;
}

absl::Status CheckSameTokenizer(const MergeInput& first, const MergeInput& other) {
  UNIVAL_RETURN_IF_ERROR(CheckSame(first.manifest().tokenizer(), other.manifest().tokenizer(),
                                   "tokenizer", first, other));
  UNIVAL_ASSIGN_OR_RETURN(const std::string expected,
                          first.directory->ComponentSha256("tokenizer"));
  UNIVAL_ASSIGN_OR_RETURN(const std::string actual, other.directory->ComponentSha256("tokenizer"));
  if (expected == actual) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(other.path(), ": tokenizer: expected the files of ", first.path(), " (sha256 ",
                   expected, "), got others (", actual, "); their tokens mean other words"));
}

// Adds what `other` has and `joined` lacks; what both have must be the same.
template <typename Items, typename IdOf>
absl::Status Join(const Items& other, IdOf id_of, absl::string_view what, const MergeInput& first,
                  const MergeInput& from, Items* joined) {
  for (const auto& item : other) {
    const auto there = std::find_if(joined->begin(), joined->end(),
                                    [&](const auto& one) { return id_of(one) == id_of(item); });
    if (there == joined->end()) {
      *joined->Add() = item;
      continue;
    }
    UNIVAL_RETURN_IF_ERROR(
        CheckSame(*there, item, absl::StrCat(what, " \"", id_of(item), "\""), first, from));
  }
  return absl::OkStatus();
}

absl::Status JoinVocabulary(const MergeInput& first, const MergeInput& other,
                            VocabularyLayout* layout) {
  std::vector<BlockSpec> added;
  for (const VocabularyBlock& block : other.manifest().vocabulary().blocks()) {
    const VocabularyBlock* there = FindBlock(*layout, block.id());
    if (there == nullptr) {
      added.push_back({block.id(), BlockSize(block), block.content_hash(), block.owner()});
    } else if (BlockSize(*there) != BlockSize(block) ||
               there->content_hash() != block.content_hash()) {
      return absl::FailedPreconditionError(absl::StrCat(
          other.path(), ": vocabulary block \"", block.id(), "\": expected ", BlockSize(*there),
          " tokens (\"", there->content_hash(), "\") as in ", first.path(), ", got ",
          BlockSize(block), " (\"", block.content_hash(), "\")"));
    }
  }
  if (added.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(*layout, Annotate(AddBlocks(*layout, added), other.path()));
  return absl::OkStatus();
}

std::string Text(const SafetensorsEntry& entry) {
  return absl::StrCat(DtypeName(entry.dtype), " ", ShapeText(entry.shape));
}

bool IsFloating(SafetensorsDtype dtype) {
  return dtype == SafetensorsDtype::kF64 || dtype == SafetensorsDtype::kF32 ||
         dtype == SafetensorsDtype::kF16 || dtype == SafetensorsDtype::kBF16;
}

bool Mixes(const SafetensorsEntry& a, const SafetensorsEntry& b) {
  return a.shape == b.shape && (a.dtype == b.dtype || (IsFloating(a.dtype) && IsFloating(b.dtype)));
}

// How `other` differs from `first`, a line for each tensor.
std::vector<std::string> TensorDifferences(const MergePart& part, const TensorFile& first,
                                           const TensorFile& other) {
  std::vector<std::string> lines;
  for (const auto& [name, entry] : first.tensors()) {
    const auto found = other.tensors().find(name);
    if (found == other.tensors().end()) {
      lines.push_back(absl::StrCat(part.FullName(name), ": ", Text(entry), " in ", first.path(),
                                   ", missing in ", other.path()));
    } else if (!Mixes(entry, found->second)) {
      lines.push_back(absl::StrCat(part.FullName(name), ": ", Text(entry), " in ", first.path(),
                                   ", ", Text(found->second), " in ", other.path()));
    }
  }
  for (const auto& [name, entry] : other.tensors()) {
    if (first.tensors().count(name) > 0) continue;
    lines.push_back(absl::StrCat(part.FullName(name), ": missing in ", first.path(), ", ",
                                 Text(entry), " in ", other.path()));
  }
  return lines;
}

absl::Status ComparePart(const MergePart& part, std::vector<std::string>* lines) {
  std::vector<const TensorFile*> others;
  for (size_t i = 1; i < part.files.size(); ++i) others.push_back(part.files[i].get());
  if (part.base != nullptr) others.push_back(part.base.get());
  for (const TensorFile* other : others) {
    for (std::string& line : TensorDifferences(part, *part.files[0], *other)) {
      lines->push_back(std::move(line));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TensorFile>> OpenPart(const MergeInput& input,
                                                           const std::string& id) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string path, input.directory->ComponentPath(id));
  return TensorFile::Open(path);
}

absl::StatusOr<MergePart> OpenPart(const MergeInputs& inputs, const std::string& id,
                                   bool needs_base) {
  MergePart part;
  part.id = id;
  for (size_t i = 0; i < inputs.models.size(); ++i) {
    if (!inputs.models[i].directory->HasComponent(id)) continue;
    part.owners.push_back(i);
    UNIVAL_ASSIGN_OR_RETURN(part.files.emplace_back(), OpenPart(inputs.models[i], id));
  }
  if (needs_base && inputs.base && inputs.base->directory->HasComponent(id)) {
    UNIVAL_ASSIGN_OR_RETURN(part.base, OpenPart(*inputs.base, id));
  }
  return part;
}

// In the order in which they first appear.
std::vector<std::string> TensorComponents(const MergeInputs& inputs) {
  std::vector<std::string> ids;
  std::set<std::string> seen;
  for (const MergeInput& input : inputs.models) {
    for (const std::string& id : input.directory->ComponentIds()) {
      if (HoldsTensors(id) && seen.insert(id).second) ids.push_back(id);
    }
  }
  return ids;
}

absl::StatusOr<double> Cosine(const TensorFile& a, const TensorFile& b, const std::string& name) {
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor first, a.Read(name));
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor second, b.Read(name));
  return CatchTorch(name, [&] {
    const at::Tensor x = first.reshape(-1).to(at::kFloat), y = second.reshape(-1).to(at::kFloat);
    const double norms = std::sqrt(x.dot(x).item<double>()) * std::sqrt(y.dot(y).item<double>());
    return norms > 0 ? x.dot(y).item<double>() / norms : 1;
  });
}

}  // namespace

std::string MergePart::FullName(const std::string& tensor) const {
  if (absl::StartsWith(id, kTokens)) return absl::StrCat("backbone.", kTokenEmbedding);
  absl::string_view owner = id;
  if (absl::ConsumePrefix(&owner, kAdapter)) return absl::StrCat("connection.", owner, ".", tensor);
  return absl::StrCat(id, ".", tensor);
}

absl::StatusOr<MergeInputs> OpenMergeInputs(const MergeOptions& options) {
  MergeInputs inputs;
  std::vector<Descent> models;
  for (const std::string& path : options.models) {
    UNIVAL_ASSIGN_OR_RETURN(inputs.models.emplace_back(), OpenInput(path, options.allow_unrelated));
  }
  for (const MergeInput& input : inputs.models) models.push_back(input.descent());
  if (!options.base.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(inputs.base, OpenInput(options.base, options.allow_unrelated));
  }
  const absl::StatusOr<std::string> ancestor = CommonAncestor(models);
  if (ancestor.ok()) inputs.ancestor_sha256 = *ancestor;
  if (inputs.base) inputs.ancestor_sha256 = inputs.base->backbone_sha256;
  if (options.allow_unrelated) return inputs;
  UNIVAL_RETURN_IF_ERROR(ancestor.status());
  if (inputs.base) UNIVAL_RETURN_IF_ERROR(CheckDescendsFrom(inputs.base->descent(), models));
  return inputs;
}

absl::StatusOr<Manifest> JoinedManifest(const MergeInputs& inputs) {
  const MergeInput& first = inputs.models.front();
  Manifest joined = first.manifest();
  std::vector<const MergeInput*> others;
  for (size_t i = 1; i < inputs.models.size(); ++i) others.push_back(&inputs.models[i]);
  for (const MergeInput* other : others) {
    const Manifest& manifest = other->manifest();
    UNIVAL_RETURN_IF_ERROR(CheckSame(WithoutRegularisation(first.manifest().backbone()),
                                     WithoutRegularisation(manifest.backbone()), "backbone", first,
                                     *other));
    UNIVAL_RETURN_IF_ERROR(CheckSameTokenizer(first, *other));
    UNIVAL_RETURN_IF_ERROR(JoinVocabulary(first, *other, joined.mutable_vocabulary()));
    UNIVAL_RETURN_IF_ERROR(Join(
        manifest.modality(), [](const auto& item) { return item.id(); }, "modality", first, *other,
        joined.mutable_modality()));
    UNIVAL_RETURN_IF_ERROR(Join(
        manifest.connection(), [](const auto& item) { return item.modality(); },
        "connection of modality", first, *other, joined.mutable_connection()));
    for (const AdapterRecord& record : manifest.adapter()) {
      if (FindAdapter(joined, record.modality()) == nullptr) *joined.add_adapter() = record;
    }
  }
  return joined;
}

absl::StatusOr<std::vector<MergePart>> ComparedParts(const MergeInputs& inputs, bool needs_base) {
  constexpr size_t kMostLines = 20;
  std::vector<MergePart> parts;
  std::vector<std::string> lines;
  for (const std::string& id : TensorComponents(inputs)) {
    UNIVAL_ASSIGN_OR_RETURN(parts.emplace_back(), OpenPart(inputs, id, needs_base));
    UNIVAL_RETURN_IF_ERROR(ComparePart(parts.back(), &lines));
  }
  if (lines.empty()) return parts;
  const size_t count = lines.size();
  lines.resize(std::min(count, kMostLines));
  if (count > kMostLines) lines.push_back(absl::StrCat("and ", count - kMostLines, " more"));
  return absl::FailedPreconditionError(absl::StrCat(
      "expected models with the same tensors, got ", count,
      count == 1 ? " that differs" : " that differ", ":\n  ", absl::StrJoin(lines, "\n  ")));
}

absl::Status CheckWeightsAreRelated(const MergeInputs& inputs, const MergePart& backbone) {
  for (size_t i = 1; i < backbone.files.size(); ++i) {
    std::vector<std::string> lines;
    for (const auto& [name, entry] : backbone.files[0]->tensors()) {
      const int64_t numbers = (entry.end - entry.begin) / DtypeSize(entry.dtype);
      if (entry.shape.size() < 2 || numbers < kLeastNumbers || !IsFloating(entry.dtype)) continue;
      UNIVAL_ASSIGN_OR_RETURN(const double cosine,
                              Cosine(*backbone.files[0], *backbone.files[i], name));
      if (cosine >= kLeastCosine) continue;
      lines.push_back(absl::StrFormat("%s: cosine %.3f", backbone.FullName(name), cosine));
    }
    if (lines.empty()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        inputs.models[backbone.owners[i]].path(),
        ": expected weights that were trained from the "
        "same ones as those of ",
        inputs.models[backbone.owners[0]].path(), ", got ", lines.size(),
        " matrices in another direction: drawn apart, or with their rows in another order. Number "
        "by number they cannot be mixed; --allow_unrelated does it all the same:\n  ",
        absl::StrJoin(lines, "\n  ")));
  }
  return absl::OkStatus();
}

}  // namespace unival
