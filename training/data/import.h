// unival: import.h
//
// Packs a data set in its publisher's layout into one tar shard that sources read.
//
//   ImportOptions options;
//   options.dataset = "fsdd";
//   options.source = "free-spoken-digit-dataset/recordings";
//   options.destination = "fsdd_train.tar";
//   options.split = "train";
//   UNIVAL_ASSIGN_OR_RETURN(ImportReport report, ImportDataset(options));
//
// Data sets:
//
//   fsdd     a folder of {digit}_{speaker}_{take}.wav; samples {audio, digit ("seven"), speaker,
//            take}. Takes 0-4 are the official test split, all others training.
//   cifar10  the folder of the binary version; samples {image, class, caption ("a photo of a
//            cat")}. test_batch.bin is the test split, data_batch_*.bin training.
//   folder   one sub-folder per class with media files in it; samples {image or audio or video,
//            class, caption}. Has no splits: `split` must be "all".
#ifndef UNIVAL_TRAINING_DATA_IMPORT_H_
#define UNIVAL_TRAINING_DATA_IMPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace unival {

struct ImportOptions {
  std::string dataset;        // one of ImportDatasets()
  std::string source;         // folder
  std::string destination;    // *.tar
  std::string split = "all";  // one of ImportSplits()
};

std::vector<std::string> ImportDatasets();
std::vector<std::string> ImportSplits();

struct ImportReport {
  int64_t samples = 0;
  int64_t bytes = 0;  // of media
  // "PATH: why" of what lay there and is no data: pipes and devices, links to nothing, folders
  // where files are expected. What systems leave behind and texts about the data are not named.
  std::vector<std::string> skipped;
};

// NotFound for a missing folder or one without samples, InvalidArgument for an unknown data set or
// split, a file that does not fit its layout, named, or a destination in the folder of a class. The
// order of samples, and so the tar, depends on the files alone.
absl::StatusOr<ImportReport> ImportDataset(const ImportOptions& options);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_H_
