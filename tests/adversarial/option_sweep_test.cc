// Every option of every command, read from the help pages, is given values of the wrong kind. New
// commands and options are tested without a change here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

using ::testing::AnyOf;
using Strings = std::vector<std::string>;

#ifdef EVERY_OPTION
constexpr size_t kOnePage = 1000, kOneOption = 1000;  // values of an option, pages that test it
#else
constexpr size_t kOnePage = 3, kOneOption = 1;
#endif

// The test folder with the files that the commands of Rest read.
const Program& Place() {
  static const Program* const kPlace = [] {
    WriteText(Workplace().Path("lines.txt"), "a b c d e\nb c d e f\na b c d e\nb c d e f\n");
    WriteText(Workplace().Path("labels.json"), "{\"one\": [\"a red cat\", \"a blue dog\"]}");
    WriteText(Workplace().Path("one.textproto"),
              "name: \"x\" model: \"models/nano\" stage { trainable: \"all\" steps: 1 batch: 1\n"
              "optimizer { learning_rate: 1 } source { task: \"image_caption\" path: \"a.jsonl\" } "
              "}");
    return &Workplace();
  }();
  return *kPlace;
}

// An option as a help page lists it: "--count INT:POSITIVE=8".
struct Listed {
  std::string name, kind, limits;
};

struct Page {
  std::string command;  // "data check"; empty: the program itself
  std::string help;
  Strings below;  // names of the subcommands that it lists
  std::vector<Listed> options;
};

Page ReadPage(const std::string& command) {
  Page page{command, Place().Run(command + " --help").out, {}, {}};
  std::istringstream lines(page.help);
  bool lists = false;
  const std::regex word("  ([a-z][a-z0-9-]*) .*");
  const std::regex option("  (?:-[a-z],)?(--[a-z0-9_]+)[a-z,-]* (TEXT|INT|UINT|FLOAT)(\\S*).*");
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:" || line == "Programs of their own:") {
      lists = true;
    } else if (!line.empty() && line[0] != ' ') {
      lists = false;
    } else if (lists && std::regex_match(line, found, word)) {
      page.below.push_back(found[1]);
    } else if (std::regex_match(line, found, option)) {
      page.options.push_back({found[1], found[2], found[3]});
    }
  }
  return page;
}

const std::vector<Page>& AllPages() {
  static const auto* const kPages = [] {
    auto* pages = new std::vector<Page>;
    std::set<std::string> seen;
    Strings open = {""};
    while (!open.empty()) {
      const std::string command = open.back();
      open.pop_back();
      if (!seen.insert(command).second) continue;
      pages->push_back(ReadPage(command));
      for (const std::string& word : pages->back().below) {
        open.push_back(absl::StrCat(command, command.empty() ? "" : " ", word));
      }
    }
    return pages;
  }();
  return *kPages;
}

// The other arguments of a command, so that only the tested option can be wrong. Commands that are
// not listed here are run without other arguments.
std::string Rest(const std::string& command, const std::string& without) {
  static const auto* const kRest = new std::map<std::string, std::string>{
      {"predict", "models/nano picture.png --task image_caption"},
      {"eval", "models/nano --task image_caption --data a.jsonl"},
      {"prompts list", "models/nano"},
      {"prompts show", "image_caption --model models/nano"},
      {"plan show", "one.textproto"},
      {"data check", "a.jsonl --task image_caption --model models/nano"},
      {"data show", "a.jsonl --task image_caption --model models/nano --output made_show"},
      {"data train-tokenizer", "lines.txt made.model --size 30"},
      {"data make-world", "made_world --kind image --count 1 --eval_count 1"},
      {"data fake-sensor", "labels.json made_signals --count 1 --eval_count 1"},
      {"data make-corpus", "made_corpus --sentences 3"},
      {"data make-statements", "made_statements --count 1 --eval_count 1"},
      {"merge", "models/nano models/nano --output made_merge"},
      {"merge front", "models/nano models/nano --task image_caption --data a.jsonl"},
      {"verify", "none.json models/nano"},
      {"vocab add", "models/nano --block a.b=3 --output made_vocab"},
      {"plugin new", "made_plugin"},
      {"inspect", "models/nano"}};
  const auto found = kRest->find(command);
  if (found == kRest->end()) return "";
  return std::regex_replace(found->second, std::regex(" " + without + " \\S+"), "");
}

// For options with numbers: values that are not numbers, or beyond all limits.
Strings NoNumbers(const Listed& option) {
  Strings values = {"18446744073709551616",
                    "1.8e19",
                    "''",
                    "nan",
                    "1e308",
                    "-1",
                    "' '",
                    "inf",
                    "1e309",
                    "0x10",
                    "+",
                    "1_0",
                    "3x",
                    "'3 '",
                    "1,5",
                    "\u0663",
                    "pipe",
                    "full",
                    "\"$(printf '\\033[2J')\"",
                    "\"$(printf '\\377')\"",
                    "$(printf '9%.0s' $(seq 5000))"};
  if (option.kind != "FLOAT") values.insert(values.begin(), "1.5");
  if (option.kind == "INT" && option.limits.empty()) {
    values.erase(std::find(values.begin(), values.end(), "-1"));
  }
  return values;
}

Strings NoWords() {
  return {"''", "none-of-them", "\"$(printf '\\033[2J')\"", "\"$(printf '\\377')\"",
          "$(printf 'w%.0s' $(seq 5000))"};
}

void TryValue(const Page& page, const Listed& option, const std::string& value) {
  // The time is bounded, and the output is short and does not control the terminal.
  const std::string line = absl::StrCat(
      "unival ", page.command, " ", Rest(page.command, option.name), " ", option.name, "=", value);
  Try(Place(), {line, line, {1, 2}, option.name});
}

// Calls `attempt` for each option of each command that `is_meant` selects, with each value. To save
// time, it may use only a few values for each option name, in rotation.
template <typename IsMeant, typename Values, typename Attempt>
int ForEachOption(IsMeant is_meant, Values values_of, Attempt attempt) {
  std::map<std::string, size_t> tried;
  size_t turn = 0;
  int count = 0;
  for (const Page& page : AllPages()) {
    if (!page.below.empty() && page.command != "merge") continue;
    for (const Listed& option : page.options) {
      if (!is_meant(option) || ++tried[option.name] > kOneOption) continue;
      const Strings values = values_of(option);
      for (size_t i = 0; i < std::min(values.size(), kOnePage); ++i, ++count) {
        attempt(page, option, values[(turn + i) % values.size()]);
      }
      turn += kOnePage;
    }
  }
  return count;
}

TEST(OptionSweep, EveryHelpPageIsFound) {
  EXPECT_GT(AllPages().size(), 45u);
  for (const char* command : {"predict", "data check", "merge front", "data make-statements",
                              "plugin check", "quickstart", "convert fairseq"}) {
    const auto& pages = AllPages();
    const auto page = std::find_if(pages.begin(), pages.end(),
                                   [&](const Page& one) { return one.command == command; });
    ASSERT_NE(page, pages.end()) << command;
    EXPECT_GT(page->options.size(), 1u) << page->help;
  }
}

// Checks that the command is valid without the option, so that a later error is caused by the
// option.
TEST(OptionSweep, TheRestOfEachCommandLineIsSound) {
  for (const Page& page : AllPages()) {
    if (Rest(page.command, "").empty() || page.command == "verify") continue;
    const std::string line = absl::StrCat("unival ", page.command, " ", Rest(page.command, ""));
    Try(Place(), {line, line, {0}, ""});
    Place().Shell("rm -rf made*");
  }
}

TEST(OptionSweep, ANumberThatIsNoneIsRefusedByTheNameOfItsOption) {
  const int count = ForEachOption([](const Listed& option) { return option.kind != "TEXT"; },
                                  &NoNumbers, &TryValue);
  std::cout << count << " numbers\n";
  EXPECT_GT(count, 100);
}

TEST(OptionSweep, AWordThatIsNotAmongThoseOfItsOptionIsRefusedByItsName) {
  const auto has_words = [](const Listed& option) {
    return absl::StartsWith(option.limits, ":{") || option.name == "--device";
  };
  const int count = ForEachOption(
      has_words, [](const Listed&) { return NoWords(); }, &TryValue);
  std::cout << count << " words\n";
  EXPECT_GT(count, 20);
}

TEST(OptionSweep, NothingIsRefusedByTheNameOfItsOption) {
  const auto is_text = [](const Listed& option) {
    return option.kind == "TEXT" && option.name != "--text";  // a question may be empty
  };
  const int count = ForEachOption(
      is_text, [](const Listed&) { return Strings{"''"}; }, &TryValue);
  std::cout << count << " empty texts\n";
  EXPECT_GT(count, 40);
}

// A text may be anything. The result must be an answer or one message, in bounded time, without
// anything that controls the terminal.
TEST(OptionSweep, TextsOfEveryKindAreTakenOrRefused) {
  const Strings values = {"\"$(printf 'a\\033[2J\\001\\377')\"", "pipe",   "full",
                          "$(printf 'w%.0s' $(seq 5000))",       "circle", "18446744073709551616"};
  const auto attempt = [](const Page& page, const Listed& option, const std::string& value) {
    const std::string line =
        absl::StrCat("unival ", page.command, " ", Rest(page.command, option.name), " ",
                     option.name, "=", value);
    Try(Place(), {line, line, {0, 1, 2, 3}, ""});
    Place().Shell("rm -rf made*");
  };
  const int count = ForEachOption([](const Listed& option) { return option.kind == "TEXT"; },
                                  [&](const Listed&) { return values; }, attempt);
  std::cout << count << " texts\n";
  EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace unival
