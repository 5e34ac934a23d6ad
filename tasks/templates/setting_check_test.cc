// Settings of a set that do not fit together, stand there twice, or change nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tasks/templates/template_set.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

std::string TaskOf(const std::string& fields) {
  return absl::StrCat("task { name: \"t\" prompt: \" {x}\" ", fields, " }");
}

absl::Status ReadFromFile(const std::string& set) {
  return ParseTemplateSet(set, "s.textproto", ".").status();
}

struct Misfit {
  std::string fields, expected;
};

// A set that a model stores stays readable.
void ExpectRefusedUnlessStored(const std::vector<Misfit>& misfits) {
  for (const Misfit& misfit : misfits) {
    const std::string set = TaskOf(misfit.fields);
    EXPECT_THAT(std::string(ReadFromFile(set).message()), HasSubstr(misfit.expected)) << set;
    const auto stored = ParseTemplateSet(set, "s.textproto", "");
    EXPECT_TRUE(stored.ok()) << stored.status();
  }
}

TEST(SettingCheck, GenerationThatCannotRunIsRefusedWhenASetIsRead) {
  ExpectRefusedUnlessStored({
      {"target: \" {y}\" generation { beam: 2 n_best: 5 }",
       "generation: generation.n_best: expected at most generation.beam, 2, got 5"},
      {"target: \" {y}\" generation { n_best: 65 }", "expected at most 64, got 65"},
      {"target: \" {y}\" generation { sample: true n_best: 65 }", "expected at most 64, got 65"},
      {"target: \" {y}\" generation { sample: true temperature: 0 n_best: 2 }",
       "1, as temperature 0 gives one answer, got 2"},
      {"target: \" {y}\" generation { min_tokens: 65 }", "min_tokens: expected at most 64"},
      {"target: \"{y:box}\" generation { min_tokens: 5 }", "min_tokens: expected at most 4"},
      {"target: \"{y:codes}\" codes_block: \"core.image_code\" generation { min_tokens: 65 }",
       "min_tokens: expected at most 64"},
  });
}

TEST(SettingCheck, GenerationThatCanRunIsRead) {
  for (const char* fields :
       {"target: \" {y}\" generation { beam: 5 n_best: 5 min_tokens: 64 }",
        "target: \" {y}\" generation { sample: true n_best: 64 }",
        "target: \" {y}\" generation { min_tokens: 65 max_tokens: 65 }",
        "target: \"{y:box}\" generation { min_tokens: 4 }",
        "target: \" {y:label}\" labels { slot: \"y\" values: \"a\" values: \"b\" } "
        "generation { score_candidates: true n_best: 100 min_tokens: 65 mask_after_softmax: true }",
        "target: \"{y:box}\" generation { mask_after_softmax: true }",
        "target: \"{y:box}\" unconstrained: true",
        "target: \" {y}\" prompt_in_decoder: true prompt_end_in_decoder: true",
        "target: \" {y}\" mask_ratio: 0.3 mask_span_mean: 0.1",
        "target: \" {y}\" clean { column: \"x\" rule: 2 } clean { column: \"y\" rule: 2 }"}) {
    const absl::Status read = ReadFromFile(TaskOf(fields));
    EXPECT_TRUE(read.ok()) << fields << "\n" << read;
  }
}

TEST(SettingCheck, WhatStandsThereTwiceIsNamed) {
  ExpectRefusedUnlessStored({
      {"target: \" {y}\" metric: \"bleu\" metric: \"accuracy\" metric: \"bleu\"",
       "metric:2: \"bleu\" stands above already"},
      {"target: \" {y}\" clean { column: \"x\" rule: TEXT_CLEANING_CAPTION } "
       "clean { column: \"x\" max_words: 3 }",
       "clean:1: column \"x\" is cleaned above already"},
      {"target: \" {y}\" paraphrase: \" is {x}\" paraphrase: \" is {x}\"",
       "paraphrase:1: is the same as one above"},
      {"target: \" {y}\" paraphrase: \" {x}\"", "paraphrase:0: is the same as the prompt"},
  });
}

TEST(SettingCheck, WhatChangesNothingIsNamed) {
  ExpectRefusedUnlessStored({
      {"target: \" {y}\" clean { column: \"x\" rule: 9 }", "rule: expected 0 to 3, got 9"},
      {"target: \" {y}\" generation { mask_after_softmax: true }",
       "mask_after_softmax: needs a closed set"},
      {"target: \" {y}\" prompt_end_in_decoder: true", "needs prompt_in_decoder: true"},
      {"target: \" {y}\" unconstrained: true", "unconstrained: needs a box or codes slot"},
      {"target: \" {y}\" codes_block: \"core.image_code\"", "codes_block: no slot writes codes"},
      {"target: \" {y}\" mask_ratio: 0.3 mask_span_mean: 1e-30",
       "mask_span_mean: expected 0, or 0.1 to 64, got 1e-30"},
  });
}

TEST(SettingCheck, AFurtherExampleStandsThereOnce) {
  const std::string other = "task { name: \"u\" prompt: \" {a}\" target: \" {b}\" }";
  const auto also = [&other](const std::string& fields) {
    return absl::StrCat(
        TaskOf("target: \" {y}\" also { task: \"u\" } also { task: \"u\" " + fields + " }"), other);
  };
  EXPECT_THAT(std::string(ReadFromFile(also("")).message()),
              HasSubstr("also:1: task: \"u\" stands above with the same columns"));
  EXPECT_TRUE(ParseTemplateSet(also(""), "s.textproto", "").ok());
  const absl::Status differ = ReadFromFile(also("columns { key: \"a\" value: \"x\" }"));
  EXPECT_TRUE(differ.ok()) << differ;
}

}  // namespace
}  // namespace unival
