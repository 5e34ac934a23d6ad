#include "training/data/import/import.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
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
    return layout.run(filled);
  }
  return InvalidArgument("unknown data set \"", options.dataset, "\"; expected one of ",
                         absl::StrJoin(ImportDatasets(), ", "));
}

}  // namespace unival
