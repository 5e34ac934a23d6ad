#include "app/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCellAndLinesEndWithoutBlanks) {
  EXPECT_EQ(TextTable({{"id", "size", "why"}, {"größe", "7", ""}, {"b"}}, "  "),
            "  id     size  why\n"
            "  größe  7\n"
            "  b\n");
  EXPECT_EQ(TextTable({}), "");
  EXPECT_EQ(TextTable({{"", "x"}, {"a long key", "y"}}), "            x\na long key  y\n");
}

TEST(TextTable, ALongCellMovesItsOwnRowAlone) {
  const std::string wide(41, 'w');
  EXPECT_EQ(TextTable({{"a", "b"}, {wide, "c"}}), "a  b\n" + wide + "  c\n");
}

TEST(LinesOfItems, KeepToTheirWidth) {
  EXPECT_THAT(LinesOfItems({"wav", "flac", "mp3", "opus"}, 10),
              ElementsAre("wav, flac,", "mp3, opus"));
  EXPECT_THAT(LinesOfItems({"a word that is longer", "b"}, 5),
              ElementsAre("a word that is longer,", "b"));
  EXPECT_THAT(LinesOfItems({}, 5), IsEmpty());
}

}  // namespace
}  // namespace unival
