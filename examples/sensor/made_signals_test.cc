#include "examples/sensor/made_signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "examples/sensor/text_codes.h"
#include "sdk/base/test_files.h"
#include "sdk/base/test_json_lines.h"

namespace unival::sensor {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Rows = std::vector<std::vector<float>>;

constexpr char kModel[] = "models/base";

// A data folder with a few texts, as `make-english` lays them out.
MadeSignalOptions Options(const std::string& kind) {
  MadeSignalOptions options;
  options.model_dir = kModel;
  options.data_dir = NewFolder();
  for (const char* split : {"train", "eval"}) {
    const std::string folder = options.data_dir + "/english/" + split;
    WriteText(folder + "/copy.jsonl",
              "{\"text\": \"a small dog\"}\n{\"text\": \"rain on the roof\"}\n");
    WriteText(folder + "/words.jsonl", "{\"text\": \"green seven\"}\n");
  }
  options.kinds = {kind};
  options.train_count = 12;
  options.eval_count = 4;
  options.noise = 0.1;
  return options;
}

// The rows of the CSV file `index` of a tar of them; each file is 512 bytes of heading, then its
// bytes, filled up to a multiple of 512.
Rows RowsOf(const std::string& tar, int index) {
  const std::string bytes = ReadText(tar);
  size_t at = 0, size = 0;
  for (int i = 0;; ++i) {
    size = std::stoul(bytes.substr(at + 124, 11), nullptr, 8);
    if (i == index) break;
    at += 512 + (size + 511) / 512 * 512;
  }
  Rows rows;
  std::stringstream text(bytes.substr(at + 512, size));
  for (std::string line; std::getline(text, line);) {
    rows.emplace_back();
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stof(cell));
  }
  return rows;
}

// The cosine of a row and a token's code.
double Likeness(const TextCodes& codes, int64_t token, const std::vector<float>& row) {
  std::vector<float> code(row.size(), 0.0f);
  codes.Add(token, 1, code.data());
  double product = 0, a = 0, b = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    product += code[i] * row[i], a += code[i] * code[i], b += row[i] * row[i];
  }
  return product / std::sqrt(a * b);
}

// Whether every token of `text` has a row that is like it, each behind the one before.
bool IsSaid(const TextCodes& codes, const std::string& text, const Rows& rows) {
  const auto tokens = codes.Tokens(text);
  if (!tokens.ok()) return false;
  size_t row = 0;
  for (const int64_t token : *tokens) {
    while (row < rows.size() && Likeness(codes, token, rows[row]) < 0.7) ++row;
    if (row++ == rows.size()) return false;
  }
  return true;
}

class MadeSignalsTest : public testing::TestWithParam<const char*> {};

TEST_P(MadeSignalsTest, HoldTheTokensOfTheirTextsInOrder) {
  const MadeSignalOptions options = Options(GetParam());
  ASSERT_EQ(GenerateMadeSignals(options), absl::OkStatus());
  const auto codes = TextCodes::Load(kModel);
  ASSERT_TRUE(codes.ok()) << codes.status();
  const std::string folder = options.data_dir + "/signals/train";
  const std::vector<json> records = JsonLines(folder + "/say.jsonl");
  ASSERT_EQ(records.size(), 12u);
  int said = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].at("kind"), GetParam());
    const Rows rows = RowsOf(folder + "/sensor.tar", static_cast<int>(i));
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(static_cast<int64_t>(rows[0].size()), codes->width());
    said += IsSaid(*codes, records[i].at("text"), rows);
  }
  // An offset that all rows share hides a token now and then; it is there to do that.
  EXPECT_GE(said, 10);
  EXPECT_EQ(JsonLines(options.data_dir + "/signals/eval/say.jsonl").size(), 4u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, MadeSignalsTest,
                         testing::Values("dense", "gaps", "halves", "split"),
                         [](const auto& test) { return test.param; });

TEST(MadeSignals, AreTheSameForTheSameSeed) {
  MadeSignalOptions options = Options("gaps");
  ASSERT_EQ(GenerateMadeSignals(options), absl::OkStatus());
  const std::string tar = options.data_dir + "/signals/train/sensor.tar", first = ReadText(tar);
  ASSERT_EQ(GenerateMadeSignals(options), absl::OkStatus());
  EXPECT_EQ(ReadText(tar), first);
  options.seed = 2;
  ASSERT_EQ(GenerateMadeSignals(options), absl::OkStatus());
  EXPECT_NE(ReadText(tar), first);
}

TEST(MadeSignals, SayWhatIsWrong) {
  MadeSignalOptions options = Options("round");
  EXPECT_THAT(std::string(GenerateMadeSignals(options).message()), HasSubstr("dense, gaps"));
  options = Options("gaps");
  options.noise = 99;
  EXPECT_THAT(std::string(GenerateMadeSignals(options).message()), HasSubstr("--noise"));
  options = Options("gaps");
  const std::string copies = options.data_dir + "/english/train/copy.jsonl";
  WriteText(copies, "{\"words\": 1}\n");
  EXPECT_THAT(std::string(GenerateMadeSignals(options).message()),
              testing::AllOf(HasSubstr("copy.jsonl:1"), HasSubstr("\"text\"")));
}

}  // namespace
}  // namespace unival::sensor
