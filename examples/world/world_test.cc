// Generated files: reproducible, complete, readable, and split without overlap.
#include "examples/world/world.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/world/motion.h"
#include "examples/world/record_writer.h"
#include "examples/world/samples.h"
#include "examples/world/scene.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "modalities/io/decoder.h"
#include "sdk/base/test_files.h"

namespace unival::world {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Folder(const std::string& name) {
  const std::string folder = absl::StrCat(::testing::TempDir(), "/", name);
  std::filesystem::remove_all(folder);
  return folder;
}

// Every file under a folder by its relative name.
std::map<std::string, std::string> Tree(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[std::filesystem::relative(entry.path(), folder).string()] = ReadText(entry.path());
  }
  return files;
}

std::vector<json> Records(const std::string& path) {
  std::vector<json> records;
  for (absl::string_view line : absl::StrSplit(ReadText(path), '\n', absl::SkipEmpty())) {
    records.push_back(json::parse(line.begin(), line.end()));
  }
  return records;
}

WorldOptions Small(const std::string& folder, std::vector<std::string> kinds) {
  WorldOptions options;
  options.output_dir = folder;
  options.kinds = std::move(kinds);
  options.train_count = 12;
  options.eval_count = 5;
  options.seed = 3;
  return options;
}

TEST(WorldTest, TheSameSeedWritesTheSameBytes) {
  const std::string first = Folder("first"), second = Folder("second"), other = Folder("other");
  WorldOptions options = Small(first, {});
  ASSERT_TRUE(GenerateWorld(options).ok());
  options.output_dir = second;
  ASSERT_TRUE(GenerateWorld(options).ok());
  options.output_dir = other;
  options.seed = 4;
  ASSERT_TRUE(GenerateWorld(options).ok());
  EXPECT_EQ(Tree(first), Tree(second));
  EXPECT_NE(Tree(first)["image/train/images.tar"], Tree(other)["image/train/images.tar"]);
}

TEST(WorldTest, WritesOneTarAndOneFilePerTaskForEverySplit) {
  const std::string folder = Folder("layout");
  ASSERT_TRUE(GenerateWorld(Small(folder, {})).ok());
  const auto files = Tree(folder);
  for (const char* name :
       {"image/train/images.tar", "image/train/caption.jsonl", "image/train/vqa.jsonl",
        "image/eval/grounding.jsonl", "image_varied/train/vqa.jsonl", "video/train/videos.tar",
        "video/eval/vqa.jsonl", "depth/eval_held_out/depth.tar",
        "depth/eval_held_out/caption.jsonl", "sound/eval/sounds.tar", "text/train/copy.jsonl",
        "text/train/denoise.jsonl", "text_plain/eval/qa.jsonl", "image/world.json"}) {
    EXPECT_EQ(files.count(name), 1u) << name;
  }
  for (const auto& [name, bytes] : files) EXPECT_FALSE(absl::EndsWith(name, ".partial")) << name;
}

TEST(WorldTest, RecordsNameMembersOfTheTarBesideThem) {
  const std::string folder = Folder("members");
  ASSERT_TRUE(GenerateWorld(Small(folder, {"image", "depth"})).ok());
  const std::string tar = ReadText(folder + "/depth/train/depth.tar");
  const std::vector<json> records = Records(folder + "/depth/train/caption.jsonl");
  ASSERT_EQ(records.size(), 12u);
  for (const json& record : records) {
    const std::string path = record["depth"];
    ASSERT_TRUE(absl::StartsWith(path, "depth.tar:")) << path;
    EXPECT_THAT(tar, HasSubstr(path.substr(10)));
    EXPECT_EQ(record["held_out"], "no");
  }
  for (const json& record : Records(folder + "/image/train/grounding.jsonl")) {
    EXPECT_LT(record["box"][0], record["box"][2]);
    EXPECT_LT(record["box"][1], record["box"][3]);
    EXPECT_EQ(record["width"], 64);
  }
}

TEST(WorldTest, TrainAndEvalShareNoPicture) {
  std::set<size_t> train;
  const SampleKind& image = *FindSampleKind("image");
  const auto hash = [&](Split split, int i) {
    Random random(SampleSeed(1, image.name, split, i));
    return std::hash<std::string>()(image.make("x", split, &random)->media);
  };
  for (int i = 0; i < 200; ++i) train.insert(hash(Split::kTrain, i));
  EXPECT_EQ(train.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(train.count(hash(Split::kEval, i)), 0u);
}

TEST(WorldTest, HeldOutRegionsAreOfHeldOutCombinationsOnly) {
  const std::string folder = Folder("held_out");
  WorldOptions options = Small(folder, {"depth"});
  options.eval_count = 60;
  ASSERT_TRUE(GenerateWorld(options).ok());
  for (const json& record : Records(folder + "/depth/eval_held_out/grounding.jsonl")) {
    EXPECT_EQ(record["held_out"], "yes");
    const std::string text = record["text"];
    EXPECT_TRUE(absl::StrContains(text, "star") || absl::StrContains(text, "triangle") ||
                absl::StrContains(text, "cross"))
        << text;
  }
}

TEST(WorldTest, MediaAreFilesOfTheirKind) {
  const std::vector<std::pair<std::string, std::string>> heads = {{"image", "\x89PNG"},
                                                                  {"image_varied", "\x89PNG"},
                                                                  {"depth", "\x89PNG"},
                                                                  {"sound", "RIFF"},
                                                                  {"video", "ftyp"}};
  for (const auto& [name, head] : heads) {
    Random random(1);
    const auto sample = FindSampleKind(name)->make("x", Split::kTrain, &random);
    ASSERT_TRUE(sample.ok()) << sample.status();
    EXPECT_THAT(sample->media.substr(0, 12), HasSubstr(head)) << name;
  }
}

// The input of a user's modalities.
class DecodedWorldTest : public ::testing::Test {
 protected:
  MediaSource Media(const std::string& kind, int index) {
    Random random(SampleSeed(1, kind, Split::kTrain, index));
    auto sample = FindSampleKind(kind)->make("x", Split::kTrain, &random);
    EXPECT_TRUE(sample.ok()) << sample.status();
    return {kind, "", std::make_shared<const std::string>(std::move(sample->media))};
  }

  const std::unique_ptr<MediaDecoder> decoder_ = NewFfmpegDecoder();
};

TEST_F(DecodedWorldTest, DepthMapsKeepTheirMillimetres) {
  for (int i = 0; i < 5; ++i) {
    Random random(SampleSeed(1, "depth", Split::kTrain, i));
    const Scene scene = SampleScene(Distances(), Split::kTrain, &random);
    const DepthImage depth = RenderDepth(scene, &random);
    const auto decoded = decoder_->DecodeImage(Media("depth", i), PixelFormat::kGray16);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(decoded->numel(), kSceneSize * kSceneSize);
    const int32_t* values = decoded->data_ptr<int32_t>();
    for (int64_t p = 0; p < decoded->numel(); ++p) ASSERT_EQ(values[p], depth.millimetres[p]);
  }
}

TEST_F(DecodedWorldTest, VideosKeepTheirFramesAndColors) {
  const auto all = [](int64_t count, double) {
    std::vector<int64_t> indices(count);
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
  };
  for (int i = 0; i < 40; ++i) {
    Random random(SampleSeed(1, "video", Split::kTrain, i));
    const MovingScene scene = SampleMovingScene(&random);
    const std::vector<RgbImage> frames = RenderFrames(scene, &random);
    const auto clip = decoder_->DecodeVideo(Media("video", i), all);
    ASSERT_TRUE(clip.ok()) << clip.status();
    ASSERT_EQ(clip->frames.numel(), kFrameCount * kSceneSize * kSceneSize * 3);
    const uint8_t* pixels = clip->frames.data_ptr<uint8_t>();
    for (int f = 0; f < kFrameCount; ++f) {
      const Object& object = scene.frames[f][0];
      const int centre =
          static_cast<int>(object.y) * kSceneSize * 3 + static_cast<int>(object.x) * 3;
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(pixels[f * kSceneSize * kSceneSize * 3 + centre + c],
                    frames[f].pixels[centre + c], 30)
            << MovingCaption(scene.movers) << ", frame " << f << ", channel " << c;
      }
    }
  }
}

TEST_F(DecodedWorldTest, SoundsAreOneSecondOfEightKilohertz) {
  const auto clip = decoder_->DecodeAudio(Media("sound", 0));
  ASSERT_TRUE(clip.ok()) << clip.status();
  EXPECT_EQ(clip->sample_rate_hz, 8000);
  EXPECT_EQ(clip->samples.numel(), 8000);
}

TEST(WorldTest, RefusesWhatItCannotMake) {
  WorldOptions options = Small(Folder("refused"), {"imgae"});
  EXPECT_THAT(std::string(GenerateWorld(options).message()),
              HasSubstr("got \"imgae\", expected one of image, image_varied, video"));
  options = Small("", {"image"});
  EXPECT_EQ(GenerateWorld(options).code(), absl::StatusCode::kInvalidArgument);
  options = Small(Folder("refused"), {"image"});
  options.train_count = -1;
  EXPECT_THAT(std::string(GenerateWorld(options).message()), HasSubstr("train_count -1"));
  const std::string file = Folder("a_file");
  std::ofstream(file) << "x";
  const absl::Status beneath_a_file = GenerateWorld(Small(file, {"text"}));
  EXPECT_EQ(beneath_a_file.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(beneath_a_file.message()),
              AllOf(HasSubstr(file), HasSubstr("not a directory")));
}

TEST(WorldTest, ReportsProgressToTheEnd) {
  WorldOptions options = Small(Folder("progress"), {"text"});
  std::vector<std::string> seen;
  options.progress = [&](const WorldProgress& p) {
    seen.push_back(absl::StrCat(p.kind, " ", SplitName(p.split), " ", p.done, "/", p.total));
  };
  ASSERT_TRUE(GenerateWorld(options).ok());
  EXPECT_THAT(seen, ::testing::ElementsAre("text train 12/12", "text eval 5/5"));
}

TEST(RecordWriterTest, ADroppedWriterLeavesNoFiles) {
  const std::string folder = Folder("dropped");
  {
    auto writer = RecordWriter::Create(folder, "images.tar");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->AddMedia("a.png", "bytes").ok());
    ASSERT_TRUE((*writer)->AddRecord("caption", {{"caption", "a"}}).ok());
  }
  EXPECT_TRUE(Tree(folder).empty());
}

TEST(RecordWriterTest, AFolderHasOneWriterAtATime) {
  const std::string folder = Folder("one_writer");
  {
    const auto writer = RecordWriter::Create(folder, "images.tar");
    ASSERT_TRUE(writer.ok()) << writer.status();
    EXPECT_EQ(RecordWriter::Create(folder, "images.tar").status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(RecordWriter::Create(folder, "images.tar").ok());
}

TEST(CorpusTest, HoldsWordsSentencesAndExtraLinesInOrder) {
  CorpusOptions options;
  options.output_file = Folder("corpus.txt");
  options.sentences = 50;
  options.extra_files = {Folder("extra.txt")};
  std::ofstream(options.extra_files[0]) << "an extra line\n";
  ASSERT_TRUE(WriteCorpus(options).ok());
  const std::string text = ReadText(options.output_file);
  EXPECT_THAT(text, HasSubstr("\nmiddle\n"));
  EXPECT_TRUE(absl::EndsWith(text, "\nan extra line\n"));
  options.extra_files = {Folder("missing.txt")};
  EXPECT_EQ(WriteCorpus(options).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unival::world
