// The tables of plugin kinds name what the registry holds, and texts that the program holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "app/plugin/component_checks.h"
#include "app/plugin/scaffold_kinds.h"
#include "runtime/test_runtime.h"

namespace unival {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

// Keeps nothing: what is asked here is said in the status.
class Unheard : public CheckObserver {
 public:
  void Begins(const std::string&) override {}
  void Ends(const ConformanceRow&) override {}
  void Component(const std::string&) override {}
  void Calls(const std::string&) override {}
};

// The program registers parts of every kind but tasks, which come with models and plugins.
std::set<std::string> KindsOfTheRegistry() {
  std::set<std::string> kinds = {"task"};
  for (const Registry::Entry& entry : TheRuntime().registry().List()) kinds.insert(entry.kind);
  return kinds;
}

TEST(KindTables, EveryKindOfTheRegistryIsCheckedAndCanBeWritten) {
  EXPECT_THAT(CheckedKinds(), UnorderedElementsAreArray(KindsOfTheRegistry()));
  std::vector<std::string> written;
  for (const ScaffoldKind& kind : ScaffoldKindTable()) written.push_back(kind.name);
  EXPECT_THAT(written, UnorderedElementsAreArray(KindsOfTheRegistry()));
}

TEST(KindTables, AKindWithoutRulesIsAnError) {
  const Registry::Entry entry = {"smell", "rose", "", ""};
  Unheard observer;
  const PluginCheckOptions options;
  const PluginSamples samples;
  const auto report = CheckComponent({entry, TheRuntime(), options, samples, observer});
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(report.status().message()),
              HasSubstr("smell rose cannot be checked: there are no rules for its kind"));
}

TEST(KindTables, EveryKindHasItsTextInEachOfItsTiers) {
  std::set<std::string> texts;
  for (const EmbeddedFile* file = kScaffold; file->path != nullptr; ++file) {
    texts.insert(file->path);
    EXPECT_STRNE(file->text, "") << file->path;
  }
  for (const ScaffoldKind& kind : ScaffoldKindTable()) {
    for (const ScaffoldVariant& variant : kind.variants) {
      const char* ending = variant.tier == 3 ? ".textproto.in" : ".cc.in";
      const std::string text = absl::StrCat("tier", variant.tier, "_", kind.name, ending);
      EXPECT_EQ(texts.count(text), 1u) << text;
      EXPECT_NE(FindScaffoldTier(variant.tier), nullptr) << text;
    }
  }
}

}  // namespace
}  // namespace unival
