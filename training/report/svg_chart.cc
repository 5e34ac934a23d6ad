#include "training/report/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "training/report/html.h"

namespace unival {
namespace {

constexpr double kLeft = 56, kRight = 12, kTop = 28, kBottom = 40;  // around the plot
constexpr int kTicks = 5;
constexpr const char* kColors[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                   "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"};

// What is shown of one axis, and where a value of it stands.
struct Axis {
  double low = 0, high = 1;
  double begin = 0, end = 1;  // pixels of low and high
  double At(double value) const { return begin + (value - low) / (high - low) * (end - begin); }
};

bool IsDrawn(const std::pair<double, double>& point) {
  return std::isfinite(point.first) && std::isfinite(point.second);
}

template <typename ValueOf>
Axis RangeOf(const SvgChart& chart, ValueOf value_of) {
  bool any = false;
  Axis axis;
  for (const SvgSeries& series : chart.series) {
    for (const auto& point : series.points) {
      if (!IsDrawn(point)) continue;
      const double value = value_of(point);
      axis.low = any ? std::min(axis.low, value) : value;
      axis.high = any ? std::max(axis.high, value) : value;
      any = true;
    }
  }
  if (any && axis.high - axis.low > 1e-12 * std::abs(axis.high)) return axis;
  return {axis.low - 0.5, axis.low + 0.5, 0, 1};
}

std::string Line(double x1, double y1, double x2, double y2, const char* color) {
  return absl::StrFormat("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
                         x1, y1, x2, y2, color);
}

std::string Text(double x, double y, const char* anchor, const std::string& text,
                 const char* color = "#333") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n",
                         x, y, anchor, color, report::Escape(text));
}

std::string Axes(const SvgChart& chart, const Axis& x, const Axis& y) {
  std::string svg;
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    const double at_x = x.low + share * (x.high - x.low), at_y = y.low + share * (y.high - y.low);
    absl::StrAppend(&svg, Line(x.begin, y.At(at_y), x.end, y.At(at_y), "#e4e4e4"),
                    Text(x.begin - 6, y.At(at_y) + 4, "end", absl::StrFormat("%.4g", at_y)),
                    Text(x.At(at_x), y.begin + 16, "middle", absl::StrFormat("%.4g", at_x)));
  }
  absl::StrAppend(&svg, Line(x.begin, y.begin, x.end, y.begin, "#333"),
                  Line(x.begin, y.begin, x.begin, y.end, "#333"),
                  Text((x.begin + x.end) / 2, chart.height - 6, "middle", chart.x_label),
                  Text(x.begin, kTop - 12, "start", chart.title));
  for (double mark : chart.marks) {
    absl::StrAppend(&svg, Line(x.At(mark), y.begin, x.At(mark), y.end, "#999"));
  }
  return svg;
}

std::string Curve(const SvgChart& chart, const SvgSeries& series, const Axis& x, const Axis& y,
                  const char* color) {
  std::string points, dots;
  for (const auto& point : series.points) {
    if (!IsDrawn(point)) continue;
    const double px = x.At(point.first), py = y.At(point.second);
    absl::StrAppendFormat(&points, "%.1f,%.1f ", px, py);
    if (!chart.with_dots) continue;
    absl::StrAppendFormat(&dots, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", px, py,
                          color);
  }
  return absl::StrFormat(
      "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"/>\n%s", points,
      color, dots);
}

}  // namespace

std::string SvgText(const SvgChart& chart) {
  Axis x = RangeOf(chart, [](const auto& point) { return point.first; });
  Axis y = RangeOf(chart, [](const auto& point) { return point.second; });
  x.begin = kLeft, x.end = chart.width - kRight;
  y.begin = chart.height - kBottom, y.end = kTop;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">\n",
      chart.width, chart.height, chart.width, chart.height);
  absl::StrAppend(&svg, Axes(chart, x, y));
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const char* color = kColors[i % std::size(kColors)];
    absl::StrAppend(
        &svg, Curve(chart, chart.series[i], x, y, color),
        Text(x.end, kTop + 12 + 14 * static_cast<double>(i), "end", chart.series[i].name, color));
  }
  return absl::StrCat(svg, "</svg>\n");
}

}  // namespace unival
