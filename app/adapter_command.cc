// unival adapter copy FROM MODALITY INTO: takes a trained modality over into another model
// directory.

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "app/commands.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

struct AdapterArguments {
  std::string from, modality, into, output;
  bool replace = false, allow_mismatch = false;
};

constexpr auto ModalityId = [](const ModalityConfig& item) { return item.id(); };
// Of connections and adapters.
constexpr auto OwnerId = [](const auto& item) { return item.modality(); };

template <typename Items, typename IdOf>
auto* FindById(Items* items, const std::string& id, IdOf&& id_of) {
  const auto found = std::find_if(items->begin(), items->end(), [&](const auto& item) { return id_of(item) == id; });
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

absl::StatusOr<Manifest> Joined(const AdapterArguments& arguments, const ModelDirectory& from,
                                const ModelDirectory& into) {
  const std::string& id = arguments.modality;
  const AdapterRecord* record = FindAdapter(from.manifest(), id);
  if (record == nullptr) {
    return absl::NotFoundError(absl::StrCat(from.path(), ": modality \"", id,
                                            "\": expected a trained connection, got none; ",
                                            "`unival inspect` lists what the model has"));
  }
  const bool there = FindById(&into.manifest().modality(), id, ModalityId) != nullptr ||
                     into.HasComponent(ModalityComponentId(id)) || into.HasComponent(AdapterComponentId(id));
  if (there && !arguments.replace) {
    return absl::AlreadyExistsError(absl::StrCat(into.path(), ": modality \"", id,
                                                 "\" is there already; --replace takes ", "the one of ", from.path(),
                                                 " in its place"));
  }
  AdapterRecord expected = *record;
  expected.set_d_model(into.manifest().backbone().d_model());
  UNIVAL_ASSIGN_OR_RETURN(*expected.mutable_backbone_sha256(), BackboneSha256(into));
  const absl::Status fits =
      CheckAdapter(*record, expected, absl::StrCat(from.path(), " in ", into.path()), {arguments.allow_mismatch});
  if (!fits.ok()) {
    return WithMessage(fits, absl::StrCat(fits.message(), "; train the connection on ", into.path(),
                                                  ", or take it as it is with --allow_adapter_mismatch"));
  }
  Manifest manifest = into.manifest();
  Take(from.manifest().modality(), id, ModalityId, manifest.mutable_modality());
  Take(from.manifest().connection(), id, OwnerId, manifest.mutable_connection());
  Take(from.manifest().adapter(), id, OwnerId, manifest.mutable_adapter());
  Lineage& lineage = *manifest.add_lineage();
  lineage.set_command(absl::StrCat("adapter copy ", id, " from ", from.manifest().name()));
  if (record->backbone_sha256() != expected.backbone_sha256()) {
    lineage.set_note(absl::StrCat("trained against the backbone ", record->backbone_sha256()));
    FindById(manifest.mutable_adapter(), id, OwnerId)->set_backbone_sha256(expected.backbone_sha256());
  }
  return manifest;
}

// Names the vocabulary blocks that FROM has and INTO lacks: the connection may have been trained to
// answer with their tokens.
void TellMissingBlocks(const Manifest& from, const Manifest& into) {
  for (const VocabularyBlock& block : from.vocabulary().blocks()) {
    if (FindBlock(into.vocabulary(), block.id()) != nullptr || block.retired()) continue;
    std::cerr << "unival: note: block \"" << block.id() << "\" is not in the vocabulary of " << into.name()
              << "; tasks that need it: `unival vocab add`\n";
  }
}

absl::Status Copy(const AdapterArguments& arguments) {
  const std::string output = arguments.output.empty() ? arguments.into : arguments.output;
  UNIVAL_ASSIGN_OR_RETURN(const auto from, ModelDirectory::Open(arguments.from));
  UNIVAL_ASSIGN_OR_RETURN(const auto into, ModelDirectory::Open(arguments.into));
  UNIVAL_ASSIGN_OR_RETURN(const Manifest manifest, Joined(arguments, *from, *into));
  UNIVAL_ASSIGN_OR_RETURN(auto writer, ModelDirectoryWriter::Create(output, {/*overwrite=*/output == arguments.into}));
  const std::string parts[] = {ModalityComponentId(arguments.modality), AdapterComponentId(arguments.modality)};
  for (const std::string& id : into->ComponentIds()) {
    if (id != parts[0] && id != parts[1]) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*into, id));
  }
  for (const std::string& id : parts) {
    if (from->HasComponent(id)) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(*from, id));
  }
  UNIVAL_RETURN_IF_ERROR(writer->Commit(manifest));
  TellMissingBlocks(from->manifest(), into->manifest());
  std::cout << output << ": holds modality \"" << arguments.modality << "\" of " << arguments.from << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddAdapterCommand(Command& program) {
  Command& adapter =
      program.AddCommand("adapter", "Move trained modalities between model directories");
  Command& copy = adapter.AddCommand(
      "copy", "Take a modality, its encoder and its connection over into another model");
  auto arguments = std::make_shared<AdapterArguments>();
  copy.AddPositional("from", &arguments->from, "Model directory that holds it");
  copy.AddPositional("modality", &arguments->modality, "Modality id");
  copy.AddPositional(
      "into", &arguments->into,
      "Model directory with the same language model; its vocabulary may have other blocks");
  copy.AddOption("--output", &arguments->output,
                 "Model directory to write (default: INTO itself, in one step)");
  copy.AddFlag("--replace", &arguments->replace, "Take it in the place of one that INTO has");
  copy.AddFlag(
      "--allow_adapter_mismatch", &arguments->allow_mismatch,
      "Also when it was trained against other weights; that is written down in the manifest");
  copy.SetFooter("Example: unival adapter copy runs/depth/model depth models/mine");
  copy.OnRun([arguments] { return CatchTorch(arguments->into, [&] { return Copy(*arguments); }); });
}

}  // namespace unival
