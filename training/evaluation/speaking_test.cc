#include "training/evaluation/speaking.h"

#include <gtest/gtest.h>

namespace unival {
namespace {

std::string Text(const std::vector<HardWord>& words) {
  std::string text;
  for (const HardWord& word : words) text += word.word + ">" + word.instead + ";";
  return text;
}

TEST(CompareWords, PairsWhatStandsInAWordsPlace) {
  EXPECT_EQ(Text(CompareWords("a still target", "a still target")), "");
  EXPECT_EQ(Text(CompareWords("a still target", "a still tt")), "target>tt;");
  EXPECT_EQ(Text(CompareWords("a still target, near", "a gray square, near")),
            "still>gray;target,>square,;");
}

TEST(CompareWords, KeepsItsPlaceWhenWordsAreMissingOrTooMany) {
  EXPECT_EQ(Text(CompareWords("the pump runs dry", "the runs dry")), "pump>;");
  EXPECT_EQ(Text(CompareWords("the pump runs", "the pu mp runs")), "pump>pu mp;");
  EXPECT_EQ(Text(CompareWords("the pump runs", "")), "the>;pump>;runs>;");
  EXPECT_EQ(Text(CompareWords("the pump", "the pump pump")), "") << "nothing is lacking";
}

TEST(SpeakingWarning, NamesWordsWhatIsSaidAndRemedies) {
  SpeakingReport report;
  report.texts = 3;
  EXPECT_EQ(SpeakingWarning(report, 5), "");
  report.missed = {{"a still target", "a still tt"}};
  report.hard_words = {{"target", "tt", 2}, {"pump", "", 1}, {"dry", "day", 1}};
  const std::string warning = SpeakingWarning(report, 2);
  for (const char* part : {"1 of 3", "\"target\" (it says \"tt\")", "\"pump\" (it says nothing)",
                           "1 more", "trainable: \"backbone\""}) {
    EXPECT_NE(warning.find(part), std::string::npos) << part << "\n" << warning;
  }
}

}  // namespace
}  // namespace unival
