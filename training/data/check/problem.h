// unival: problem.h
//
// What is wrong with data or prompts, collected over a whole file: nothing stops at the first, and
// what many records have is one problem with all their names.
//
//   ProblemList problems;
//   problems.Add({"missing_column", file, 0, "vqa", "prompt", "question", "is missing", remedy},
//                sample.key, "is missing");
//   std::cout << ProblemText(problems.all());
//
// Plain data, for one thread.
#ifndef UNIVAL_TRAINING_DATA_CHECK_PROBLEM_H_
#define UNIVAL_TRAINING_DATA_CHECK_PROBLEM_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"

namespace unival {

// Names of records that are kept of one problem; more are counted.
constexpr size_t kMaxRowsKept = 1000;

struct ProblemRow {
  std::string record;  // "train.jsonl:17", "dev.tar:0_george_5"
  std::string what;
};

struct Problem {
  std::string kind;   // a word that programs may go by: "missing_column"
  std::string file;   // where it is to be mended: the template set, or the data
  int line = 0;       // of `file`, from 1; 0: none, or the rows say it
  std::string task;   // may be empty
  std::string field;  // of the task's template; may be empty
  std::string slot;   // the column that it is about; may be empty
  std::string what;   // of several rows, that of the first
  std::string remedy;
  int64_t rows = 0;              // records that have it; 0: it is not about records
  std::vector<ProblemRow> kept;  // the first kMaxRowsKept of them
};

class ProblemList {
 public:
  void Add(Problem problem) { all_.push_back(std::move(problem)); }
  // Adds a problem of one record. Problems that agree in kind, file, line, task, field and slot
  // become one, which is returned so that the caller can set one remedy for all. Valid until the
  // next call.
  Problem& Add(Problem problem, const std::string& record, const std::string& what);

  const std::vector<Problem>& all() const { return all_; }
  bool empty() const { return all_.empty(); }

 private:
  using Key = std::tuple<std::string, std::string, int, std::string, std::string, std::string>;
  std::vector<Problem> all_;
  std::map<Key, size_t> places_;
};

// The record that an error of Source::Read is about, and the error without it. `index`: of the
// record, from 0, where the message names no line.
ProblemRow ReadErrorRow(const std::string& path, int64_t index, absl::string_view message);

// [{"kind", "file", "line", "task", "field", "slot", "what", "remedy", "rows", "records":
// [{"record", "what"}]}], without what a problem does not have.
nlohmann::ordered_json ProblemsJson(const std::vector<Problem>& problems);
// For people: every problem with its place, its first records and its remedy; ends with the count.
std::string ProblemText(const std::vector<Problem>& problems);
// "FILE:LINE: task "T": FIELD: ", as far as the problem has them.
std::string PlaceText(const Problem& problem);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_PROBLEM_H_
