// What importers leave out, or change, and say in their reports: empty texts, what is given twice,
// what belongs to nothing, splits that hold the same media.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "training/data/import/test_dataset.h"

namespace unival {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What was left out for a reason; nothing where it is not in the report.
std::vector<std::string> LeftOutFor(const absl::StatusOr<ImportReport>& report,
                                    const std::string& reason) {
  EXPECT_TRUE(report.ok()) << report.status();
  if (!report.ok() || report->left_out.count(reason) == 0) return {};
  return report->left_out.at(reason).examples;
}

constexpr char kEmpty[] = "the text is empty";
constexpr char kTwice[] = "the id is given twice";

TEST(OverlappingSplits, AllTakesTheQuestionsOfATestSplitOnce) {
  const Dataset data;
  for (const char* split : {"test2015", "test-dev2015"}) {
    data.File(absl::StrCat("v2_OpenEnded_mscoco_", split, "_questions.json"),
              R"({"questions": [{"image_id": 1, "question": "Who?", "question_id": 1000}]})");
  }
  data.File("test2015/COCO_test2015_000000000001.jpg");
  const auto report = data.Import("vqav2");
  EXPECT_THAT(LeftOutFor(report, "a split whose media are also in test2015"),
              ElementsAre("test-dev2015"));
  EXPECT_EQ(report->samples, 1);
  EXPECT_EQ(data.Import("vqav2", "test-dev")->samples, 1);
  EXPECT_THAT(data.Import("vqav2", "test-dev2015")->left_out, IsEmpty());
}

TEST(OverlappingSplits, AllTakesAVideoThatIsAnnotatedTwiceOnce) {
  const Dataset data;
  for (const char* split : {"val_1", "val_2"}) {
    data.File(absl::StrCat(split, ".json"), absl::StrCat(R"({"v_b": {"duration": 8,
        "timestamps": [[1, 5]], "sentences": [")",
                                                         split, R"("]}})"));
  }
  data.File("videos/v_b.mp4");
  const auto report = data.Import("activitynet");
  EXPECT_THAT(LeftOutFor(report, "a split whose media are also in val_1"), ElementsAre("val_2"));
  EXPECT_EQ(report->samples, 1);
  ASSERT_EQ(data.Import("activitynet", "val_2")->samples, 1);
  EXPECT_EQ(Text(data.Records()[0], "caption"), "val_2");
  EXPECT_THAT(data.Error("activitynet", "val"), HasSubstr("expected one of all, train, val_1"));
}

TEST(OverlappingSplits, PicturesOfAnotherListAreNotTaken) {
  const Dataset data;
  data.File("Train_GCC-training.tsv", "a dog\thttp://a/1.jpg\n");
  data.File("Validation_GCC-1.1.0-Validation.tsv", "a cat\thttp://a/2.jpg\n");
  data.File("images/train/0.jpg");
  data.File("images/0.jpg");
  EXPECT_THAT(LeftOutFor(data.Import("cc"), "the media file is not there"),
              ElementsAre("images/val/0.jpg"));
  EXPECT_EQ(data.Import("cc", "val")->samples, 1) << "who names one list says whose the folder is";
}

TEST(OverlappingSplits, AVideoThatTwoFilesListIsTakenOnce) {
  const Dataset data;
  for (const char* file : {"train_val_videodatainfo.json", "videodatainfo.json"}) {
    data.File(file, R"({"videos": [{"video_id": "video0", "split": "train"}],
        "sentences": [{"caption": "a car", "video_id": "video0"}]})");
  }
  data.File("TrainValVideo/video0.mp4");
  const auto report = data.Import("msrvtt");
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("video0"));
  EXPECT_EQ(report->samples, 1);
}

TEST(EmptyTexts, AreNoRecordsOfRegionsQuestionsAndPairs) {
  const Dataset data;
  data.File("image_data.json", R"([{"image_id": 2, "width": 80, "height": 60}])");
  data.File("region_descriptions.json", R"([{"regions": [
      {"region_id": 5, "image_id": 2, "phrase": " ", "x": 1, "y": 2, "width": 3, "height": 4},
      {"region_id": 6, "image_id": 2, "phrase": "a", "x": 1, "y": 2, "width": 3, "height": 4},
      {"region_id": 6, "image_id": 2, "phrase": "a", "x": 1, "y": 2, "width": 3, "height": 4}]}])");
  data.File("question_answers.json", R"([{"qas": [
      {"qa_id": 7, "image_id": 2, "question": " What? ", "answer": "A car."},
      {"qa_id": 8, "image_id": 2, "question": "", "answer": ""},
      {"qa_id": 7, "image_id": 2, "question": "What?", "answer": "A car."},
      {"qa_id": 9, "image_id": 2, "question": "Why?", "answer": " "}]}])");
  data.File("VG_100K/2.jpg");
  auto report = data.Import("visual-genome");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("region 5"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("region 6"));
  report = data.Import("visual-genome-qa");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("question 8", "question 9"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("question 7"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_EQ(Text(data.Records()[0], "question"), "What?");
}

TEST(EmptyTexts, AreNoRecordsOfStatements) {
  const Dataset data;
  const auto pair = [](const char* id, const char* premise, const char* hypothesis) {
    return absl::StrCat(R"({"Flickr30K_ID": "4", "gold_label": "neutral", "pairID": ")", id,
                        R"(", "sentence1": ")", premise, R"(", "sentence2": ")", hypothesis,
                        "\"}\n");
  };
  data.File("snli_ve_dev.jsonl", absl::StrCat(pair("a", "A.", "B."), pair("b", " ", "B."),
                                              pair("c", "A.", ""), pair("a", "A.", "B.")));
  data.File("images/4.jpg");
  auto report = data.Import("snli-ve");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("pair b", "pair c"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("pair a"));
  EXPECT_EQ(report->samples, 1);
  data.File("dev/dev.json",
            "{\"identifier\": \"1-1\", \"sentence\": \"A.\"}\n"
            "{\"identifier\": \"1-1\", \"sentence\": \"A.\"}\n"
            "{\"identifier\": \"2-1\", \"sentence\": \" \"}\n");
  for (const char* picture : {"dev/images/dev-1-1-0.png", "dev/images/dev-2-1-0.png"}) {
    data.File(picture);
  }
  report = data.Import("nlvr");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("2-1"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("1-1"));
  EXPECT_EQ(report->samples, 1);
}

TEST(EmptyTexts, AreNotAmongTheCaptionsOfAMedium) {
  const Dataset data;
  data.File("dataset_coco.json", R"({"images": [
      {"filepath": "a", "filename": "1.jpg", "split": "val", "sentences": [{"raw": "A dog."},
       {"raw": ""}]},
      {"filepath": "a", "filename": "2.jpg", "split": "val", "sentences": [{"raw": "  "}]},
      {"filepath": "a", "filename": "3.jpg", "split": "val", "sentences": []}]})");
  for (const char* picture : {"a/1.jpg", "a/2.jpg", "a/3.jpg"}) data.File(picture);
  auto report = data.Import("coco-karpathy");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("1.jpg", "2.jpg"));
  EXPECT_THAT(LeftOutFor(report, "the record has no text"), ElementsAre("3.jpg"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("A dog."));
  data.File("test.csv",
            "audiocap_id,youtube_id,start_time,caption\n1,abc,30,\n2,abc,30, Rain \n3,def,0, \n"
            "2,abc,30,Rain\n");
  data.File("audio/abc.wav");
  data.File("audio/def.wav");
  report = data.Import("audiocaps");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("audiocap_id 1", "audiocap_id 3"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("audiocap_id 2"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("Rain"));
  data.File("clotho_captions_evaluation.csv",
            "file_name,caption_1,caption_2\na.wav,x, \nb.wav,,\na.wav,x,y\n");
  data.File("evaluation/a.wav");
  data.File("evaluation/b.wav");
  report = data.Import("clotho");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("a.wav", "b.wav", "b.wav"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("a.wav"));
  EXPECT_EQ(report->samples, 1);
}

TEST(EmptyTexts, AreNoRowsOfConceptualCaptions) {
  const Dataset data;
  data.File("Train_GCC-training.tsv", " a dog \thttp://a/1.jpg\n \thttp://a/2.jpg\n");
  data.File("images/0.jpg");
  data.File("images/1.jpg");
  EXPECT_THAT(LeftOutFor(data.Import("cc", "train"), kEmpty), ElementsAre("row 1"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_EQ(Text(data.Records()[0], "caption"), "a dog");
}

// Two objects, the first with an empty expression and one of it given twice.
TEST(EmptyTexts, AreNoExpressions) {
  const Dataset data;
  const std::string ref =
      "(dS'ann_id'\nI1\nsS'ref_id'\nI77\nsS'split'\nS'val'\nsS'sentences'\n"
      "(l(dS'sent_id'\nI5\nsS'sent'\nS' him '\nsa(dS'sent_id'\nI6\nsS'sent'\nS''\nsasa";
  data.File("refcoco/refs(unc).p", absl::StrCat("(l", ref, ref, "."));
  data.File("refcoco/instances.json", absl::StrCat(kCocoImages, R"("annotations": [
              {"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}]})"));
  data.File("train2014/9.jpg");
  const auto report = data.Import("refcoco");
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("sentence 6"));
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("ref 77"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_EQ(Text(data.Records()[0], "text"), "him");
}

TEST(QuestionsAndAnswers, ThatAreGivenTwiceOrBelongToNothingAreNamed) {
  const Dataset data;
  data.File("v2_OpenEnded_mscoco_val2014_questions.json", R"({"questions": [
      {"image_id": 9, "question": " Is it? ", "question_id": 90},
      {"image_id": 9, "question": "Is it?", "question_id": 90},
      {"image_id": 9, "question": " ", "question_id": 91},
      {"image_id": 9, "question": "Who?", "question_id": 92}]})");
  std::string annotations;
  for (const auto& [id, answer] : std::vector<std::pair<int, const char*>>{
           {90, "yes"}, {91, "yes"}, {92, " "}, {555, "yes"}}) {
    absl::StrAppend(&annotations, annotations.empty() ? "" : ", ",
                    R"({"multiple_choice_answer": ")", answer, R"(", "question_id": )", id,
                    R"(, "answers": [{"answer": "yes"}, {"answer": ""}]})");
  }
  data.File("v2_mscoco_val2014_annotations.json",
            absl::StrCat("{\"annotations\": [", annotations, "]}"));
  data.File("val2014/COCO_val2014_000000000009.jpg");
  const auto report = data.Import("vqav2");
  EXPECT_THAT(LeftOutFor(report, kTwice), ElementsAre("question 90"));
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("question 91", "question 92"));
  EXPECT_THAT(LeftOutFor(report, "the question of the answers is not in the file"),
              ElementsAre("question 555"));
  ASSERT_EQ(data.Records().size(), 1);
  EXPECT_EQ(Text(data.Records()[0], "question"), "Is it?");
  EXPECT_THAT(List(data.Records()[0], "answers"), ElementsAre("yes", "")) << "each is a vote";
}

TEST(Videos, SentencesOfVideosThatTheFileDoesNotListAreNamed) {
  const Dataset data;
  data.File("train_val_videodatainfo.json", R"({"videos": [
      {"video_id": "video0", "split": "train"}, {"video_id": "video1", "split": "validate"}],
      "sentences": [{"caption": " a car ", "video_id": "video0"},
      {"caption": " ", "video_id": "video0"}, {"caption": "a dog", "video_id": "video1"},
      {"caption": "lost", "video_id": "video77"}]})");
  data.File("TrainValVideo/video0.mp4");
  const auto report = data.Import("msrvtt", "train");
  EXPECT_THAT(LeftOutFor(report, "the video of the sentence is not in the file"),
              ElementsAre("video77"));
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("video0"));
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a car"));
}

TEST(Videos, EventsEndWithTheVideoAndOnesThatRunBackwardsAreLeftOut) {
  const Dataset data;
  data.File("train.json", R"({"v_b": {"duration": 8,
      "timestamps": [[5, 1], [1, 9], [9, 12], [2, 3], [2, 4]],
      "sentences": ["back", "long", "late", " ", "good"]}})");
  data.File("videos/v_b.mp4");
  const auto report = data.Import("activitynet");
  EXPECT_THAT(LeftOutFor(report, "the event has no length in the video"),
              ElementsAre("event 0 of v_b", "event 2 of v_b"));
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("event 3 of v_b"));
  ASSERT_EQ(report->changed.size(), 1);
  EXPECT_THAT(report->changed.begin()->second.examples, ElementsAre("event 1 of v_b"));
  const auto record = data.Records()[0];
  EXPECT_EQ(Text(record, "caption"), "long good");
  EXPECT_THAT(Numbers(record, "starts"), ElementsAre(1, 2));
  EXPECT_THAT(Numbers(record, "ends"), ElementsAre(8, 4));
}

TEST(Videos, TheReportNamesAMissingOneAsItsPublisherDoes) {
  const Dataset data;
  data.File("AllVideoDescriptions.txt", "a_1_2 a bird\nb_3_4 a cat\nc_5_6\n");
  data.File("YouTubeClips/a_1_2.avi");
  data.File("test_list.txt", "a_1_2.avi\nd_7_8.avi\n");
  auto report = data.Import("msvd");
  EXPECT_THAT(LeftOutFor(report, "the media file is not there"),
              ElementsAre("YouTubeClips/b_3_4.avi"));
  EXPECT_THAT(LeftOutFor(report, kEmpty), ElementsAre("c_5_6"));
  report = data.Import("msvd", "test");
  EXPECT_THAT(LeftOutFor(report, "no description of the video in the list"), ElementsAre("d_7_8"));
  EXPECT_EQ(report->left_out.size(), 1) << "what is not of the split is not left out";
}

TEST(Sources, OneThatIsNoFolderIsNamedByEveryLayout) {
  const Dataset data;
  data.File("file");
  for (const ImportLayoutInfo& layout : ImportLayouts()) {
    ImportOptions options;
    options.dataset = layout.name;
    options.destination = absl::StrCat(data.folder(), "/out", layout.writes);
    for (const char* source : {"/none", "/in/file"}) {
      options.source = data.folder() + source;
      const absl::Status status = ImportDataset(options).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << layout.name;
      EXPECT_THAT(std::string(status.message()),
                  HasSubstr(absl::StrCat(options.source, ": no such folder; expected one")));
    }
  }
}

}  // namespace
}  // namespace unival
