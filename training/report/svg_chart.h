// unival: svg_chart.h - a line chart as SVG, which every browser shows and no program is needed
// for.
//
//   SvgChart chart;
//   chart.title = "loss", chart.x_label = "step";
//   chart.series = {{"train", {{1, 2.5}, {2, 2.1}}}};
//   file << SvgText(chart);
#ifndef UNIVAL_TRAINING_REPORT_SVG_CHART_H_
#define UNIVAL_TRAINING_REPORT_SVG_CHART_H_

#include <string>
#include <utility>
#include <vector>

namespace unival {

struct SvgSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;  // by x; what is not finite is left out
};

struct SvgChart {
  std::string title, x_label;
  std::vector<SvgSeries> series;
  std::vector<double> marks;  // values of x with a vertical line
  bool with_dots = false;
  int width = 560, height = 280;  // pixels
};

// One <svg> element with axes, a legend and a title; any text in it is escaped. Deterministic.
std::string SvgText(const SvgChart& chart);

}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_SVG_CHART_H_
