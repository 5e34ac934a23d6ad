// unival: data_check.h
//
// Checks all records of a file against the task that they are for: every medium is decoded, every
// column that the task names is looked at, and records are compared with each other and with those
// of other files. It does not stop at the first problem, but lists all.
//
//   DataCheckOptions options;
//   options.path = "train.jsonl";
//   UNIVAL_ASSIGN_OR_RETURN(const DataReport report, CheckData(options, *runtime, &task, &model));
//   std::cout << ProblemText(report.problems) << DataSummary(report);
#ifndef UNIVAL_TRAINING_DATA_CHECK_DATA_CHECK_H_
#define UNIVAL_TRAINING_DATA_CHECK_DATA_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "runtime/runtime.h"
#include "tasks/templates/template_set.h"
#include "training/data/check/length_check.h"
#include "training/data/check/problem.h"
#include "training/data/files/index_options.h"

namespace unival {

struct DataCheckOptions {
  std::string path;                                // FILE.jsonl or FILE.tar
  std::map<std::string, std::string> columns;      // task column -> record column
  std::map<std::string, std::string> media_roots;  // as SourceOptions has them
  IndexOptions index;                              // as SourceOptions has it
  std::vector<std::string> media_columns;          // beside the task's; without one, the usual ones
  // Files whose media must not be among those of `path`: what was trained on.
  std::vector<std::string> against;
  // A file that the caller will write: refused where it is one that is read. Empty: none.
  std::string output;
  int64_t limit = 0;  // only the first records; 0: all
  int threads = 0;    // that read and decode; 0: all cores
  std::function<void(int64_t done, int64_t total)> progress;
};

struct DataReport {
  std::string path, task;
  int64_t records = 0;
  int64_t decoded = 0;         // media items that were decoded or prepared, damaged ones too
  int64_t plugin_decoded = 0;  // those by a plugin's modality
  std::vector<std::string> columns;
  // Column of an answer -> value -> records, where an answer has few values.
  std::map<std::string, std::map<std::string, int64_t>> classes;
  std::vector<std::string> unused_labels;  // of the closed set, that no record has
  std::map<std::string, Spread> words;     // of text columns
  Spread prompt_tokens, target_tokens;     // with a model
  std::vector<std::string> remarks;        // Source::remarks
  std::vector<Problem> problems;
};

// Checks the file that `options` name. `task` null: only records and media are checked. `model`
// null: lengths, pieces and the size of the position grid are not checked, as only a model knows
// them. The model must have the task's modalities loaded. Errors: a file that cannot be opened, a
// column of `media_columns` that no record has, a plugin for which no record holds media.
absl::StatusOr<DataReport> CheckData(const DataCheckOptions& options, const Runtime& runtime,
                                     const LoadedTemplate* task, const Model* model);

nlohmann::ordered_json DataReportJson(const DataReport& report);
// What the file holds, for people: records, columns, lengths, classes.
std::string DataSummary(const DataReport& report);
// The summary and the problems as one HTML page that needs no other file.
std::string DataReportHtml(const DataReport& report);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_DATA_CHECK_H_
