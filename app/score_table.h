// unival: score_table.h - scores with their intervals, and two runs side by side, as text and JSON.
#ifndef UNIVAL_APP_SCORE_TABLE_H_
#define UNIVAL_APP_SCORE_TABLE_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "training/evaluation/scoring.h"

namespace unival {

// "metrics", "remarks" (texts) of those that have one, "intervals" (lists of two) and "bootstrap"
// (what they were drawn with).
void AddScores(const std::map<std::string, ScoreValue>& scores, const BootstrapOptions& options,
               nlohmann::ordered_json* json);

// Prints one line per score: name, value, interval.
void PrintScoreTable(const std::map<std::string, ScoreValue>& scores,
                     const BootstrapOptions& options);

// "   less is better" for the end of a score's line, of its remark; mostly nothing.
std::string NoteOfScore(const std::string& remark);

struct Comparison {
  std::string a, b;  // what is compared, for headings
  std::map<std::string, PairedDifference> differences;
  BootstrapOptions bootstrap;
  bool json = false;
};
void PrintComparison(const Comparison& comparison);

}  // namespace unival

#endif  // UNIVAL_APP_SCORE_TABLE_H_
