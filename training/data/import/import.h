// unival: import.h
//
// Brings a data set from its publisher's layout into a file that sources read: records as JSONL
// that name the media where they lie, or for small media one tar shard.
//
//   ImportOptions options;
//   options.dataset = "coco-captions";
//   options.source = "coco";                       // holds annotations/ and train2014/
//   options.destination = "coco/captions.jsonl";
//   options.split = "train";
//   UNIVAL_ASSIGN_OR_RETURN(ImportReport report, ImportDataset(options));
//
// Which data sets there are, and what their folders must look like: ImportLayouts(), which the help
// of `unival data import` prints. Boxes are pixels x0, y0, x1, y1, x to the right and y down,
// whatever the publisher writes.
#ifndef UNIVAL_TRAINING_DATA_IMPORT_IMPORT_H_
#define UNIVAL_TRAINING_DATA_IMPORT_IMPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

struct ImportOptions {
  std::string dataset;      // one of ImportDatasets()
  std::string source;       // folder
  std::string destination;  // *.jsonl or *.tar, as the data set's layout says
  // Of the data set: "all", "train", "test", "val2017", ... With "all", a split whose media are
  // those of another that is there is left out, and the report says so.
  std::string split = "all";
  // What the records call the source folder ("coco:train2014/7.jpg") where the destination does not
  // lie above it; the data set's own name for it when empty.
  std::string media_root;
  std::function<void(int64_t records)> progress;  // called now and then; may be empty
};

struct ImportReport {
  // What was left out, or changed, for one reason.
  struct LeftOut {
    int64_t count = 0;
    std::vector<std::string> examples;  // the first few
  };

  int64_t samples = 0;
  int64_t bytes = 0;       // of media, where they were packed
  std::string media_root;  // the name that readers must be told; empty: paths are relative
  std::map<std::string, LeftOut> left_out;  // by reason
  std::map<std::string, LeftOut> changed;   // written otherwise than the publisher has it
  // "PATH: why" of what lay where media are packed and is no data: pipes and devices, links to
  // nothing, folders where files are expected. What systems leave behind and texts about the data
  // are not named.
  std::vector<std::string> skipped;
};

struct ImportLayoutInfo {
  std::string name;     // "coco-captions"
  std::string writes;   // ".jsonl" or ".tar"
  std::string splits;   // for people: "train, val"
  std::string folder;   // what the source folder holds
  std::string columns;  // of the records
};

std::vector<ImportLayoutInfo> ImportLayouts();
std::vector<std::string> ImportDatasets();

// NotFound for a missing folder or file, or one without samples; InvalidArgument for an unknown
// data set or split, a destination of the wrong kind, or a file that does not fit its layout, each
// named. The order of samples, and so the file, depends on the files alone. The destination is
// written at the end, whole or not at all.
absl::StatusOr<ImportReport> ImportDataset(const ImportOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_IMPORT_H_
