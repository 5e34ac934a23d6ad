// unival data import DATASET FOLDER FILE: a data set in its publisher's layout becomes records.

#include "app/data_import.h"

#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/import.h"

namespace unival {
namespace {

void PrintReasons(const std::string& what,
                  const std::map<std::string, ImportReport::LeftOut>& reasons) {
  for (const auto& [reason, left] : reasons) {
    const bool is_more = left.count > static_cast<int64_t>(left.examples.size());
    std::cout << what << ": " << left.count << ": " << reason << " ("
              << absl::StrJoin(left.examples, ", ") << (is_more ? ", ..." : "") << ")\n";
  }
}

void PrintSkipped(const ImportReport& report) {
  constexpr size_t kMostNamed = 10;
  for (size_t i = 0; i < report.skipped.size() && i < kMostNamed; ++i)
    std::cout << "skipped " << report.skipped[i] << "\n";
  if (report.skipped.size() > kMostNamed)
    std::cout << "skipped " << report.skipped.size() - kMostNamed << " more\n";
}

absl::Status Import(ImportOptions options) {
  ProgressLine line;
  options.progress = [&line](int64_t records) {
    line.Show(absl::StrCat("importing: ", records, " records"));
  };
  absl::StatusOr<ImportReport> report = ImportDataset(options);
  line.Clear();
  UNIVAL_RETURN_IF_ERROR(report.status());
  std::cout << options.destination << ": " << report->samples << " samples";
  if (report->bytes > 0) std::cout << ", " << report->bytes << " bytes of media";
  std::cout << "\n";
  if (!report->media_root.empty()) {
    std::cout << "its media lie below " << options.source << ": read it with --media_root "
              << report->media_root << "=" << options.source << ", or media_root in a plan\n";
  }
  PrintReasons("left out", report->left_out);
  PrintReasons("changed", report->changed);
  PrintSkipped(*report);
  return absl::OkStatus();
}

std::string LayoutHelp() {
  std::string text = "Data sets, what FOLDER holds, and what the records say:\n";
  for (const ImportLayoutInfo& layout : ImportLayouts()) {
    absl::StrAppend(&text, "\n  ", layout.name, " (*", layout.writes,
                    ")\n    folder:  ", layout.folder, "\n    columns: ", layout.columns,
                    "\n    splits:  ", layout.splits, "\n");
  }
  return absl::StrCat(
      text,
      "\nBoxes are pixels x0, y0, x1, y1, whatever the publisher writes. A medium that is not "
      "there is counted and left out; so are empty texts, what is given twice, and with --split "
      "all a split whose media another has too.\nExample: unival data import coco-captions coco "
      "coco/captions_val.jsonl --split val2014");
}

}  // namespace

void AddDataImport(Command& data) {
  Command& command =
      data.AddCommand("import", "Make records of a data set in its publisher's layout");
  auto options = std::make_shared<ImportOptions>();
  command
      .AddPositional("dataset", &options->dataset, "A data set; those that there are stand below")
      .OneOf(ImportDatasets());
  command.AddPositional("source", &options->source, "Folder of the data set");
  command.AddPositional("destination", &options->destination,
                        "FILE.jsonl or FILE.tar to write, as the data set's line says");
  command.AddOption("--split", &options->split, "all, or a split of the data set").ShowDefault();
  command.AddOption("--media_root", &options->media_root,
                    "Name that the records give the folder where FILE does not lie above it "
                    "(default: the data set's)");
  command.SetFooter(&LayoutHelp);
  command.OnRun([options] { return Import(*options); });
}

}  // namespace unival
