#include "examples/report/example_card.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "training/report/html.h"

namespace unival::report {
namespace {

constexpr double kSide = 320;  // of the picture's own coordinate system

std::string Rectangle(const BoxFractions& box, const char* style) {
  return absl::StrFormat(
      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" rx=\"2\" %s/>",
      box[0] * kSide, box[1] * kSide, (box[2] - box[0]) * kSide, (box[3] - box[1]) * kSide, style);
}

// The name stands above its box, or below where there is no room.
std::string BoxLabel(const BoxFractions& box, const std::string& text) {
  const double width = 7.2 * static_cast<double>(text.size()) + 10;
  const double x = std::max(2.0, std::min(box[0] * kSide, kSide - width - 2));
  const double y = box[1] * kSide > 24 ? box[1] * kSide - 22 : box[3] * kSide + 3;
  return absl::StrFormat(
      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"19\" rx=\"3\" fill=\"#fff\" "
      "fill-opacity=\"0.92\"/><text x=\"%.1f\" y=\"%.1f\" font-size=\"13\" "
      "fill=\"#1c2430\">%s</text>",
      x, y, width, x + 5, y + 14, Escape(text));
}

std::string Picture(const ExampleCard& example) {
  std::string boxes;
  for (const RegionAnswer& region : example.regions) {
    if (region.expected) {
      absl::StrAppend(&boxes, Rectangle(*region.expected,
                                        "stroke=\"#fff\" stroke-width=\"1.5\" "
                                        "stroke-dasharray=\"5 4\" stroke-opacity=\"0.8\""));
    }
    if (!region.predicted) continue;
    absl::StrAppend(&boxes, Rectangle(*region.predicted, "stroke=\"#fff\" stroke-width=\"3\""),
                    BoxLabel(*region.predicted, region.text));
  }
  return absl::StrFormat(
      "<svg class=\"picture\" viewBox=\"0 0 %.0f %.0f\" font-family=\"inherit\"><image href=\"%s\" "
      "width=\"%.0f\" height=\"%.0f\" style=\"image-rendering: pixelated\"/>%s</svg>",
      kSide, kSide, PngDataUri(example.picture_png), kSide, kSide, boxes);
}

// The answer, and what was expected where it differs.
std::string Judged(const std::string& answer, const std::string& expected) {
  const std::string said = answer.empty() ? "(nothing)" : answer;
  if (answer == expected) return Element("span", "right", Escape(said));
  return Element("span", "wrong",
                 absl::StrCat(Escape(said), "<small>expected: ", Escape(expected), "</small>"));
}

}  // namespace

std::string ExampleCardHtml(const ExampleCard& example) {
  std::string questions;
  for (const Answer& answer : example.answers) {
    absl::StrAppend(&questions, Element("dt", "", Escape(answer.question)),
                    Element("dd", "", Judged(answer.answer, answer.expected)));
  }
  const std::string tag = example.held_out ? Element("span", "tag new", "combination never trained")
                                           : Element("span", "tag", "new scene");
  const std::string words =
      absl::StrCat(tag, Element("p", "caption", Judged(example.caption, example.expected_caption)),
                   Element("dl", "qa", questions));
  return Element("div", "card", absl::StrCat(Picture(example), Element("div", "words", words)));
}

}  // namespace unival::report
