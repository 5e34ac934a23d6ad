// Sources are formatted by clang-format, and no line is longer than 100 columns. This includes
// comments, which clang-format does not always wrap.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdk/base/test_shell.h"
#include "tests/layering/rules.h"
#include "tests/layering/source_tree.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Files of other projects, and headers of past versions, which do not change.
bool IsOwn(const std::string& path) {
  for (const char* foreign : {"sdk/abi/dlpack/", "sdk/abi/frozen/", "tests/compat/v"}) {
    if (StartsWith(path, foreign)) return false;
  }
  return true;
}

bool IsFormatted(const std::string& path) {
  return IsCode(path) && !EndsWith(path, ".proto") && IsOwn(path);
}

TEST(Style, SourcesAreFormatted) {
  const std::string root = SourceRoot();
  std::string files;
  int count = 0;
  for (const SourceFile& file : ReadSourceTree(root)) {
    if (!IsFormatted(file.path)) continue;
    files += " '" + file.path + "'";
    ++count;
  }
  ASSERT_GT(count, 300);
  const ShellOutcome outcome =
      RunShell("cd '" + root + "' && clang-format --dry-run -Werror --ferror-limit=1" + files);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err << "clang-format -i FILE mends this";
}

TEST(Style, NoLineIsLongerThanAHundredColumns) {
  std::vector<SourceFile> own;
  for (const SourceFile& file : ReadSourceTree(SourceRoot())) {
    if (IsCode(file.path) && IsOwn(file.path)) own.push_back(file);
  }
  EXPECT_THAT(LongLines(own, 100), IsEmpty());
}

TEST(LongLinesRule, CountsCharactersAndNamesTheLine) {
  const std::string wide = "// " + std::string(97, 'x');
  std::string accents = "// ";
  for (int i = 0; i < 97; ++i) accents += "\xc3\xa9";
  const std::vector<SourceFile> files = {{"a.cc", accents + "\n" + wide + "\n" + wide + "x\n"}};
  EXPECT_THAT(LongLines(files, 100), ElementsAre("a.cc:3: 101 columns, at most 100"));
}

}  // namespace
}  // namespace unival
