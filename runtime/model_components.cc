#include "runtime/model_components.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/string_view.h"
#include "backbone/connection/connection.h"
#include "backbone/model/model_config.h"
#include "backbone/storage/model_parts.h"
#include "backbone/storage/safetensors_header.h"
#include "runtime/memory_budget.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// A model takes about as much as its files, twice that where they are float16, and for a moment the
// embedding once more.
constexpr int64_t kTimesOfFiles = 4, kBesides = int64_t{256} << 20;

// What the tensors of a component are, by the header of its file; nothing else is read. No error of
// a file that is missing or damaged: whoever loads it says that better.
SafetensorsHeader HeaderOf(const ModelDirectory& directory, const std::string& component) {
  const auto file = MappedFile::Open(directory.FileOf(component));
  if (!file.ok()) return {};
  const absl::StatusOr<SafetensorsHeader> header = ParseSafetensorsHeader((*file)->bytes());
  return header.ok() && (*file)->Check().ok() ? *header : SafetensorsHeader();
}

absl::Status CheckConnectionShape(const ModelDirectory& directory,
                                  const ConnectionConfig& connection, absl::string_view field,
                                  const std::string& tensor, const std::vector<int64_t>& expected) {
  const std::string id = AdapterComponentId(connection.modality());
  const auto tensors = HeaderOf(directory, id).tensors;
  const auto found = tensors.find(tensor);
  if (found == tensors.end() || found->second.shape == expected) return absl::OkStatus();
  return InvalidArgument("connection of modality \"", connection.modality(), "\": ", field,
                         ": expected ", tensor, " of shape ", ShapeText(found->second.shape),
                         ", as ", directory.FileOf(id), " has, got ", ShapeText(expected));
}

}  // namespace

absl::Status CheckShapes(const ModelDirectory& directory) {
  const Manifest& manifest = directory.manifest();
  UNIVAL_RETURN_IF_ERROR(ValidateBackboneConfig(manifest.backbone()));
  int64_t elements = 0;
  for (const auto& [name, entry] : HeaderOf(directory, "backbone").tensors) {
    elements += (entry.end - entry.begin) / DtypeSize(entry.dtype);
  }
  const int64_t least = LeastBackboneElements(manifest.backbone());
  // Where less is missing, the tensors are compared one by one when they are loaded.
  if (elements > 0 && least > kTimesOfFiles * elements + kBesides) {
    return InvalidArgument("backbone: expected a file of at least ", least,
                           " numbers, as this configuration has, got ", elements, " in ",
                           directory.FileOf("backbone"), "; restore the manifest of these files");
  }
  for (const ConnectionConfig& connection : manifest.connection()) {
    const int64_t d = manifest.backbone().d_model(), maps = connection.position_maps();
    UNIVAL_RETURN_IF_ERROR(
        CheckConnectionShape(directory, connection, "position_rows", "positions",
                             {PositionRows(connection, manifest.backbone()), d}));
    if (maps <= 1) continue;  // one that does not fit is found when the tensors are loaded
    UNIVAL_RETURN_IF_ERROR(CheckConnectionShape(directory, connection, "position_maps", "weight",
                                                {maps, d, connection.feature_dim()}));
  }
  return absl::OkStatus();
}

std::vector<std::string> WeightComponents(const Manifest& manifest,
                                          const std::vector<std::string>& modalities) {
  std::vector<std::string> ids = {"backbone"};
  for (const VocabularyBlock& block : manifest.vocabulary().blocks()) {
    ids.push_back(TokensComponentId(block.id()));
  }
  for (const std::string& id : modalities) {
    ids.push_back(ModalityComponentId(id));
    ids.push_back(AdapterComponentId(id));
  }
  return ids;
}

int64_t LoadBudget(const ModelDirectory& directory) {
  int64_t bytes = kBesides;
  for (const std::string& id : directory.ComponentIds()) {
    std::error_code error;
    const auto size = std::filesystem::file_size(directory.FileOf(id), error);
    if (!error) bytes += kTimesOfFiles * static_cast<int64_t>(size);
  }
  return std::min(bytes, MachineMemory());
}

}  // namespace unival
