// unival: line_chart.h - a line chart as inline SVG, for loss curves.
//
//   LineChart chart;
//   chart.y_label = "loss";
//   chart.series.push_back({"connection only", {{1, 3.2}, {20, 1.1}}, /*emphasis=*/true});
//   page += LineChartSvg(chart);
#ifndef UNIVAL_TRAINING_REPORT_LINE_CHART_H_
#define UNIVAL_TRAINING_REPORT_LINE_CHART_H_

#include <string>
#include <utility>
#include <vector>

namespace unival::report {

struct LineSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x ascending
  bool emphasis = false;                          // a thicker line
};

struct LineChart {
  std::string x_label, y_label;
  std::vector<LineSeries> series;
};

// A picture 960 x 320 that scales with the page. The y axis starts at 0 and is logarithmic when the
// values span more than a factor of 30. Lines are labelled at their ends, labels moved apart.
// Values that are not finite are left out.
std::string LineChartSvg(const LineChart& chart);

// Evenly spaced round numbers that cover [0, maximum], about `wanted` of them.
std::vector<double> RoundTicks(double maximum, int wanted);

}  // namespace unival::report

#endif  // UNIVAL_TRAINING_REPORT_LINE_CHART_H_
