// Texts of a megabyte where words are expected, and input that would make a search take for ever.

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/adversarial/command_attack.h"

namespace unival {
namespace {

constexpr int kMega = 1 << 20;

std::string Times(const std::string& text, int count) {
  std::string all;
  all.reserve(text.size() * static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

std::string Numbered(const std::string& before, int count, const std::string& behind) {
  std::string all;
  for (int i = 0; i < count; ++i) absl::StrAppend(&all, before, i, behind);
  return all;
}

// Writes labels and a task that uses them. Returns the command that runs the task.
std::string AskWithLabels(const std::string& labels) {
  WriteText(Workplace().Path("large_labels.txt"), labels);
  WriteText(Workplace().Path("large.textproto"),
            "task { name: \"t\" prompt: \"what\" target: \"{y:label}\" input { name: \"image\" "
            "modality: \"image\" } labels { slot: \"y\" file: \"large_labels.txt\" } }");
  return "unival predict models/nano picture.png --task t --templates large.textproto";
}

TEST(TextAttacks, LabelsOfAMegabyte) {
  for (const auto& [name, labels, codes] :
       std::vector<std::tuple<std::string,
                              std::string, std::vector<int>>>{{"one word",
                                                               Times("x", kMega) + "\nb\n",
                                                               {1}},
                                                              {"one text",
                                                               Times("a red cat ", kMega / 10) +
                                                                   "\nb\n",
                                                               {1}},
                                                              {"a hundred thousand words",
                                                               Numbered("w", 150000, "\n"),
                                                               {0}},
                                                              {"patterns",
                                                               Numbered("(a+)+|(b|b)*", 50000,
                                                                        "$\n"),
                                                               {0}},
                                                              {"what a prefix tree is deepest of",
                                                               [] {
                                                                 std::string lines;
                                                                 for (int i = 1; i < 1000; ++i)
                                                                   lines += Times("a ", i) + "\n";
                                                                 return lines;
                                                               }(),
                                                               {0, 1}},
                                                              {"brackets",
                                                               Times("(", kMega) + "\n",
                                                               {1}},
                                                              {"the same word",
                                                               Times("a\n", kMega / 2),
                                                               {1}},
                                                              {"no lines", Times("\n", kMega), {1}},
                                                              {"zeros",
                                                               std::string(kMega, '\0') + "\n",
                                                               {1}},
                                                              {"half characters",
                                                               Times("\xc3\n", kMega / 2),
                                                               {1}}}) {
    Try(Workplace(), {"labels: " + name, AskWithLabels(labels), codes, ""});
  }
}

TEST(TextAttacks, TemplatesOfAMegabyte) {
  const auto task = [](const std::string& fields) {
    return "task { name: \"t\" target: \"{y}\" input { name: \"image\" modality: \"image\" } " +
           fields + " }";
  };
  for (const auto& [name, text, code] : std::vector<std::tuple<std::string, std::string, int>>{
           {"a prompt", task("prompt: \"" + Times("p ", kMega / 2) + "\""), 1},
           {"slots", task("prompt: \"" + Numbered("{a", 100000, "}") + "\""), 1},
           {"braces", task("prompt: \"" + Times("{", kMega) + "\""), 1},
           {"pairs of braces", task("prompt: \"" + Times("{}", kMega / 2) + "\""), 1},
           {"a slot that never ends", task("prompt: \"{" + Times("a", kMega) + "\""), 1},
           {"a type", task("prompt: \"{a:" + Times("b", kMega) + "}\""), 1},
           {"a metric", task("prompt: \"p\" metric: \"" + Times("m", kMega) + "\""), 1},
           {"metrics", task("prompt: \"p\" " + Times("metric: \"none\" ", kMega / 15)), 1},
           {"wordings", task("prompt: \"p\" " + Numbered("paraphrase: \"p", 40000, "\" ")), 0},
           {"inputs",
            task("prompt: \"p\" " +
                 Numbered("input { name: \"i", 20000, "\" modality: \"image\" } ")),
            1},
           {"tasks", Numbered("task { name: \"t", 20000, "\" prompt: \"p\" target: \"{y}\" } "), 1},
           {"one task many times",
            Times("task { name: \"t\" prompt: \"p\" target: \"{y}\" } ", 20000), 1}}) {
    WriteText(Workplace().Path("large.textproto"), text);
    Try(Workplace(), {"template: " + name,
                      "unival predict models/nano picture.png --task t --templates large.textproto",
                      {code},
                      ""});
  }
}

TEST(TextAttacks, PatternsOfAPlan) {
  const auto plan = [](const std::string& stage, const std::string& more) {
    return "name: \"x\" model: \"models/nano\" stage { " + stage +
           " steps: 1 batch: 1 optimizer { learning_rate: 1 } source { task: \"image_caption\" "
           "path: \"a.jsonl\" } } " +
           more;
  };
  const std::vector<std::string> patterns = {Times("a", kMega),
                                             Times("(", 4000),
                                             Times("(", 2000) + Times(")", 2000),
                                             Times("(a*)*", 800),
                                             "((((x{30}){30}){30}){30})",
                                             "(x{1000}){1000}",
                                             Times("[a-z]{900}", 400),
                                             "[",
                                             "*",
                                             "(?P<n>a)(?P<n>b)",
                                             "\\\\x{110000}",
                                             Times("(.*)", 1000) + "b",
                                             std::string("\\xff\\xfe"),
                                             Times("a|", 2000),
                                             Times(".?", 2000) + "b"};
  for (const std::string& pattern : patterns) {
    for (const auto& text :
         {plan("trainable: \"name:" + pattern + "\"", ""),
          plan("trainable: \"adapter:a\" ",
               "adapter { id: \"a\" kind: \"lora\" target: \"name:" + pattern + "\" }")}) {
      WriteText(Workplace().Path("pattern.textproto"), text);
      Try(Workplace(),
          {"pattern: " + pattern.substr(0, 40) +
               (text.find("lora") == std::string::npos ? " of trainable" : " of an adapter"),
           "unival plan show pattern.textproto",
           {1},
           ""});
    }
  }
}

}  // namespace
}  // namespace unival
