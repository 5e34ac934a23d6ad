// unival: example_card.h - a depth map with caption, answers and boxes as HTML.
#ifndef UNIVAL_EXAMPLES_REPORT_EXAMPLE_CARD_H_
#define UNIVAL_EXAMPLES_REPORT_EXAMPLE_CARD_H_

#include <string>

#include "examples/report/quickstart_report.h"

namespace unival::report {

std::string ExampleCardHtml(const ExampleCard& example);

}  // namespace unival::report

#endif  // UNIVAL_EXAMPLES_REPORT_EXAMPLE_CARD_H_
