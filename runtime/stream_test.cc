// Streamed answers of every task of the shipped models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/io/encode.h"
#include "runtime/pipeline.h"
#include "sdk/base/open_character.h"
#include "sdk/base/printable.h"
#include "sdk/base/random.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pieces = std::vector<std::string>;

TEST(AnswerStream, TellsWholeCharactersAndAllOfThemTogether) {
  Pieces pieces;
  AnswerStream stream([&](absl::string_view piece) {
    pieces.emplace_back(piece);
    return true;
  });
  const std::string text = "a \xe2\x82\xac\xf0\x9f\x98\x80 b";
  for (size_t size = 0; size <= text.size(); ++size) EXPECT_TRUE(stream.Grow(text.substr(0, size)));
  EXPECT_TRUE(stream.Finish(text).ok());
  EXPECT_THAT(pieces, ElementsAre("a", " ", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " ", "b"));
}

TEST(AnswerStream, GivesBytesThatAreNoCharacterAtTheEnd) {
  Pieces pieces;
  AnswerStream stream([&](absl::string_view piece) {
    pieces.emplace_back(piece);
    return true;
  });
  EXPECT_TRUE(stream.Grow("a\xe2"));
  EXPECT_TRUE(stream.Grow("a\xe2 b\xf0\x9f"));
  EXPECT_TRUE(stream.Finish("a\xe2 b\xf0\x9f").ok());
  EXPECT_THAT(pieces, ElementsAre("a", "\xe2 b", "\xf0\x9f"));
}

TEST(AnswerStream, WaitsForATextThatChangesAndRefusesOneThatHasChanged) {
  Pieces pieces;
  AnswerStream stream([&](absl::string_view piece) {
    pieces.emplace_back(piece);
    return pieces.size() < 2;
  });
  EXPECT_TRUE(stream.Grow("red"));
  EXPECT_TRUE(stream.Grow("blue")) << "not said, and not stopped";
  EXPECT_FALSE(stream.Grow("red circle"));
  const absl::Status changed = stream.Finish("blue circle");
  EXPECT_TRUE(absl::IsFailedPrecondition(changed));
  EXPECT_THAT(std::string(changed.message()), HasSubstr("\"red circle\""));
  EXPECT_THAT(pieces, ElementsAre("red", " circle"));
}

Pipeline& Shipped(const std::string& model) {
  static auto* const pipelines = new std::map<std::string, std::unique_ptr<Pipeline>>;
  std::unique_ptr<Pipeline>& pipeline = (*pipelines)[model];
  if (pipeline == nullptr) {
    PipelineOptions options;
    options.model = absl::StrCat("models/", model);
    pipeline = Pipeline::Create(options).value();
  }
  return *pipeline;
}

// A few coloured pictures, as a picture or a video.
MediaSource Medium(const std::string& modality, uint64_t seed) {
  constexpr int kSide = 64, kFrames = 8;
  const int count = modality == "video" ? kFrames : 1;
  SeededRandom random(seed);
  std::vector<uint8_t> pixels(static_cast<size_t>(count) * kSide * kSide * 3);
  const std::array<uint64_t, 3> color = {random.Below(256), random.Below(256), random.Below(256)};
  for (size_t i = 0; i < pixels.size(); ++i) {
    const size_t x = i / 3 % kSide, y = i / 3 / kSide % kSide;
    pixels[i] = x > 15 && x < 45 && y > 20 && y < 50 ? static_cast<uint8_t>(color[i % 3]) : 0;
  }
  const auto bytes = modality == "video" ? EncodeMp4(pixels, count, kSide, kSide, 8)
                                         : EncodePng(pixels, kSide, kSide, 3);
  return {modality == "video" ? "made.mp4" : "made.png", "",
          std::make_shared<const std::string>(bytes.value())};
}

// What a task reads: media that are made, and words.
TaskSample SampleFor(const Task& task, uint64_t seed) {
  const std::vector<std::string>& media = MediaColumns(task.info());
  TaskSample sample{absl::StrCat("sample ", seed), {}};
  for (const std::string& column : task.info().prediction_columns) {
    if (std::find(media.begin(), media.end(), column) != media.end()) {
      sample.fields[column] = Medium(column, seed);
    } else {
      sample.fields[column] = std::string("what is left of the caf\xc3\xa9 \xe2\x82\xac?");
    }
  }
  return sample;
}

std::vector<std::string> TasksOf(Pipeline& pipeline) {
  std::vector<std::string> able;
  for (const std::string& name : pipeline.task_names()) {
    bool fits = true;
    for (const std::string& modality : pipeline.task(name).value()->info().modalities) {
      fits = fits && pipeline.model().RequireModality(modality).ok();
    }
    if (fits) able.push_back(name);
  }
  return able;
}

GenerationConfig Search(int beam, bool sample, uint64_t seed) {
  GenerationConfig config;
  config.set_beam(beam);
  config.set_sample(sample);
  config.set_seed(seed);
  if (sample) config.set_temperature(4);  // high enough for pieces of single bytes
  return config;
}

// Whether `text` could be cut behind `at` bytes: not inside a character that is there whole.
bool IsBetweenCharacters(const std::string& text, size_t at) {
  const size_t open = OpenCharacter(absl::string_view(text).substr(0, at));
  return open == 0 || Utf8Length(absl::string_view(text).substr(at - open)) == 0;
}

void ExpectStreamsWhatItPredicts(Pipeline& pipeline, const std::string& name,
                                 const TaskSample& sample, const GenerationConfig& config) {
  SCOPED_TRACE(absl::StrCat(name, ", beam ", config.beam(), ", sample ", config.sample(), ", seed ",
                            config.seed()));
  const auto whole = pipeline.Predict(name, sample, config);
  ASSERT_TRUE(whole.ok()) << whole.status();
  std::string text;
  std::vector<size_t> ends;
  const auto streamed = pipeline.Stream(
      name, sample,
      [&](absl::string_view piece) {
        text += std::string(piece);
        ends.push_back(text.size());
        return true;
      },
      config);
  ASSERT_TRUE(streamed.ok()) << streamed.status();
  EXPECT_EQ(text, whole->text);
  EXPECT_EQ(streamed->text, whole->text);
  EXPECT_EQ(streamed->score, whole->score);
  EXPECT_EQ(streamed->box, whole->box);
  for (const size_t end : ends)
    EXPECT_TRUE(IsBetweenCharacters(text, end)) << end << " of " << text;
}

class StreamOf : public ::testing::TestWithParam<std::string> {};

TEST_P(StreamOf, EveryTaskIsItsAnswerToTheByte) {
  Pipeline& pipeline = Shipped(GetParam());
  const std::vector<std::string> tasks = TasksOf(pipeline);
  EXPECT_GE(tasks.size(), 5u) << absl::StrJoin(tasks, ", ");
  for (const std::string& name : tasks) {
    const TaskSample sample = SampleFor(*pipeline.task(name).value(), 3);
    ExpectStreamsWhatItPredicts(pipeline, name, sample, {});
    for (const int beam : {1, 3}) {
      ExpectStreamsWhatItPredicts(pipeline, name, sample, Search(beam, false, 0));
      for (uint64_t seed = 0; seed < 3; ++seed) {
        ExpectStreamsWhatItPredicts(pipeline, name, sample, Search(beam, true, seed));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shipped, StreamOf, ::testing::Values("nano", "base"));

// `base` has a piece for every byte, so samples at a high temperature contain incomplete
// characters.
TEST(Stream, OfBytesNeverEndsInsideACharacter) {
  Pipeline& pipeline = Shipped("base");
  const Task& task = *pipeline.task("say").value();
  int with_bytes = 0;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    const TaskSample sample = SampleFor(task, seed);
    const GenerationConfig config = Search(1, true, seed);
    ExpectStreamsWhatItPredicts(pipeline, "say", sample, config);
    const std::string text = pipeline.Predict("say", sample, config)->text;
    const auto is_ascii = [](char byte) { return static_cast<unsigned char>(byte) < 0x80; };
    if (!std::all_of(text.begin(), text.end(), is_ascii)) ++with_bytes;
  }
  EXPECT_GT(with_bytes, 3) << "the samples write no bytes beyond ASCII; heat them";
}

TEST(Stream, EndsWhenItsListenerSaysSo) {
  Pipeline& pipeline = Shipped("nano");
  const TaskSample sample = SampleFor(*pipeline.task("image_caption").value(), 1);
  std::string text;
  const auto stopped = pipeline.Stream("image_caption", sample, [&](absl::string_view piece) {
    text += std::string(piece);
    return false;
  });
  EXPECT_TRUE(absl::IsCancelled(stopped.status())) << stopped.status();
  const std::string whole = pipeline.Predict("image_caption", sample)->text;
  EXPECT_FALSE(text.empty());
  EXPECT_LT(text.size(), whole.size());
  EXPECT_EQ(whole.substr(0, text.size()), text);
}

TEST(Stream, TurnsWhatItsListenerThrowsIntoAnError) {
  Pipeline& pipeline = Shipped("nano");
  const TaskSample sample = SampleFor(*pipeline.task("image_caption").value(), 1);
  const auto failed = pipeline.Stream("image_caption", sample, [](absl::string_view) -> bool {
    throw std::runtime_error("the window is gone");
  });
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("the window is gone"));
}

TEST(PredictBest, GivesSoManyAnswersBestFirst) {
  Pipeline& pipeline = Shipped("nano");
  const Task& task = *pipeline.task("image_caption").value();
  GenerationConfig config = Search(4, false, 0);
  config.set_n_best(3);
  const auto found =
      pipeline.PredictBest("image_caption", {SampleFor(task, 1), SampleFor(task, 2)}, config);
  ASSERT_TRUE(found.ok()) << found.status();
  for (const auto& answers : *found) {
    ASSERT_TRUE(answers.ok()) << answers.status();
    ASSERT_EQ(answers->size(), 3u);
    EXPECT_GE((*answers)[0].score, (*answers)[1].score);
    EXPECT_GE((*answers)[1].score, (*answers)[2].score);
    EXPECT_NE((*answers)[0].text, (*answers)[1].text);
  }
  const auto single = pipeline.Predict("image_caption", SampleFor(task, 2), Search(4, false, 0));
  EXPECT_EQ(single->text, (*found)[1]->front().text);
  config.set_beam(2);
  const auto refused = pipeline.PredictBest("image_caption", {SampleFor(task, 1)}, config);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("n_best"));
}

}  // namespace
}  // namespace unival
