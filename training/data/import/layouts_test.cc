// A small example of every publisher's layout, made by the test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "training/data/import/test_dataset.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(VqaLayout, QuestionsGetTheirTenAnswers) {
  const Dataset data;
  std::string answers;
  for (int i = 1; i <= 10; ++i) {
    absl::StrAppend(&answers, i == 1 ? "" : ", ", R"({"answer": ")", i < 7 ? "yes" : "no",
                    R"(", "answer_confidence": "yes", "answer_id": )", i, "}");
  }
  data.File("v2_OpenEnded_mscoco_train2014_questions.json",
            R"({"info": {}, "data_subtype": "train2014", "questions": [
            {"image_id": 9, "question": "Is it?", "question_id": 9001},
            {"image_id": 9, "question": "Why?", "question_id": 9002}]})");
  data.File("v2_mscoco_train2014_annotations.json",
            absl::StrCat(R"({"annotations": [{"question_type": "is it", "answer_type": "yes/no",
            "multiple_choice_answer": "yes", "image_id": 9, "question_id": 9001, "answers": [)",
                         answers, "]}]}"));
  data.File("v2_OpenEnded_mscoco_test2015_questions.json",
            R"({"questions": [{"image_id": 7, "question": "Who?", "question_id": 7001}]})");
  data.File("train2014/COCO_train2014_000000000009.jpg");
  data.File("test2015/COCO_test2015_000000000007.jpg");
  const auto report = data.Import("vqav2", "train");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_THAT(Only(*report).examples, ElementsAre("question 9002"));
  const auto record = data.Records()[0];
  EXPECT_EQ(Text(record, "question"), "Is it?");
  EXPECT_EQ(Text(record, "answer"), "yes");
  EXPECT_EQ(List(record, "answers").size(), 10);
  EXPECT_EQ(Text(record, "answer_type"), "yes/no");
  ASSERT_TRUE(data.Import("vqav2", "test").ok());
  EXPECT_EQ(data.Records()[0].fields.count("answer"), 0);
}

// The lines that Python 2 wrote: refer's own files are such.
std::string Refs() {
  return "(lp1\n(dp2\nS'sent_ids'\n(lp3\nI5\naI6\nasS'file_name'\nS'COCO_9_1.jpg'\nsS'ann_id'\nI1\n"
         "sS'ref_id'\nI77\nsS'image_id'\nI9\nsS'split'\nS'testA'\nsS'category_id'\nI1\n"
         "sS'sentences'\n(lp4\n(dp5\nS'tokens'\n(lp6\nS'left'\naS'man'\nasS'raw'\nS'Left man.'\n"
         "sS'sent_id'\nI5\nsS'sent'\nS'left "
         "man'\nsa(dp7\nS'raw'\nS'him'\nsS'sent_id'\nI6\nsS'sent'\n"
         "S'him'\nsasa(dp8\nS'ann_id'\nI404\nsS'ref_id'\nI78\nsS'split'\nS'testA'\nsS'sentences'\n"
         "(lp9\n(dp10\nS'sent_id'\nI7\nsS'sent'\nS'her'\nsa"
         "(dp11\nS'sent_id'\nI8\nsS'sent'\nS'dog'\nsasa.";
}

TEST(RefCocoLayout, EveryExpressionIsARecord) {
  for (const auto& [dataset, file] :
       {std::pair<const char*, const char*>{"refcoco", "refcoco/refs(unc).p"},
        {"refcoco+", "refcoco+/refs(unc).p"},
        {"refcocog", "refcocog/refs(umd).p"}}) {
    const Dataset data;
    data.File(file, Refs());
    data.File(absl::StrCat(dataset, "/instances.json"),
              absl::StrCat(kCocoImages, R"("annotations": [
              {"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}],
              "categories": []})"));
    data.File("images/mscoco/images/train2014/9.jpg");
    const auto report = data.Import(dataset, "testA");
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->samples, 2);
    EXPECT_THAT(Only(*report).examples, ElementsAre("ref 78"));
    EXPECT_EQ(Only(*report).count, 2) << "one for each expression";
    const auto records = data.Records();
    EXPECT_EQ(Text(records[0], "text"), "left man");
    EXPECT_EQ(Text(records[1], "text"), "him");
    EXPECT_THAT(Numbers(records[0], "box"), ElementsAre(1, 2, 4, 6));
    EXPECT_EQ(Number(records[0], "height"), 480);
    EXPECT_THAT(data.Error(dataset, "dev"), HasSubstr("expected one of all, testA"));
  }
}

TEST(RefCocoLayout, AnExpressionInOtherLettersIsLeftOut) {
  const Dataset data;
  std::string refs = Refs();
  const size_t said = refs.rfind("him");  // in "sent", behind "raw"
  ASSERT_NE(said, std::string::npos);
  refs.replace(said, 3, "h\xe9h");
  data.File("refcoco/refs(unc).p", refs);
  data.File("refcoco/instances.json", absl::StrCat(kCocoImages, R"("annotations": [
              {"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}]})"));
  data.File("train2014/9.jpg");
  const auto report = data.Import("refcoco");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  const auto left = report->left_out.find("the expression is no UTF-8");
  ASSERT_NE(left, report->left_out.end());
  EXPECT_THAT(left->second.examples, ElementsAre("ref 77"));
}

TEST(RefCocoLayout, BoxesEndAtTheEdgesOfThePicture) {
  const Dataset data;
  data.File("refcoco/refs(unc).p", Refs());
  data.File("refcoco/instances.json", absl::StrCat(kCocoImages, R"("annotations": [
              {"id": 1, "image_id": 9, "category_id": 1, "bbox": [630, -2, 30, 4]}]})"));
  data.File("train2014/9.jpg");
  const auto report = data.Import("refcoco");
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_GE(report->samples, 1);
  EXPECT_THAT(Numbers(data.Records()[0], "box"), ElementsAre(630, 0, 640, 2));
}

TEST(RefCocoLayout, APickleThatCallsIsRefused) {
  const Dataset data;
  data.File("refcoco/refs(unc).p", "cos\nsystem\n(S'true'\ntR.");
  data.File("refcoco/instances.json", absl::StrCat(kCocoImages, R"("annotations": []})"));
  EXPECT_THAT(data.Error("refcoco"), HasSubstr("call of \"os.system\" refused"));
}

TEST(VisualGenomeLayout, RegionsOfAPictureWithoutSizeAreLeftOut) {
  const Dataset data;
  data.File("image_data.json", R"([{"image_id": 2, "width": 0, "height": 600},
      {"image_id": 3, "width": 800, "height": 600}])");
  data.File("region_descriptions.json", R"([{"id": 2, "regions": [
      {"region_id": 5, "image_id": 2, "phrase": "a car", "x": 1, "y": 2, "width": 3, "height": 4},
      {"region_id": 6, "image_id": 3, "phrase": "a bus", "x": 1, "y": 2, "width": 3, "height": 4}
      ]}])");
  data.File("VG_100K_2/2.jpg");
  data.File("VG_100K_2/3.jpg");
  const auto report = data.Import("visual-genome");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 1);
  EXPECT_EQ(report->left_out.count("the picture has no width and height in the file"), 1u);
  EXPECT_THAT(Only(*report).examples, ElementsAre("region 5"));
}

TEST(VisualGenomeLayout, RegionsAndQuestions) {
  const Dataset data;
  data.File("image_data.json",
            R"([{"image_id": 2, "width": 800, "height": 600, "coco_id": null}])");
  data.File("region_descriptions.json", R"([{"id": 2, "regions": [
      {"region_id": 5, "image_id": 2, "phrase": " a red car ", "x": 10, "y": 20, "width": 30,
       "height": 40},
      {"region_id": 6, "image_id": 2, "phrase": "sky", "x": -1, "y": 590, "width": 900,
       "height": 20},
      {"region_id": 7, "image_id": 2, "phrase": "dot", "x": 9, "y": 9, "width": 0, "height": 0}
      ]}])");
  data.File("question_answers.json", R"([{"id": 2, "qas": [
      {"qa_id": 7, "image_id": 2, "question": "What?", "answer": "A car.", "a_objects": []}]}])");
  data.File("VG_100K_2/2.jpg");
  const auto report = data.Import("visual-genome");
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->samples, 2);
  EXPECT_THAT(Only(*report).examples, ElementsAre("region 7"));
  EXPECT_THAT(Numbers(data.Records()[1], "box"), ElementsAre(0, 590, 800, 600));
  const auto region = data.Records()[0];
  EXPECT_EQ(Text(region, "text"), "a red car");
  EXPECT_THAT(Numbers(region, "box"), ElementsAre(10, 20, 40, 60));
  EXPECT_EQ(Number(region, "width"), 800);
  ASSERT_EQ(data.Import("visual-genome-qa")->samples, 1);
  EXPECT_EQ(Text(data.Records()[0], "answer"), "A car.");
  EXPECT_THAT(data.Error("visual-genome", "train"), HasSubstr("expected one of all"));
}

TEST(SnliVeLayout, LabelsBecomeTheAnswersOfTheTask) {
  const Dataset data;
  std::string lines;
  for (const char* label : {"entailment", "neutral", "contradiction", "-"}) {
    absl::StrAppend(&lines, R"({"Flickr30K_ID": "47", "pairID": "47#)", label,
                    R"(", "gold_label": ")", label,
                    R"(", "sentence1": "A man.", "sentence2": "He sits."})", "\n");
  }
  data.File("snli_ve_dev.jsonl", lines);
  data.File("flickr30k-images/47.jpg");
  const auto report = data.Import("snli-ve", "dev");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(Only(*report).count, 1);
  std::vector<std::string> answers;
  for (const TaskSample& record : data.Records()) answers.push_back(Text(record, "answer"));
  EXPECT_THAT(answers, ElementsAre("yes", "maybe", "no"));
}

TEST(SnliVeLayout, RecordsAreNotWrittenOverTheAnnotations) {
  const Dataset data;
  ImportOptions options;
  options.dataset = "snli-ve";
  options.source = data.folder() + "/in";
  options.destination = data.folder() + "/in/snli_ve_dev.jsonl";
  data.File("snli_ve_dev.jsonl", "{}\n");
  const absl::Status status = ImportDataset(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("expected a file other than"));
  EXPECT_EQ(ReadText(options.destination), "{}\n");
}

TEST(NlvrLayout, AStatementHasItsPicturesInEveryOrder) {
  const Dataset data;
  data.File("train/train.json",
            "{\"identifier\": \"10-2\", \"sentence\": \"There is a box.\", \"label\": \"true\", "
            "\"directory\": \"7\", \"structured_rep\": [[{\"type\": \"circle\"}]]}\n"
            "{\"identifier\": \"11-0\", \"sentence\": \"No.\", \"label\": \"false\", "
            "\"directory\": \"7\"}\n");
  data.File("dev/dev.json",
            "{\"identifier\": \"3-1\", \"sentence\": \"Yes.\", \"label\": \"true\"}\n");
  for (const char* picture : {"train/images/7/train-10-2-0.png", "train/images/7/train-10-2-4.png",
                              "dev/images/dev-3-1-5.png"}) {
    data.File(picture);
  }
  const auto report = data.Import("nlvr");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->samples, 3);
  EXPECT_THAT(Only(*report).examples, ElementsAre("11-0"));
  const auto records = data.Records();
  EXPECT_EQ(Number(records[1], "permutation"), 4);
  EXPECT_EQ(Text(records[1], "set"), "10");
  EXPECT_EQ(Text(records[2], "sentence"), "Yes.");
}

TEST(VideoLayouts, MsrvttCollectsTheSentencesOfAVideo) {
  const Dataset data;
  data.File("train_val_videodatainfo.json", R"({"info": {}, "videos": [
      {"id": 0, "video_id": "video0", "category": 9, "split": "train", "start time": 137.72},
      {"id": 1, "video_id": "video1", "category": 9, "split": "validate"}],
      "sentences": [{"caption": "a car is shown", "video_id": "video0", "sen_id": 0},
      {"caption": "a car", "video_id": "video0", "sen_id": 1},
      {"caption": "a dog", "video_id": "video1", "sen_id": 2}]})");
  data.File("TrainValVideo/video0.mp4");
  data.File("TrainValVideo/video1.mp4");
  ASSERT_EQ(data.Import("msrvtt", "train")->samples, 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a car is shown", "a car"));
  ASSERT_EQ(data.Import("msrvtt", "val")->samples, 1);
  EXPECT_EQ(Text(data.Records()[0], "video_id"), "video1");
}

TEST(VideoLayouts, MsvdHasDescriptionsByLine) {
  const Dataset data;
  data.File("AllVideoDescriptions.txt",
            "# comment\n\nab_1_2 a bird is bathing\nab_1_2 a bird\ncd_3_4\ta cat\n");
  data.File("YouTubeClips/ab_1_2.avi");
  data.File("YouTubeClips/cd_3_4.avi");
  data.File("test_list.txt", "cd_3_4.avi\n");
  ASSERT_EQ(data.Import("msvd")->samples, 2);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a bird is bathing", "a bird"));
  ASSERT_EQ(data.Import("msvd", "test")->samples, 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a cat"));
  EXPECT_THAT(data.Error("msvd", "train"), HasSubstr("train_list.txt"));
}

TEST(VideoLayouts, MsvdHasDescriptionsInATableToo) {
  const Dataset data;
  data.File("MSR Video Description Corpus.csv",
            "VideoID,Start,End,WorkerID,Source,AnnotationTime,Language,Description\n"
            "ab,1,2,85,unverified,24,English,\"a bird, bathing\"\n"
            "ab,1,2,85,clean,24,Slovene,Ptica se kopa\nab,1,2,85,clean,24,English,a bird\n"
            "cd,30,40,85,clean,24,English,\n");
  data.File("YouTubeClips/ab_1_2.avi");
  const auto report = data.Import("msvd");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a bird, bathing", "a bird"));
  EXPECT_EQ(report->samples, 1);
  EXPECT_EQ(report->left_out.at("the description is not in English").count, 1);
  EXPECT_THAT(report->left_out.at("the text is empty").examples, ElementsAre("cd_30_40"));
}

TEST(VideoLayouts, ActivityNetHasEventsOfAVideo) {
  const Dataset data;
  data.File("val_1.json", R"({"v_a": {"duration": 82.7, "timestamps": [[0.8, 19], [17.4, 60.8]],
      "sentences": [" A woman sits.", "She stands. "]},
      "v_b": {"duration": 1, "timestamps": [], "sentences": []}})");
  data.File("videos/v_a.mkv");
  const auto report = data.Import("activitynet", "val_1");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(Only(*report).count, 1);
  const auto record = data.Records()[0];
  EXPECT_EQ(Text(record, "caption"), "A woman sits. She stands.");
  EXPECT_THAT(List(record, "sentences"), ElementsAre("A woman sits.", "She stands."));
  EXPECT_THAT(Numbers(record, "ends"), ElementsAre(19, 60.8));
}

TEST(AudioLayouts, AudioCapsJoinsTheCaptionsOfASound) {
  const Dataset data;
  data.File(
      "test.csv",
      "audiocap_id,youtube_id,start_time,caption\n"
      "1,abc,30,\"A man speaks, then laughs\"\n2,abc,30,\"He says \"\"go\"\"\"\n3,def,0,Rain\n");
  data.File("audio/test/abc_30.opus");
  data.File("Ydef.wav");
  ASSERT_EQ(data.Import("audiocaps", "test")->samples, 2);
  const auto records = data.Records();
  EXPECT_THAT(List(records[0], "caption"),
              ElementsAre("A man speaks, then laughs", "He says \"go\""));
  EXPECT_EQ(Media(records[1], "audio"), "in/Ydef.wav");
}

TEST(AudioLayouts, ClothoHasFiveCaptions) {
  const Dataset data;
  data.File("clotho_captions_evaluation.csv",
            "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
            "Santa Motor.wav,a,\"b, c\",d,e,f\n");
  data.File("evaluation/Santa Motor.wav");
  ASSERT_EQ(data.Import("clotho", "evaluation")->samples, 1);
  EXPECT_THAT(List(data.Records()[0], "caption"), ElementsAre("a", "b, c", "d", "e", "f"));
  data.File("clotho_captions_evaluation.csv", "file_name,caption_1\nx.wav\n");
  EXPECT_THAT(data.Error("clotho"), HasSubstr("evaluation.csv:2: expected 2 fields, got 1"));
}

TEST(TableLayouts, ConceptualCaptionsFindTheirPicturesByRow) {
  const Dataset data;
  data.File("Train-GCC-training.tsv",
            "a dog\thttp://a/1.jpg\na cat\thttp://a/2.jpg\na cow\thttp://a/3.jpg\tmine/3.png\n");
  data.File("images/0.jpg");
  data.File("images/00000/000000001.jpg");
  data.File("mine/3.png");
  ASSERT_EQ(data.Import("cc", "train")->samples, 3);
  const auto records = data.Records();
  EXPECT_EQ(Media(records[0], "image"), "in/images/0.jpg");
  EXPECT_EQ(Media(records[1], "image"), "in/images/00000/000000001.jpg");
  EXPECT_EQ(Text(records[2], "caption"), "a cow");
}

TEST(TableLayouts, ConceptualCaptionsAreFoundUnderTheNamesThatTheyAreMetBy) {
  for (const char* name :
       {"Train_GCC-training.tsv", "Train/GCC-training.tsv", "GCC-training.tsv"}) {
    const Dataset data;
    data.File(name, "a dog\thttp://a/1.jpg\n");
    data.File("images/0.jpg");
    ASSERT_EQ(data.Import("cc", "train")->samples, 1) << name;
  }
  // Of the twelve million the address comes first.
  const Dataset data;
  data.File("cc12m.tsv", "https://a/1.jpg\ta dog\nhttps://a/2.jpg\thttp: a cat\n");
  data.File("images/0.jpg");
  data.File("images/1.jpg");
  ASSERT_EQ(data.Import("cc", "cc12m")->samples, 2);
  EXPECT_EQ(Text(data.Records()[0], "caption"), "a dog");
  EXPECT_EQ(Text(data.Records()[1], "caption"), "http: a cat");
}

TEST(Layouts, RecordsElsewhereNameAMediaRoot) {
  const Dataset data;
  data.File("snli_ve_dev.jsonl",
            "{\"Flickr30K_ID\": 47, \"gold_label\": \"neutral\", \"sentence1\": \"a\", "
            "\"sentence2\": \"b\"}\n");
  data.File("images/47.jpg");
  fs::create_directories(data.folder() + "/lists");
  ImportOptions options;
  options.dataset = "snli-ve";
  options.source = data.folder() + "/in";
  options.destination = data.folder() + "/lists/a.jsonl";
  const auto report = ImportDataset(options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->media_root, "flickr30k");
  SourceOptions source;
  source.path = options.destination;
  source.media_roots = {{"flickr30k", options.source}};
  EXPECT_EQ(Media(OpenSource(source).value()->Read(0).value(), "image"), "flickr30k:images/47.jpg");
}

TEST(Layouts, FilesThatDoNotFitAreNamedAndNothingIsWritten) {
  const Dataset data;
  data.File("annotations/captions_val2014.json", "{\"images\": [{\"id\": 1}]}");
  EXPECT_THAT(
      data.Error("coco-captions"),
      HasSubstr("captions_val2014.json: element 0 of images: field \"file_name\": expected"));
  data.File("annotations/captions_val2014.json", "{\"images\": [");
  EXPECT_THAT(data.Error("coco-captions"), HasSubstr("parse error"));
  data.File("annotations/captions_val2014.json", "{\"pictures\": []}");
  EXPECT_THAT(data.Error("coco-captions"),
              HasSubstr("expected an object with the list \"images\", got none"));
  data.File("annotations/captions_val2014.json",
            absl::StrCat(kCocoImages, R"("annotations": [{"image_id": 9, "caption": "x"}]})"));
  EXPECT_THAT(data.Error("coco-captions"), HasSubstr("no records of coco-captions"));
  EXPECT_THAT(data.Error("coco-captions"),
              HasSubstr("the media file is not there (1: val2014/9.jpg"));
  data.File("annotations/captions_val2014.json",
            absl::StrCat("{\"images\": [{\"id\": ", std::string(100000, '['), "}]}"));
  EXPECT_THAT(data.Error("coco-captions"), HasSubstr("deeper than 64"));
  EXPECT_FALSE(fs::exists(data.folder() + "/out.jsonl"));
  EXPECT_FALSE(fs::exists(data.folder() + "/out.jsonl.tmp"));
  EXPECT_THAT(data.Error("fsdd"), HasSubstr("fsdd is written as *.tar"));
}

// As tables that Excel writes are, and which would stand in records with other letters.
TEST(Layouts, TextsThatAreNoUtf8AreRefusedByTheirLine) {
  const Dataset data;
  data.File("clotho_captions_evaluation.csv", "file_name,caption_1\na.wav,x\nb.wav,un caf\xe9\n");
  EXPECT_THAT(data.Error("clotho"), HasSubstr("evaluation.csv:3: column \"caption_1\": "));
  data.File("Train-GCC-training.tsv", "a dog\thttp://a\nun caf\xe9\thttp://a\n");
  EXPECT_THAT(data.Error("cc"), HasSubstr("Train-GCC-training.tsv:2: "));
  data.File("AllVideoDescriptions.txt", "# one\na_1_2 un caf\xe9\n");
  EXPECT_THAT(data.Error("msvd"), HasSubstr("AllVideoDescriptions.txt:2: "));
  EXPECT_FALSE(fs::exists(data.folder() + "/out.jsonl"));
}

TEST(Layouts, EveryOneSaysWhatItsFolderHolds) {
  for (const ImportLayoutInfo& layout : ImportLayouts()) {
    EXPECT_FALSE(layout.folder.empty() || layout.columns.empty() || layout.splits.empty())
        << layout.name;
  }
}

}  // namespace
}  // namespace unival
