// Files of an earlier version are read correctly: model directories, adapters, unfinished runs,
// receipts and plugins. Commands must print the same as that version did (tests/compat/README.md).

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kFolder[] = "tests/compat/";
constexpr char kVersion[] = "v0_1";

struct Command {
  std::string name, line;
};

// Lines "name: command line" of tests/compat/commands, in their order.
std::vector<Command> ReadCommands() {
  std::vector<Command> commands;
  std::istringstream lines(ReadText(Runfile(std::string(kFolder) + "commands")));
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (line[0] != '#') commands.push_back({line.substr(0, colon), line.substr(colon + 2)});
  }
  return commands;
}

// The outcome of every command in a copy of the fixtures, by name. The commands run once, one after
// the other.
const std::map<std::string, Outcome>& Outcomes() {
  static const auto* const kOutcomes = [] {
    const Program program(NewFolder(kVersion));
    fs::copy(Runfile(std::string(kFolder) + kVersion), program.folder(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const std::string environment = Runfile(std::string(kFolder) + "environment");
    auto* outcomes = new std::map<std::string, Outcome>;
    for (const Command& command : ReadCommands()) {
      (*outcomes)[command.name] =
          program.Shell("set -a; . '" + environment + "'; set +a; " + command.line);
    }
    return outcomes;
  }();
  return *kOutcomes;
}

// The recordings were made on a processor for which backbone/layers uses its widest kernels. On
// another processor the last bits of sums differ, so computed values are compared with a tolerance.
bool SameArithmetic() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

// Measured again in every run.
const std::set<std::string> kMeasured = {"seconds", "steps_per_second", "peak_memory_mb", "detail"};
// Texts that depend on computed values.
const std::set<std::string> kComputed = {"after", "stored", "text", "answer", "prediction"};

void Compare(const json& expected, const json& actual, const std::string& where);

void CompareFields(const json& expected, const json& actual, const std::string& where) {
  for (const auto& [key, value] : expected.items()) {
    if (kMeasured.count(key) > 0 || (!SameArithmetic() && kComputed.count(key) > 0)) continue;
    ASSERT_TRUE(actual.contains(key)) << where << " lacks " << key;
    Compare(value, actual[key], where + "." + key);
  }
}

void CompareItems(const json& expected, const json& actual, const std::string& where) {
  ASSERT_EQ(expected.size(), actual.size()) << where;
  for (size_t i = 0; i < expected.size(); ++i) {
    Compare(expected[i], actual[i], where + "[" + std::to_string(i) + "]");
  }
}

// Everything that was recorded is printed with the same value. A later version may print more.
void Compare(const json& expected, const json& actual, const std::string& where) {
  ASSERT_STREQ(expected.type_name(), actual.type_name()) << where;
  if (expected.is_object()) {
    CompareFields(expected, actual, where);
  } else if (expected.is_array()) {
    CompareItems(expected, actual, where);
  } else if (expected.is_number_float() && !SameArithmetic()) {
    EXPECT_NEAR(expected.get<double>(), actual.get<double>(), 0.05) << where;
  } else {
    EXPECT_EQ(expected, actual) << where;
  }
}

// One JSON value, or one JSON value per line.
json ParseOutput(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  if (!value.is_discarded()) return value;
  value = json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    value.push_back(json::parse(line, nullptr, false));
  }
  return value;
}

class EarlierCommand : public ::testing::TestWithParam<std::string> {};

TEST_P(EarlierCommand, PrintsWhatTheEarlierVersionPrinted) {
  const Outcome& outcome = Outcomes().at(GetParam());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string expected =
      ReadText(Runfile(std::string(kFolder) + kVersion + "/expected/" + GetParam()));
  ASSERT_FALSE(expected.empty());
  Compare(ParseOutput(expected), ParseOutput(outcome.out), GetParam());
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Command& command : ReadCommands()) names.push_back(command.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(V0_1, EarlierCommand, ::testing::ValuesIn(Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace unival
