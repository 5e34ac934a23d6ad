// unival: layouts.h - the layouts of publishers that `unival data import` reads, each in its file.
// Adding one: its file, its line here, in the table of import.cc, and in BUILD.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_LAYOUTS_H_
#define UNIVAL_TRAINING_DATA_IMPORT_LAYOUTS_H_

#include "absl/status/statusor.h"
#include "training/data/import/import.h"

namespace unival {

struct ImportLayout {
  ImportLayoutInfo info;
  // What records call the folder by default; empty where media are packed.
  const char* media_root;
  // The options are those of ImportDataset with `media_root` filled in.
  absl::StatusOr<ImportReport> (*run)(const ImportOptions& options);
};

ImportLayout FsddLayout();
ImportLayout Cifar10Layout();
ImportLayout FolderLayout();
ImportLayout CocoCaptionsLayout();
ImportLayout CocoInstancesLayout();
ImportLayout KarpathyLayout();
ImportLayout VqaLayout();
ImportLayout RefCocoLayout();
ImportLayout RefCocoPlusLayout();
ImportLayout RefCocoGLayout();
ImportLayout VisualGenomeLayout();
ImportLayout VisualGenomeQaLayout();
ImportLayout SnliVeLayout();
ImportLayout NlvrLayout();
ImportLayout MsrvttLayout();
ImportLayout MsvdLayout();
ImportLayout ActivityNetLayout();
ImportLayout AudioCapsLayout();
ImportLayout ClothoLayout();
ImportLayout ConceptualCaptionsLayout();

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_LAYOUTS_H_
