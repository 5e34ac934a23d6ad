// unival: quickstart_report.h
//
// What the quickstart found, and the page that shows it: one HTML file, nothing external.
//
//   QuickstartReport report;
//   report.examples.push_back(...);
//   std::string html = RenderQuickstartReport(report);
//
// Plain data. Shares and accuracies in [0, 1]; boxes are x0, y0, x1, y1 as fractions of width and
// height.
#ifndef UNIVAL_EXAMPLES_REPORT_QUICKSTART_REPORT_H_
#define UNIVAL_EXAMPLES_REPORT_QUICKSTART_REPORT_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"

namespace unival::report {

using BoxFractions = std::array<double, 4>;

struct Answer {
  std::string question, answer, expected;
};

struct RegionAnswer {
  std::string text;                        // "the near star"
  absl::optional<BoxFractions> predicted;  // absent: the model gave no box
  absl::optional<BoxFractions> expected;
};

// One depth map with everything that the model said about it.
struct ExampleCard {
  std::string picture_png;  // bytes
  bool held_out = false;    // shows a combination of shape and distance that training never did
  std::string caption, expected_caption;
  std::vector<Answer> answers;
  std::vector<RegionAnswer> regions;
};

// One training run: the quickstart's own, or a control.
struct RunSummary {
  std::string name, note;
  bool main = false;
  int64_t trainable_parameters = 0;
  double seconds = 0, steps_per_second = 0, peak_memory_mb = 0;
  // Absent: not measured.
  absl::optional<double> caption_seen, caption_held_out, answers, box_iou;
  std::vector<std::pair<double, double>> loss;  // step, loss
};

// A task of the model before and after.
struct UnchangedTask {
  std::string task, metric;
  double before = 0, after = 0;
  int64_t records = 0, identical = 0;  // answers that are equal in text, box and score
};

struct ReceiptSummary {
  int64_t frozen_tensors = 0, frozen_scalars = 0, frozen_changed = 0;
  int64_t trained_tensors = 0, trained_scalars = 0;
  int64_t compared_with_model = 0, compared_with_base = 0;
  std::vector<std::string> problems;
};

// A sentence of the reader's, and what a new signal for it was answered with.
struct SaidSentence {
  std::string wanted, said;
};

struct PhaseTime {
  std::string name;
  double seconds = 0;
};

struct QuickstartReport {
  std::string model, plugin, template_file;
  int64_t model_parameters = 0;
  uint64_t seed = 0;
  int64_t train_scenes = 0, eval_scenes = 0;
  std::vector<std::pair<std::string, std::string>> templates;  // task, prompt -> target
  std::vector<ExampleCard> examples;
  std::vector<SaidSentence> sentences;
  std::vector<RunSummary> runs;  // the main one first
  std::vector<UnchangedTask> unchanged;
  ReceiptSummary receipt;
  std::vector<PhaseTime> phases;
  std::string machine;                // "2 threads, libtorch 1.13.1, openblas"
  std::vector<std::string> commands;  // that repeat single steps
};

std::string RenderQuickstartReport(const QuickstartReport& report);

// "18,560", "96.4 %".
std::string WithThousands(int64_t number);
std::string Percent(double share);

}  // namespace unival::report

#endif  // UNIVAL_EXAMPLES_REPORT_QUICKSTART_REPORT_H_
