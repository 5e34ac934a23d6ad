// `prompts check`: labels that nobody can tell apart in an answer, and settings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/integration/cli/program.h"

namespace unival {
namespace {

using nlohmann::json;

TEST(PromptsCheck, NamesLabelsThatAreBlankOrDifferInBlanksAlone) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("blanks.textproto"), R"(name: "blanks"
task {
  name: "pick"
  prompt: " is it {question}?"
  target: " {answer:label}"
  labels { slot: "answer" values: "yes" values: " yes " values: "not  sure" values: "not sure"
           values: "" values: "  " }
}
task {
  name: "say"
  prompt: " say {question}"
  target: " {answer}"
  mask_ratio: 0.3 mask_span_mean: -2
  negatives { column: "question" answer: "answer" share: 3 }
  generation { score_candidates: true }
  also { task: "nobody" }
}
)");
  const Outcome outcome = program.Run("prompts check blanks.textproto --model models/tiny --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  const json report = json::parse(outcome.out);
  std::map<std::string, std::vector<json>> kinds;
  for (const json& problem : report.at("problems")) kinds[problem["kind"]].push_back(problem);
  ASSERT_EQ(kinds.count("label_empty"), 1u);
  EXPECT_EQ(kinds.at("label_empty").size(), 2u);
  ASSERT_EQ(kinds.count("label_same_pieces"), 1u);
  ASSERT_EQ(kinds.at("label_same_pieces").size(), 2u) << "one report for each pair";
  EXPECT_EQ(kinds.at("label_same_pieces")[0]["what"],
            "value \" yes \" differs from \"yes\" in blanks alone");
  EXPECT_EQ(kinds.at("label_same_pieces")[1]["what"],
            "value \"not sure\" differs from \"not  sure\" in blanks alone");
  ASSERT_EQ(kinds.count("setting"), 1u);
  EXPECT_EQ(kinds.at("setting").size(), 3u) << "mask_span_mean, share, score_candidates";
  EXPECT_EQ(kinds.count("also"), 1u);
}

TEST(PromptsCheck, NamesSettingsThatDoNotFitEachOtherOrTheModel) {
  const Program& program = TinyWorkplace();
  WriteText(program.Path("misfits.textproto"), R"(name: "misfits"
task {
  name: "many"
  prompt: " {question}"
  target: " {answer}"
  generation { beam: 2 n_best: 5 }
}
task {
  name: "long"
  prompt: " {question}"
  target: " {answer}"
  generation { min_tokens: 1024 max_tokens: 1024 }
}
task {
  name: "free"
  prompt: " {question}"
  target: " {answer}"
  unconstrained: true
}
)");
  const Outcome outcome = program.Run("prompts check misfits.textproto --model models/tiny --json");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  std::map<std::string, json> of_task;
  const json report = json::parse(outcome.out);
  for (const json& problem : report.at("problems")) {
    const bool is_first = of_task.emplace(problem["task"].get<std::string>(), problem).second;
    EXPECT_TRUE(is_first) << problem;
  }
  ASSERT_EQ(of_task.size(), 3u) << outcome.out;
  EXPECT_EQ(of_task["many"]["kind"], "setting");
  EXPECT_EQ(of_task["long"]["kind"], "setting");
  EXPECT_EQ(of_task["long"]["what"],
            "generation.min_tokens: expected at most 128, the model's positions, got 1024");
  EXPECT_EQ(of_task["free"]["kind"], "target");
  WriteText(program.Path("misfit.textproto"),
            "name: \"misfit\" task { name: \"many\" prompt: \" {question}\" target: \" "
            "{answer}\" generation { beam: 2 n_best: 5 } }");
  const Outcome added =
      program.Run("prompts add models/tiny misfit.textproto --output models/misfit");
  EXPECT_EQ(added.code, 3) << added.err;
  EXPECT_NE(added.out.find("generation.n_best: expected at most"), std::string::npos) << added.out;
}

}  // namespace
}  // namespace unival
