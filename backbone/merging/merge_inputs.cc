// The models of a merge: their lineages, and one manifest of all.
#include "backbone/merging/merge_inputs.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// FailedPrecondition where an adapter was trained against another backbone than the model has:
// somebody changed the backbone afterwards.
absl::Status CheckAdapters(const MergeInput& input) {
  for (const AdapterRecord& record : input.manifest().adapter()) {
    if (record.backbone_sha256() == input.backbone_sha256) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        input.path(), record.has_config() ? ": adapter \"" : ": adapter of modality \"",
        AdapterId(record), "\": backbone_sha256: ", "expected the backbone that the model has, ",
        input.backbone_sha256, ", got ", record.backbone_sha256(),
        "; its weights were changed after they were trained"));
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

// The configuration without dropout rates. The rest decides what weights mean, so it must be equal
// in all models; dropout rates may differ.
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

// The hashes of the template sets of both, each once. A model that has sets and names no hashes is
// of an earlier version: then it cannot be said of the merged one either.
std::string JoinedSetHashes(const std::string& joined, const MergeInput& other) {
  const std::string& more = other.manifest().template_set_hash();
  if (joined.empty() || (more.empty() && other.directory->HasComponent("templates"))) return "";
  std::vector<std::string> hashes = absl::StrSplit(joined, ' ', absl::SkipEmpty());
  for (absl::string_view hash : absl::StrSplit(more, ' ', absl::SkipEmpty())) {
    if (!absl::c_linear_search(hashes, hash)) hashes.emplace_back(hash);
  }
  return absl::StrJoin(hashes, " ");
}

}  // namespace

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
    joined.set_template_set_hash(JoinedSetHashes(joined.template_set_hash(), *other));
    UNIVAL_RETURN_IF_ERROR(JoinVocabulary(first, *other, joined.mutable_vocabulary()));
    UNIVAL_RETURN_IF_ERROR(Join(
        manifest.modality(), [](const auto& item) { return item.id(); }, "modality", first, *other,
        joined.mutable_modality()));
    UNIVAL_RETURN_IF_ERROR(Join(
        manifest.connection(), [](const auto& item) { return item.modality(); },
        "connection of modality", first, *other, joined.mutable_connection()));
    for (const AdapterRecord& record : manifest.adapter()) {
      const AdapterRecord* there = FindAdapter(joined, AdapterId(record));
      if (there == nullptr) {
        *joined.add_adapter() = record;
        continue;
      }
      UNIVAL_RETURN_IF_ERROR(CheckSame(there->config(), record.config(),
                                       absl::StrCat("adapter \"", AdapterId(record), "\""), first,
                                       *other));
    }
  }
  return joined;
}

}  // namespace unival
