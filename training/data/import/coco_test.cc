// COCO's layouts, small, as the test makes them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "training/data/import/test_dataset.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CocoLayout, CaptionsOfAPictureAreOneRecord) {
  const Dataset data;
  data.File("annotations/captions_train2014.json", absl::StrCat(kCocoImages, R"("annotations": [
        {"image_id": 9, "id": 1, "caption": "A dog. "},
        {"image_id": 8, "id": 2, "caption": "A cat."},
        {"image_id": 9, "id": 4, "caption": "  "},
        {"image_id": 9, "id": 3, "caption": "The dog sits"}]})"));
  data.File("train2014/9.jpg");
  const auto report = data.Import("coco-captions", "train");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_EQ(report->left_out.size(), 2);
  EXPECT_THAT(report->left_out.at("the media file is not there").examples,
              ElementsAre("train2014/8.jpg"));
  EXPECT_THAT(report->left_out.at("the text is empty").examples, ElementsAre("9.jpg"));
  EXPECT_THAT(report->media_root, IsEmpty());
  const auto records = data.Records();
  EXPECT_EQ(Media(records[0], "image"), "in/train2014/9.jpg");
  EXPECT_THAT(List(records[0], "caption"), ElementsAre("A dog.", "The dog sits"));
  EXPECT_EQ(Number(records[0], "width"), 640);
  EXPECT_THAT(data.Error("coco-captions", "val"), HasSubstr("got only train2014"));
}

TEST(CocoLayout, TwoYearsOfASplitMustBeTold) {
  const Dataset data;
  for (const char* year : {"2014", "2017"}) {
    data.File(
        absl::StrCat("annotations/captions_val", year, ".json"),
        absl::StrCat(kCocoImages, R"("annotations": [{"image_id": 9, "id": 1, "caption": "x"}]})"));
    data.File(absl::StrCat("val", year, "/9.jpg"));
  }
  EXPECT_THAT(data.Error("coco-captions", "val"), HasSubstr("val2014, val2017"));
  EXPECT_EQ(data.Import("coco-captions", "val2017")->samples, 1);
}

// Most pictures of the validation split of 2014 are trained on since 2017.
TEST(CocoLayout, SplitsOfTwoYearsThatShareMostPicturesMustBeTold) {
  const Dataset data;
  for (const char* split : {"train2017", "val2014"}) {
    data.File(
        absl::StrCat("annotations/captions_", split, ".json"),
        absl::StrCat(kCocoImages, R"("annotations": [{"image_id": 9, "id": 1, "caption": "x"}]})"));
    data.File(absl::StrCat(split, "/9.jpg"));
  }
  EXPECT_THAT(data.Error("coco-captions"), HasSubstr("train2017, val2014, which share pictures"));
  EXPECT_EQ(data.Import("coco-captions", "train")->samples, 1);
}

TEST(CocoLayout, BoxesBecomeCornersAndClassesAreCounted) {
  const Dataset data;
  data.File("annotations/instances_val2017.json", absl::StrCat(kCocoImages, R"("annotations": [
      {"id": 1, "image_id": 9, "category_id": 3, "bbox": [10, 20, 30.5, 40], "iscrowd": 0,
       "segmentation": [[1, 2, 3, 4]]},
      {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 1,
       "segmentation": {"counts": [1], "size": [2, 2]}},
      {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 0}],
      "categories": [{"id": 3, "name": "traffic light", "supercategory": "outdoor"}]})"));
  data.File("val2017/9.jpg");
  const auto report = data.Import("coco-instances");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_EQ(report->left_out.size(), 2);
  EXPECT_THAT(report->left_out.at("the region is a crowd, not one object").examples,
              ElementsAre("annotation 2"));
  const auto records = data.Records();
  EXPECT_EQ(Text(records[0], "text"), "traffic light");
  EXPECT_THAT(Numbers(records[0], "box"), ElementsAre(10, 20, 40.5, 60));
  EXPECT_EQ(Number(records[0], "count"), 1) << "a crowd is not counted: it is no record either";
}

TEST(CocoLayout, AnAnnotationThatIsGivenTwiceIsOneRecordAndCountsOnce) {
  const Dataset data;
  data.File("annotations/instances_val2017.json", absl::StrCat(kCocoImages, R"("annotations": [
      {"id": 5, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, 4]},
      {"id": 5, "image_id": 9, "category_id": 3, "bbox": [1, 2, 3, 4]},
      {"id": 6, "image_id": 9, "category_id": 3, "bbox": [5, 5, 0, 3]},
      {"id": 7, "image_id": 9, "category_id": 3, "bbox": [9, 9, 3, 3]},
      {"id": 8, "image_id": 9, "category_id": 4, "bbox": [9, 9, 3, 3]}],
      "categories": [{"id": 3, "name": " kite "}, {"id": 4, "name": ""}]})"));
  data.File("val2017/9.jpg");
  const auto report = data.Import("coco-instances");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 2);
  EXPECT_THAT(report->left_out.at("the id is given twice").examples, ElementsAre("annotation 5"));
  EXPECT_THAT(report->left_out.at("the text is empty").examples, ElementsAre("annotation 8"));
  for (const TaskSample& record : data.Records()) {
    EXPECT_EQ(Text(record, "text"), "kite");
    EXPECT_EQ(Number(record, "count"), 2) << "the objects that are records";
  }
}

TEST(CocoLayout, CaptionsOfAPictureThatTheFileDoesNotListAreLeftOut) {
  const Dataset data;
  data.File("annotations/captions_train2014.json", absl::StrCat(kCocoImages, R"("annotations": [
        {"image_id": 9, "id": 1, "caption": "A dog."},
        {"image_id": 8, "id": 2, "caption": "A cat."},
        {"image_id": 77, "id": 3, "caption": "A cow."}]})"));
  data.File("train2014/9.jpg");
  data.File("train2014/8.jpg");
  const auto report = data.Import("coco-captions");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 2);
  EXPECT_THAT(Only(*report).examples, ElementsAre("image 77"));
}

// Boxes end at the edges of the picture, and those without area are left out: neither can be
// trained on.
TEST(CocoLayout, BoxesAreThePartInThePicture) {
  const Dataset data;
  data.File("annotations/instances_val2017.json", absl::StrCat(kCocoImages, R"("annotations": [
      {"id": 1, "image_id": 9, "category_id": 3, "bbox": [-2.5, 470, 30, 10.01]},
      {"id": 2, "image_id": 9, "category_id": 3, "bbox": [5, 5, 0, 3]},
      {"id": 3, "image_id": 9, "category_id": 3, "bbox": [641, 5, 9, 3]}],
      "categories": [{"id": 3, "name": "kite"}]})"));
  data.File("val2017/9.jpg");
  const auto report = data.Import("coco-instances");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_THAT(Numbers(data.Records()[0], "box"), ElementsAre(0, 470, 27.5, 480));
  EXPECT_THAT(report->left_out.at("the box has no area in the picture").examples,
              ElementsAre("annotation 2", "annotation 3"));
}

TEST(CocoLayout, KarpathysSplitsKeepRestvalWithTrain) {
  const Dataset data;
  data.File("dataset_coco.json", R"({"images": [
      {"filepath": "val2014", "filename": "1.jpg", "cocoid": 1, "split": "restval",
       "sentences": [{"raw": "A dog.", "tokens": ["a", "dog"]}]},
      {"filepath": "val2014", "filename": "2.jpg", "cocoid": 2, "split": "test",
       "sentences": [{"raw": "A cat.", "tokens": ["a", "cat"]}]}], "dataset": "coco"})");
  data.File("val2014/1.jpg");
  data.File("val2014/2.jpg");
  EXPECT_EQ(data.Import("coco-karpathy", "train")->samples, 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("A dog."));
  EXPECT_EQ(data.Import("coco-karpathy", "test")->samples, 1);
  EXPECT_THAT(data.Error("coco-karpathy", "dev"), HasSubstr("has no split \"dev\""));
}

}  // namespace
}  // namespace unival
