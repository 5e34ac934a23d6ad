// The tasks that a copied modality brings, and what its model says of them.
#include "runtime/adapter_tasks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "runtime/template_hashes.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string TaskText(const std::string& name, const std::string& modality) {
  return absl::StrCat("task { name: \"", name, "\" input { name: \"medium\" modality: \"", modality,
                      "\" } prompt: \" what?\" target: \" {answer:text}\" }\n");
}

// A model directory that holds these template sets, and says that it was trained with `recorded`.
OpenedModel WithSets(const std::string& name, const std::map<std::string, std::string>& sets,
                     const std::string& recorded) {
  const std::string path = NewFolder("adapter_tasks_" + name) + "/model";
  Manifest manifest;
  BaseBlocks blocks;
  blocks.text_size = 6;
  *manifest.mutable_vocabulary() = *BaseLayout(blocks);
  manifest.set_template_set_hash(recorded);
  auto writer = ModelDirectoryWriter::Create(path).value();
  EXPECT_TRUE(writer->AddFolder("templates", sets).ok());
  EXPECT_TRUE(writer->Commit(manifest).ok());
  return OpenedModel::Open(path).value();
}

// The model after its sets became `files`.
OpenedModel After(const std::map<std::string, std::string>& files, const std::string& recorded) {
  return WithSets("after", files, recorded);
}

TEST(AdapterTasks, TheManifestNamesTheSetThatACopyBrings) {
  const OpenedModel from = WithSets(
      "from", {{"all.textproto", TaskText("ask", "image") + TaskText("see", "radar")}}, "");
  const std::map<std::string, std::string> sets = {{"own.textproto", TaskText("ask", "image")}};
  const std::string before = StoredTemplatesHash(WithSets("mine", sets, "").templates());
  const OpenedModel into = WithSets("into", sets, before);
  const AdapterTasks tasks = TasksOfModality(from, into, "radar");
  EXPECT_THAT(tasks.brought, ElementsAre("see"));
  const OpenedModel after = After(tasks.files, tasks.template_set_hash);
  EXPECT_EQ(tasks.template_set_hash, StoredTemplatesHash(after.templates()));
  // Taken out, the model is what it was; and the tasks can come again.
  const RemainingTasks rest = TasksWithoutModality(after, "radar");
  EXPECT_THAT(rest.removed, ElementsAre("see"));
  EXPECT_EQ(rest.files, sets);
  EXPECT_EQ(rest.template_set_hash, before);
  EXPECT_THAT(TasksOfModality(from, After(rest.files, before), "radar").brought,
              ElementsAre("see"));
}

TEST(AdapterTasks, ASetThatWasChangedByHandStaysUnnamed) {
  const OpenedModel from = WithSets("from", {{"a.textproto", TaskText("see", "radar")}}, "");
  const OpenedModel into =
      WithSets("into", {{"own.textproto", TaskText("ask", "image")}}, "xxh128:other");
  const AdapterTasks tasks = TasksOfModality(from, into, "radar");
  const OpenedModel after = After(tasks.files, tasks.template_set_hash);
  const std::string brought =
      TemplateSetHash(**after.templates().at("adapter.radar.textproto").set);
  EXPECT_THAT(RecordedHashes(tasks.template_set_hash),
              UnorderedElementsAre("xxh128:other", brought));
  EXPECT_EQ(TasksWithoutModality(after, "radar").template_set_hash, "xxh128:other");
}

TEST(AdapterTasks, AModelThatNamesNoHashesStillNamesNone) {
  const OpenedModel from = WithSets("from", {{"a.textproto", TaskText("see", "radar")}}, "");
  const OpenedModel into = WithSets("into", {{"own.textproto", TaskText("ask", "image")}}, "");
  EXPECT_EQ(TasksOfModality(from, into, "radar").template_set_hash, "");
}

TEST(AdapterTasks, ASetThatAnotherModalityUsesStays) {
  const OpenedModel model = WithSets(
      "mixed", {{"adapter.radar.textproto", TaskText("see", "radar") + TaskText("ask", "image")}},
      "");
  EXPECT_THAT(TasksWithoutModality(model, "radar").removed, IsEmpty());
  EXPECT_THAT(TasksWithoutModality(model, "image").removed, IsEmpty());
}

}  // namespace
}  // namespace unival
