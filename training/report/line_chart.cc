#include "training/report/line_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "training/report/html.h"

namespace unival::report {
namespace {

constexpr double kLeft = 56, kRight = 780, kTop = 14, kBottom = 276;
constexpr double kWidth = 960, kHeight = 320, kLabelGap = 18;
constexpr std::array<const char*, 6> kColors = {"#2458c5", "#c2571a", "#17764a",
                                                "#8a4fb5", "#7a8494", "#a8283f"};

struct Axes {
  double x_max = 1, y_min = 0, y_max = 1;
  bool logarithmic = false;

  double X(double x) const { return kLeft + (kRight - kLeft) * x / x_max; }
  double Y(double y) const {
    const double share =
        logarithmic ? std::log(std::max(y, y_min) / y_min) / std::log(y_max / y_min) : y / y_max;
    return kBottom - (kBottom - kTop) * share;
  }
};

Axes FitAxes(const LineChart& chart) {
  double x_max = 0, low = 1e300, high = 0;
  for (const LineSeries& series : chart.series) {
    for (const auto& [x, y] : series.points) {
      if (!std::isfinite(y)) continue;
      x_max = std::max(x_max, x);
      high = std::max(high, y);
      if (y > 0) low = std::min(low, y);
    }
  }
  Axes axes;
  if (x_max > 0) axes.x_max = x_max;
  if (high <= 0) return axes;
  axes.logarithmic = high > 30 * low;
  if (axes.logarithmic) {
    axes.y_min = std::pow(10, std::floor(std::log10(low)));
    axes.y_max = std::pow(10, std::ceil(std::log10(high)));
  } else {
    axes.y_max = RoundTicks(high, 4).back();
  }
  return axes;
}

std::vector<double> YTicks(const Axes& axes) {
  if (!axes.logarithmic) return RoundTicks(axes.y_max, 4);
  std::vector<double> ticks;
  for (double tick = axes.y_min; tick <= axes.y_max * 1.001; tick *= 10) ticks.push_back(tick);
  return ticks;
}

std::string Text(double x, double y, const char* anchor, const std::string& color,
                 const std::string& text) {
  return absl::StrFormat(
      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"13\">%s</text>", x, y,
      anchor, color, Escape(text));
}

std::string Grid(const LineChart& chart, const Axes& axes) {
  std::string svg;
  for (double tick : YTicks(axes)) {
    const double y = axes.Y(tick);
    absl::StrAppendFormat(
        &svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#e2e6ec\"/>", kLeft,
        y, kRight, y);
    absl::StrAppend(&svg, Text(kLeft - 8, y + 4, "end", "#5d6878", absl::StrCat(tick)));
  }
  for (double tick : RoundTicks(axes.x_max, 6)) {
    if (tick > axes.x_max) continue;
    absl::StrAppend(&svg,
                    Text(axes.X(tick), kBottom + 20, "middle", "#5d6878", absl::StrCat(tick)));
  }
  absl::StrAppend(&svg,
                  Text((kLeft + kRight) / 2, kHeight - 4, "middle", "#5d6878", chart.x_label));
  return svg + Text(kLeft, kTop - 3, "start", "#5d6878", chart.y_label);
}

std::string Line(const LineSeries& series, const Axes& axes, const char* color) {
  std::string points;
  for (const auto& [x, y] : series.points) {
    if (std::isfinite(y)) absl::StrAppendFormat(&points, "%.1f,%.1f ", axes.X(x), axes.Y(y));
  }
  return absl::StrFormat(
      "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" "
      "stroke-linejoin=\"round\"/>",
      points, color, series.emphasis ? "3" : "1.6");
}

// Heights of the labels: at the ends of their lines, but never on top of each other.
std::vector<double> LabelHeights(const LineChart& chart, const Axes& axes) {
  std::vector<double> ends;
  for (const LineSeries& series : chart.series) {
    ends.push_back(series.points.empty() ? kBottom : axes.Y(series.points.back().second));
  }
  std::vector<size_t> order(ends.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ends[a] > ends[b]; });
  double limit = kBottom + 4;  // from the bottom upwards
  for (size_t i : order) {
    ends[i] = std::min(ends[i] + 4, limit);
    limit = ends[i] - kLabelGap;
  }
  return ends;
}

}  // namespace

std::vector<double> RoundTicks(double maximum, int wanted) {
  if (!(maximum > 0) || !std::isfinite(maximum)) return {0, 1};
  const double rough = maximum / wanted, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  }
  const int count = static_cast<int>(std::ceil(maximum / step - 1e-9));
  std::vector<double> ticks;
  for (int i = 0; i <= count; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string LineChartSvg(const LineChart& chart) {
  const Axes axes = FitAxes(chart);
  const std::vector<double> heights = LabelHeights(chart, axes);
  std::string svg = absl::StrFormat(
      "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-family=\"inherit\">", kWidth, kHeight);
  absl::StrAppend(&svg, Grid(chart, axes));
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const char* color = kColors[i % kColors.size()];
    absl::StrAppend(&svg, Line(chart.series[i], axes, color),
                    Text(kRight + 10, heights[i], "start", color, chart.series[i].name));
  }
  return svg + "</svg>";
}

}  // namespace unival::report
