#include "backbone/storage/adapter_copy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

constexpr auto ModalityId = [](const ModalityConfig& item) { return item.id(); };
constexpr auto OwnerId = [](const ConnectionConfig& item) { return item.modality(); };
constexpr auto RecordId = [](const AdapterRecord& item) { return AdapterId(item); };

template <typename Items, typename IdOf>
auto* FindById(Items* items, const std::string& id, IdOf&& id_of) {
  const auto found = std::find_if(items->begin(), items->end(),
                                  [&](const auto& item) { return id_of(item) == id; });
  return found == items->end() ? nullptr : &*found;
}

// Takes the one item of `id` from `from` into `to`, in place of one that is there.
template <typename Items, typename IdOf>
void Take(const Items& from, const std::string& id, IdOf id_of, Items* to) {
  const auto* item = FindById(&from, id, id_of);
  if (item == nullptr) return;
  auto* there = FindById(to, id, id_of);
  *(there == nullptr ? to->Add() : there) = *item;
}

// The record as `into` would write it: of its language model, and of the modality that the adapter
// works on there.
absl::StatusOr<AdapterRecord> RecordIn(const ModelDirectory& into, const AdapterRecord& record) {
  AdapterRecord expected = record;
  expected.set_d_model(into.manifest().backbone().d_model());
  expected.set_vocabulary_sha256(CoreVocabularySha256(into.manifest().vocabulary()));
  UNIVAL_ASSIGN_OR_RETURN(*expected.mutable_backbone_sha256(), BackboneSha256(into));
  if (!record.has_config() || record.config().modality().empty()) return expected;
  const std::string& modality = record.config().modality();
  const AdapterRecord* connection = FindAdapter(into.manifest(), modality);
  if (connection == nullptr) {
    return absl::NotFoundError(absl::StrCat(into.path(), ": modality \"", modality,
                                            "\": expected one, as adapter \"", AdapterId(record),
                                            "\" works on its connection, got none; copy it first"));
  }
  expected.set_feature_schema(connection->feature_schema());
  expected.set_feature_dim(connection->feature_dim());
  expected.set_encoder_sha256(connection->encoder_sha256());
  UNIVAL_ASSIGN_OR_RETURN(const std::string path, into.ComponentPath(AdapterComponentId(modality)));
  UNIVAL_ASSIGN_OR_RETURN(const auto file, TensorFile::Open(path));
  UNIVAL_ASSIGN_OR_RETURN(*expected.mutable_connection_sha256(), TensorsSha256AsLoaded(*file));
  return expected;
}

absl::StatusOr<Manifest> Joined(const AdapterCopy& copy, const ModelDirectory& from,
                                const ModelDirectory& into) {
  const std::string& id = copy.modality;
  const AdapterRecord* record = FindAdapter(from.manifest(), id);
  if (record == nullptr) {
    return absl::NotFoundError(
        absl::StrCat(from.path(), ": modality \"", id,
                     "\": expected a trained connection or an adapter of that id, got none; ",
                     "`unival inspect` and `unival adapter list` show what the model has"));
  }
  const bool there = FindById(&into.manifest().modality(), id, ModalityId) != nullptr ||
                     into.HasComponent(ModalityComponentId(id)) ||
                     into.HasComponent(AdapterComponentId(id));
  if (there && !copy.replace) {
    return absl::AlreadyExistsError(absl::StrCat(into.path(), ": modality \"", id,
                                                 "\" is there already; --replace takes ",
                                                 "the one of ", from.path(), " in its place"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const AdapterRecord expected, RecordIn(into, *record));
  const absl::Status fits = CheckAdapter(
      *record, expected, absl::StrCat(from.path(), " in ", into.path()), {copy.allow_mismatch});
  if (!fits.ok()) {
    return WithMessage(fits, absl::StrCat(fits.message(), "; train the connection on ", into.path(),
                                          ", or take it as it is with --allow_adapter_mismatch"));
  }
  Manifest manifest = into.manifest();
  Take(from.manifest().modality(), id, ModalityId, manifest.mutable_modality());
  Take(from.manifest().connection(), id, OwnerId, manifest.mutable_connection());
  Take(from.manifest().adapter(), id, RecordId, manifest.mutable_adapter());
  if (copy.template_set_hash) manifest.set_template_set_hash(*copy.template_set_hash);
  Lineage& lineage = *manifest.add_lineage();
  lineage.set_command(absl::StrCat("adapter copy ", id, " from ", from.manifest().name()));
  if (record->backbone_sha256() != expected.backbone_sha256()) {
    lineage.set_note(absl::StrCat("trained against the backbone ", record->backbone_sha256()));
    AdapterRecord& taken = *FindById(manifest.mutable_adapter(), id, RecordId);
    taken.set_backbone_sha256(expected.backbone_sha256());
    if (taken.has_config()) taken = expected;
  }
  return manifest;
}

std::vector<std::string> MissingBlocks(const Manifest& from, const Manifest& into) {
  std::vector<std::string> missing;
  for (const VocabularyBlock& block : from.vocabulary().blocks()) {
    if (block.retired() || FindBlock(into.vocabulary(), block.id()) != nullptr) continue;
    missing.push_back(block.id());
  }
  return missing;
}

absl::StatusOr<AdapterCopyResult> Copy(const AdapterCopy& copy) {
  const std::string output = copy.output.empty() ? copy.into : copy.output;
  UNIVAL_ASSIGN_OR_RETURN(const auto from, ModelDirectory::Open(copy.from));
  UNIVAL_ASSIGN_OR_RETURN(const auto into, ModelDirectory::Open(copy.into));
  UNIVAL_ASSIGN_OR_RETURN(const Manifest manifest, Joined(copy, *from, *into));
  UNIVAL_ASSIGN_OR_RETURN(
      auto writer, ModelDirectoryWriter::Create(output, {/*overwrite=*/output == copy.into}));
  const std::string parts[] = {ModalityComponentId(copy.modality),
                               AdapterComponentId(copy.modality)};
  for (const std::string& id : into->ComponentIds()) {
    const bool stays = id != parts[0] && id != parts[1] && copy.folders.count(id) == 0;
    if (stays) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*into, id));
  }
  for (const auto& [id, files] : copy.folders) UNIVAL_RETURN_IF_ERROR(writer->AddFolder(id, files));
  for (const std::string& id : parts) {
    if (from->HasComponent(id)) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*from, id));
  }
  UNIVAL_RETURN_IF_ERROR(writer->Commit(manifest));
  return AdapterCopyResult{output, into->manifest().name(),
                           MissingBlocks(from->manifest(), into->manifest())};
}

}  // namespace

absl::StatusOr<AdapterCopyResult> CopyAdapter(const AdapterCopy& copy) {
  return CatchTorch(copy.into, [&] { return Copy(copy); });
}

}  // namespace unival
