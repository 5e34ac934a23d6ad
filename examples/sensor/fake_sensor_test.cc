#include "examples/sensor/fake_sensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sdk/base/test_files.h"
#include "sdk/base/test_json_lines.h"

namespace unival::sensor {
namespace {

using nlohmann::json;

constexpr char kLabels[] =
    R"({"pump": ["switched off", "runs dry", "blocked", "Leaking."], "cat": ["asleep", "hungry"]})";

FakeSensorOptions Options(const std::string& folder) {
  FakeSensorOptions options;
  options.labels_file = WriteText(folder + "/labels.json", kLabels);
  options.output_dir = folder + "/out";
  options.train_count = 6;
  options.eval_count = 2;
  return options;
}

std::set<std::string> TextsIn(const std::string& path) {
  std::set<std::string> texts;
  for (const json& line : JsonLines(path)) texts.insert(line.at("text").get<std::string>());
  return texts;
}

// The rows of the first CSV file of a tar: 512 bytes of heading, then the file.
std::vector<std::vector<double>> FirstRows(const std::string& tar) {
  const std::string bytes = ReadText(tar);
  std::vector<std::vector<double>> rows;
  std::stringstream text(bytes.substr(512, bytes.find('\0', 512) - 512));
  for (std::string line; std::getline(text, line);) {
    rows.emplace_back();
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stod(cell));
  }
  return rows;
}

TEST(FakeSensor, WritesEverySentenceOfEverySet) {
  const std::string folder = NewFolder();
  ASSERT_TRUE(GenerateFakeSensor(Options(folder)).ok());
  for (const char* kind : {"changing", "steady"}) {
    const std::string pump = folder + "/out/pump/" + kind;
    EXPECT_EQ(JsonLines(pump + "/train/say.jsonl").size(), 24u);
    EXPECT_EQ(TextsIn(pump + "/eval/say.jsonl"),
              (std::set<std::string>{"switched off", "runs dry", "blocked", "Leaking."}));
  }
  EXPECT_EQ(JsonLines(folder + "/out/cat/steady/train/say.jsonl").size(), 12u);
}

TEST(FakeSensor, ASteadySignalIsTheSameAtEveryPositionButForNoise) {
  const std::string folder = NewFolder();
  FakeSensorOptions options = Options(folder);
  options.noise = 0;
  ASSERT_TRUE(GenerateFakeSensor(options).ok());
  const auto steady = FirstRows(folder + "/out/pump/steady/train/sensor.tar");
  const auto changing = FirstRows(folder + "/out/pump/changing/train/sensor.tar");
  ASSERT_EQ(steady.size(), 16u);
  ASSERT_EQ(changing.size(), 16u);
  EXPECT_EQ(steady[0].size(), 64u);
  EXPECT_EQ(steady[0], steady[15]);
  EXPECT_NE(changing[0], changing[15]);
}

TEST(FakeSensor, NoiseHasTheDeviationThatIsAsked) {
  const std::string folder = NewFolder();
  FakeSensorOptions options = Options(folder);
  options.noise = 0.5;
  ASSERT_TRUE(GenerateFakeSensor(options).ok());
  const auto rows = FirstRows(folder + "/out/pump/steady/train/sensor.tar");
  double squares = 0;
  int count = 0;
  for (size_t column = 0; column < rows[0].size(); ++column) {
    double mean = 0;
    for (const auto& row : rows) mean += row[column] / static_cast<double>(rows.size());
    for (const auto& row : rows) squares += (row[column] - mean) * (row[column] - mean), ++count;
  }
  EXPECT_NEAR(std::sqrt(squares / (count - 64)), 0.5, 0.05);
}

TEST(FakeSensor, PairsThatAreHeldOutAreNotTrainedButTheirPartsAre) {
  const std::string folder = NewFolder();
  FakeSensorOptions options = Options(folder);
  options.sets = {"pump"};
  options.pairs = "after";
  ASSERT_TRUE(GenerateFakeSensor(options).ok());
  const std::string pump = folder + "/out/pump/changing_after";
  const auto train = TextsIn(pump + "/train/say.jsonl");
  const auto held_out = TextsIn(pump + "/eval_held_out/say.jsonl");
  EXPECT_EQ(train, (std::set<std::string>{"switched off, blocked", "runs dry, Leaking."}));
  EXPECT_EQ(held_out, (std::set<std::string>{"switched off, Leaking.", "runs dry, blocked"}));
  EXPECT_EQ(TextsIn(pump + "/eval/say.jsonl"), train);
}

TEST(FakeSensor, SignalsOfAPairFollowEachOtherOrAreAdded) {
  const std::string folder = NewFolder();
  FakeSensorOptions options = Options(folder);
  options.noise = 0;
  options.kinds = {"steady"};
  const auto first_row_of = [&](const std::string& pairs) {
    options.pairs = pairs;
    EXPECT_TRUE(GenerateFakeSensor(options).ok());
    return FirstRows(folder + "/out/pump/steady_" + pairs + "/train/sensor.tar");
  };
  options.sets = {"pump"};
  const auto after = first_row_of("after"), together = first_row_of("together");
  EXPECT_EQ(after[0], after[7]);
  EXPECT_EQ(after[8], after[15]);
  EXPECT_NE(after[7], after[8]);
  for (size_t i = 0; i < after[0].size(); ++i)
    EXPECT_NEAR(together[3][i], after[0][i] + after[8][i], 0.002);
}

TEST(FakeSensor, NamesWhatIsWrongWithTheLabels) {
  const std::string folder = NewFolder();
  const std::map<std::string, std::string> cases = {
      {"[1]", "JSON object"},
      {R"({"pump": "off"})", "list of sentences"},
      {R"({"pump": ["off"]})", "at least 2"},
      {R"({"pump": ["off", "off"]})", "stands there twice"}};
  for (const auto& [labels, message] : cases) {
    FakeSensorOptions options = Options(folder);
    WriteText(options.labels_file, labels);
    const absl::Status status = GenerateFakeSensor(options);
    EXPECT_NE(status.message().find(message), std::string::npos) << status;
  }
  FakeSensorOptions options = Options(folder);
  options.sets = {"dog"};
  EXPECT_NE(GenerateFakeSensor(options).message().find("\"dog\""), std::string::npos);
  options.sets = {};
  options.kinds = {"loud"};
  EXPECT_NE(GenerateFakeSensor(options).message().find("changing, steady"), std::string::npos);
}

}  // namespace
}  // namespace unival::sensor
