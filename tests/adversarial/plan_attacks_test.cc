// Attacks by training plans: one change of a good plan each; refused before a model is loaded.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"
#include "training/config/plan.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kGood[] = R"(
name: "p"
model: "model"
templates: "set.textproto"
stage {
  source { task: "t" path: "a.jsonl" }
  trainable: "all"
  steps: 10
  batch: 2
  optimizer { learning_rate: 0.001 }
}
evaluation { name: "e" task: "t" path: "a.jsonl" }
)";

// The folder of the plan, with all files that it names.
std::string Workplace() {
  const std::string folder = NewFolder();
  fs::create_directories(folder + "/model");
  WriteText(folder + "/set.textproto", "");
  WriteText(folder + "/a.jsonl", "{}\n");
  return folder;
}

absl::Status Check(const std::string& folder, const std::string& text) {
  auto plan = LoadPlan(WriteText(folder + "/plan.textproto", text));
  if (!plan.ok()) return plan.status();
  ResolvePlan({}, &plan->proto);
  return CheckPlan(*plan);
}

TEST(PlanAttacks, TheGoodPlanIsTaken) { Attack("plan: good").Harmless(Check(Workplace(), kGood)); }

TEST(PlanAttacks, BytesInANameAreNoReason) {
  const std::string folder = Workplace();
  for (const char* name : {"\xff\xfe", "\xed\xa0\x80", "\\033[2J", "a/../b"}) {
    const Attack attack("plan: a name");
    attack.Harmless(
        Check(folder,
              absl::StrReplaceAll(kGood, {{"name: \"p\"", absl::StrCat("name: \"", name, "\"")}})));
  }
}

TEST(PlanAttacks, OneWrongFieldEach) {
  const std::string folder = Workplace();
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"steps: 10", "steps: 0"},
      {"steps: 10", "steps: -1"},
      {"steps: 10", "steps: 9223372036854775807"},
      {"steps: 10", "steps: 99999999999999999999999"},
      {"steps: 10", "steps: nan"},
      {"steps: 10", "steps: 1.5"},
      {"steps: 10", "steps: 10 micro_batches: 0"},
      {"steps: 10", "steps: 10 micro_batches: -1"},
      {"steps: 10", "steps: 10 micro_batches: 2147483647"},
      {"steps: 10", "steps: 10 checkpoint_every: -1"},
      {"steps: 10", "steps: 10 log_every: -5"},
      {"steps: 10", "steps: 10 precision: \"float7\""},
      {"steps: 10", "steps: 10 cache { variants: -1 }"},
      {"steps: 10", "steps: 10 nothing: 1"},
      {"batch: 2", "batch: 0"},
      {"batch: 2", "batch: -2"},
      {"batch: 2", "batch: 2147483647"},
      {"learning_rate: 0.001", "learning_rate: 0"},
      {"learning_rate: 0.001", "learning_rate: -1"},
      {"learning_rate: 0.001", "learning_rate: nan"},
      {"learning_rate: 0.001", "learning_rate: inf"},
      {"learning_rate: 0.001", "learning_rate: 1e999"},
      {"learning_rate: 0.001", "learning_rate: 1 beta1: 1"},
      {"learning_rate: 0.001", "learning_rate: 1 beta2: nan"},
      {"learning_rate: 0.001", "learning_rate: 1 epsilon: -1"},
      {"learning_rate: 0.001", "learning_rate: 1 epsilon: inf"},
      {"learning_rate: 0.001", "learning_rate: 1 weight_decay: nan"},
      {"learning_rate: 0.001", "learning_rate: 1 clip_norm: -1"},
      {"learning_rate: 0.001", "learning_rate: 1 warmup_ratio: 2"},
      {"learning_rate: 0.001", "learning_rate: 1 flat_ratio: nan"},
      {"learning_rate: 0.001", "learning_rate: 1 ema_decay: 1"},
      {"learning_rate: 0.001", "learning_rate: 1 type: \"../adam\""},
      {"learning_rate: 0.001", "learning_rate: 1 schedule: \"\\033[2J\""},
      {"learning_rate: 0.001", "learning_rate: 1 option { key: \"x\" value: 1 }"},
      {"trainable: \"all\"", ""},
      {"trainable: \"all\"", "trainable: \"everything\""},
      {"trainable: \"all\"", "trainable: \"name:(\""},
      {"trainable: \"all\"", "trainable: \"name:" + std::string(1 << 20, 'a') + "\""},
      {"trainable: \"all\"", "trainable: \"name:" + std::string(3000, '(') + "\""},
      {"task: \"t\" path: \"a.jsonl\" }\n  trainable",
       "task: \"\" path: \"a.jsonl\" }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"\" }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"none.jsonl\" }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable",
       "path: \"" + std::string(5000, 'n') + "\" }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" weight: -1 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" weight: nan }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" weight: inf }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" weight: 0 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" unlock_step: 10 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" unlock_step: -1 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" batch: -1 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" batch: 2000000000 }\n  trainable"},
      {"path: \"a.jsonl\" }\n  trainable", "path: \"a.jsonl\" limit: -1 }\n  trainable"},
      {"optimizer {", "loss { label_smoothing: 1 } optimizer {"},
      {"optimizer {", "loss { label_smoothing: nan } optimizer {"},
      {"optimizer {", "loss { log_end: 2 } optimizer {"},
      {"optimizer {", "loss { drop_worst_ratio: 1 } optimizer {"},
      {"optimizer {", "loss { drop_worst_after: -1 } optimizer {"},
      {"name: \"e\"", "name: \"../e\""},
      {"name: \"e\"", "name: \"a/b\""},
      {"name: \"e\"", "name: \"\\033[2J\""},
      {"name: \"e\"", "name: \"" + std::string(300, 'e') + "\""},
      {"name: \"e\"", "name: \"e\\000f\""},
      {"model: \"model\"", ""},
      {"model: \"model\"", "model: \"none\""},
      {"model: \"model\"", "model: \"model\" fresh_model { }"},
      {"model: \"model\"", "model: \"model\" new_modality { }"},
      {"templates: \"set.textproto\"", "templates: \"none.textproto\""},
      {"name: \"p\"", "nmae: \"p\""},
      {"name: \"p\"", "name: \"p\" name: \"q\""},
      {"stage {", "stages {"},
      {"evaluation {", "evaluation { name: \"e\" task: \"t\" path: \"a.jsonl\" } evaluation {"},
  };
  for (const auto& [from, to] : changes) {
    const std::string text = absl::StrReplaceAll(kGood, {{from, to}});
    ASSERT_NE(text, kGood) << from;
    const Attack attack("plan: " + to.substr(0, 80));
    attack.Refused(Check(folder, text));
  }
}

TEST(PlanAttacks, FilesThatAreNone) {
  const std::string folder = Workplace();
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  fs::create_symlink("circle", folder + "/circle");
  WriteText(folder + "/sparse", "");
  fs::resize_file(folder + "/sparse", uint64_t{1} << 40);
  WriteText(folder + "/empty", "");
  WriteText(folder + "/braces", std::string(1 << 20, '{'));
  WriteText(folder + "/stages", [] {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += "stage { stage { ";
    return text;
  }());
  for (const std::string& name :
       {std::string("pipe"), std::string("circle"), std::string("sparse"), std::string("empty"),
        std::string("braces"), std::string("stages"), std::string("none"), std::string("."),
        std::string(300, 'n'), std::string("/dev/zero"), std::string("/dev/full")}) {
    const Attack attack("plan file: " + name.substr(0, 40));
    auto plan = LoadPlan(name[0] == '/' ? name : folder + "/" + name);
    attack.Refused(plan.ok() ? CheckPlan(*plan) : plan.status());
  }
}

}  // namespace
}  // namespace unival
