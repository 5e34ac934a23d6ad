#include "training/data/import/import.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/files.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/layouts.h"

namespace unival {
namespace {

const std::vector<ImportLayout>& Layouts() {
  static const auto* const kLayouts = new std::vector<ImportLayout>{
      FsddLayout(),          Cifar10Layout(),   FolderLayout(),       CocoCaptionsLayout(),
      CocoInstancesLayout(), KarpathyLayout(),  VqaLayout(),          RefCocoLayout(),
      RefCocoPlusLayout(),   RefCocoGLayout(),  VisualGenomeLayout(), VisualGenomeQaLayout(),
      SnliVeLayout(),        NlvrLayout(),      MsrvttLayout(),       MsvdLayout(),
      ActivityNetLayout(),   AudioCapsLayout(), ClothoLayout(),       ConceptualCaptionsLayout()};
  return *kLayouts;
}

absl::Status CheckSource(const ImportOptions& options, const ImportLayoutInfo& layout) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_type type = fs::status(options.source, error).type();
  if (type == fs::file_type::directory) return absl::OkStatus();
  if (type == fs::file_type::none) {
    return SystemError(options.source, "cannot be opened", error.value());
  }
  return absl::NotFoundError(
      absl::StrCat(options.source, ": no such folder; expected one that holds ", layout.folder));
}

}  // namespace

std::vector<ImportLayoutInfo> ImportLayouts() {
  std::vector<ImportLayoutInfo> all;
  for (const ImportLayout& layout : Layouts()) all.push_back(layout.info);
  return all;
}

std::vector<std::string> ImportDatasets() {
  std::vector<std::string> names;
  for (const ImportLayout& layout : Layouts()) names.push_back(layout.info.name);
  return names;
}

absl::StatusOr<ImportReport> ImportDataset(const ImportOptions& options) {
  for (const ImportLayout& layout : Layouts()) {
    if (layout.info.name != options.dataset) continue;
    if (!absl::EndsWith(options.destination, layout.info.writes)) {
      return InvalidArgument(options.destination, ": ", options.dataset, " is written as *",
                             layout.info.writes, "; give the file such a name");
    }
    ImportOptions filled = options;
    if (filled.media_root.empty()) filled.media_root = layout.media_root;
    if (!filled.media_root.empty() && !IsId(filled.media_root)) {
      return InvalidArgument("media root \"", filled.media_root, "\": expected a name of the form ",
                             kIdForm);
    }
    UNIVAL_RETURN_IF_ERROR(CheckSource(filled, layout.info));
    return layout.run(filled);
  }
  return InvalidArgument("unknown data set \"", options.dataset, "\"; expected one of ",
                         absl::StrJoin(ImportDatasets(), ", "));
}

}  // namespace unival
