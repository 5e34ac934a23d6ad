#include "tests/layering/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <iterator>

namespace unival {
namespace {

using ::testing::IsEmpty;

// CONTRIBUTING.md: files around 150 lines, functions around 10. Much longer ones must give the
// reason.
constexpr int kLongFile = 300, kLongTest = 500, kLongFunction = 40;

// Longer files whose reason is given here, because users copy these headers.
constexpr const char* kReasons[][2] = {
    {"sdk/abi/unival_plugin.h", "a plugin in C includes one header"},
    {"sdk/cpp/unival_plugin.hpp", "a plugin in C++ includes one header, with the one below"},
    {"sdk/cpp/unival_plugin_tables.hpp", "what stands behind unival_plugin.hpp"},
};

bool IsExcused(const std::string& place) {
  return std::any_of(std::begin(kReasons), std::end(kReasons),
                     [&place](const auto& reason) { return place == reason[0]; });
}

bool IsTest(const std::string& place) { return place.find("_test.") != std::string::npos; }

// Prints the ten longest. Returns those that are longer than `bound` and give no reason.
template <typename Bound>
std::vector<std::string> Unreasoned(const std::string& title, const std::vector<Length>& sizes,
                                    const Bound& bound) {
  std::vector<std::string> found;
  std::cout << "longest " << title << ":\n";
  for (size_t i = 0; i < sizes.size(); ++i) {
    const std::string text = std::to_string(sizes[i].lines) + " " + sizes[i].place;
    if (i < 10) std::cout << "  " << text << "\n";
    const bool is_long = sizes[i].lines > bound(sizes[i].place);
    if (is_long && !sizes[i].has_reason && !IsExcused(sizes[i].place)) found.push_back(text);
  }
  return found;
}

TEST(Sizes, LongFilesSayWhy) {
  EXPECT_THAT(
      Unreasoned("files", FileSizes(ReadSourceTree(SourceRoot())),
                 [](const std::string& place) { return IsTest(place) ? kLongTest : kLongFile; }),
      IsEmpty())
      << "split them, or say at their head why they are in one piece";
}

TEST(Sizes, LongFunctionsSayWhy) {
  EXPECT_THAT(Unreasoned("functions", FunctionSizes(ReadSourceTree(SourceRoot())),
                         [](const std::string&) { return kLongFunction; }),
              IsEmpty())
      << "split them, or say above them why they are in one piece";
}

// Tests of the measures themselves, on an invented file.

TEST(FunctionSizes, AreThoseOfHeadAndBody) {
  const SourceFile file{"a.cc", R"(namespace n {
// A list, in one piece.
std::vector<int> Outer(
    int x) {
  auto inner = [](int y) {
    return y;
  };
  if (x) { return {}; }
}
class Made {
 public:
  explicit Made(int x) : x_(x) {
    F("}");
  }
  int x_ = F(1);
  int Get() const { return x_; }
};
Made::~Made() {
}
TEST(A, B) {
  int x;
}
struct Table table = {1, 2};
})"};
  std::string seen;
  for (const Length& size : FunctionSizes({file})) {
    seen += size.place + "=" + std::to_string(size.lines) + (size.has_reason ? "! " : " ");
  }
  EXPECT_EQ(seen, "a.cc:3 Outer=7! a.cc:12 Made=3 a.cc:18 Made=2 a.cc:16 Get=1 ");
}

TEST(FileSizes, CountLinesAndFindTheReasonAtTheHead) {
  const auto sizes = FileSizes({{"a.h", "// all of it\n// in one piece\nint x;\n"},
                                {"b.cc", "int x;\n// in one piece\n"},
                                {"c.md", "text\n"}});
  ASSERT_EQ(sizes.size(), 2u);
  EXPECT_EQ(sizes[0].lines, 3);
  EXPECT_TRUE(sizes[0].has_reason);
  EXPECT_FALSE(sizes[1].has_reason);
}

}  // namespace
}  // namespace unival
