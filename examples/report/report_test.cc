#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "examples/report/quickstart_report.h"
#include "examples/world/questions.h"
#include "examples/world/scene.h"
#include "modalities/io/encode.h"
#include "training/report/html.h"
#include "training/report/line_chart.h"

namespace unival::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

BoxFractions Fractions(const world::Box& box, double shift) {
  const double side = world::kSceneSize;
  return {(box.x0 + shift) / side, (box.y0 + shift) / side, (box.x1 + shift) / side,
          (box.y1 + shift) / side};
}

ExampleCard MadeUpCard(int index) {
  world::Random random(100 + index);
  const bool held_out = index % 3 == 2;
  const world::Split split = held_out ? world::Split::kHeldOut : world::Split::kEval;
  const world::Scene scene = world::SampleScene(world::Distances(), split, &random);
  const world::RgbImage picture = world::ColorizeDepth(world::RenderDepth(scene, &random));
  ExampleCard card;
  card.picture_png = *EncodePng(picture.pixels, picture.width, picture.height, 3);
  card.held_out = held_out;
  card.expected_caption = card.caption = world::Caption(scene.description);
  if (index == 4) card.caption = "two near circles";
  for (const auto& asked : world::AskAboutScene(scene, 2, true, &random)) {
    card.answers.push_back({asked.question, index == 1 ? "two" : asked.answer, asked.answer});
  }
  for (const auto& referent : world::Referents(scene, &random)) {
    card.regions.push_back(
        {referent.text, Fractions(referent.box, 1.5), Fractions(referent.box, 0)});
    break;
  }
  return card;
}

RunSummary MadeUpRun(const std::string& name, const std::string& note, double end,
                     double accuracy) {
  RunSummary run;
  run.name = name;
  run.note = note;
  run.trainable_parameters = 43904;
  run.seconds = 71.4;
  run.steps_per_second = 8.4;
  run.peak_memory_mb = 412;
  run.caption_seen = accuracy;
  run.caption_held_out = accuracy * 0.9;
  run.answers = accuracy * 0.95;
  run.box_iou = accuracy * 0.7;
  for (int step = 0; step <= 600; step += 20) {
    run.loss.emplace_back(step, end + 3.5 * std::exp(-step / 90.0));
  }
  return run;
}

QuickstartReport MadeUpReport() {
  QuickstartReport report;
  report.model = "models/nano";
  report.plugin = "libdepth.so";
  report.template_file = "tasks/templates/quickstart.textproto";
  report.model_parameters = 3456789;
  report.seed = 1;
  report.train_scenes = 4000;
  report.eval_scenes = 500;
  report.templates = {{"depth_caption", "what does the depth map show?  {caption}"},
                      {"depth_vqa", "{question}  {answer}"}};
  for (int i = 0; i < 9; ++i) report.examples.push_back(MadeUpCard(i));
  report.runs = {MadeUpRun("connection only", "the quickstart: all else frozen", 0.08, 0.968),
                 MadeUpRun("full finetuning", "every parameter trains", 0.04, 0.995),
                 MadeUpRun("random backbone", "same size, fresh weights, frozen", 1.9, 0.004),
                 MadeUpRun("untrained encoder", "fresh weights, frozen", 0.9, 0.21),
                 MadeUpRun("no text", "backbone pretrained without text", 1.1, 0.15)};
  report.runs[0].main = true;
  report.unchanged = {{"image_caption", "exact_match", 0.974, 0.974, 200, 200},
                      {"vqa", "accuracy", 0.956, 0.956, 580, 580}};
  report.receipt = {231, 3412885, 0, 6, 43904, 237, 231, {}};
  report.phases = {{"generate the depth set", 6.2}, {"train the connection", 71.4}};
  report.machine = "2 threads";
  report.commands = {"unival train plans/connection.textproto --output runs/connection"};
  return report;
}

TEST(Html, EscapesWhatWouldBecomeMarkup) {
  EXPECT_EQ(Escape("<b a=\"1\">&'"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
}

TEST(Html, TableKeepsOrderAndRowClass) {
  Table table({"a", "b"});
  table.AddRow({"1", "2"}, "main");
  EXPECT_EQ(
      table.Html(),
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr class=\"main\"><td>1</td>"
      "<td>2</td></tr></tbody></table>");
}

TEST(LineChart, TicksAreRoundAndCoverTheRange) {
  EXPECT_THAT(RoundTicks(3.4, 4), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(RoundTicks(600, 6), ElementsAre(0, 100, 200, 300, 400, 500, 600));
  EXPECT_THAT(RoundTicks(0, 4), ElementsAre(0, 1));
}

TEST(LineChart, LeavesOutValuesThatAreNotFinite) {
  const std::string svg =
      LineChartSvg({"step", "loss", {{"run", {{0, 1}, {1, NAN}, {2, 0.5}}, true}}});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(QuickstartReportPage, NumbersAreReadable) {
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(Percent(0.9644), "96.4 %");
}

TEST(QuickstartReportPage, IsSelfContainedAndTellsRightFromWrong) {
  const std::string html = RenderQuickstartReport(MadeUpReport());
  EXPECT_THAT(html, HasSubstr("expected: "));
  EXPECT_THAT(html, HasSubstr("data:image/png;base64,"));
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  if (const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    std::ofstream(std::string(folder) + "/report.html") << html;
  }
}

TEST(QuickstartReportPage, StandsWithNothingMeasured) {
  EXPECT_THAT(RenderQuickstartReport(QuickstartReport()), HasSubstr("</html>"));
}

}  // namespace
}  // namespace unival::report
