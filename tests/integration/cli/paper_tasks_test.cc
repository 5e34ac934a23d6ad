// Runs every task of the shipped sets through the program, with pictures, sounds and videos in all
// usual formats, on a model with a few thousand parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "modalities/io/encode.h"
#include "modalities/io/test_media.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPlan[] = R"(
name: "media"
seed: 1
tokenizer_directory: "tokenizer"
templates: "unival.textproto"
fresh_model {
  name: "media"
  backbone {
    d_model: 32 ffn_dim: 64 heads: 2 encoder_layers: 1 decoder_layers: 1
    token_bucket_size: 32 image_bucket_size: 8 max_positions: 128 attn_scale_factor: 2
    type_rows: 2 add_type_embedding: true scale_attn: true scale_fc: true scale_heads: true
    disable_entangle: true layernorm_embedding: true patch_layernorm_embedding: true
    encoder_pre_norm: true decoder_pre_norm: true code_image_size: 64
    code_layernorm_embedding: true
  }
  vocabulary {
    blocks { id: "core.location_bin" extents { size: 16 } }
    blocks { id: "core.image_code" extents { size: 16 } }
  }
  tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
  modality {
    id: "image"
    image { width: 32 height: 32 }
    encoder { small_cnn { in_channels: 3 widths: 8 widths: 8 widths: 16 } }
  }
  modality {
    id: "video"
    video { frames: 4 width: 32 height: 32 resize: true }
    encoder { small_cnn { in_channels: 12 widths: 8 widths: 8 widths: 16 } }
  }
  modality {
    id: "audio"
    audio {
      sample_rate_hz: 8000 max_samples: 8000
      log_mel { window: 256 hop: 160 mel_bins: 16 min_hz: 60 max_hz: 4000 }
    }
    encoder {
      small_cnn { in_channels: 1 widths: 8 widths: 16 flatten_height: true spectrogram_bins: 16 }
    }
  }
  connection { modality: "image" shared_type_row: 1 }
  connection { modality: "video" shared_type_row: 1 }
  connection { modality: "audio" shared_type_row: 1 }
}
stage {
  name: "one" trainable: "all" steps: 2 batch: 2 micro_batches: 4
  optimizer { learning_rate: 1e-3 clip_norm: 1 }
  source { task: "image_caption_and_matching" path: "records.jsonl" }
  source { task: "grounding_and_caption" path: "records.jsonl" }
  source {
    task: "visual_entailment" path: "records.jsonl" columns { key: "answer" value: "verdict" }
  }
  source { task: "image_relation" path: "records.jsonl" }
  source { task: "text_restore" path: "records.jsonl" }
  source { task: "audio_qa" path: "records.jsonl" columns { key: "answer" value: "verdict" } }
  source { task: "video_text_matching" path: "records.jsonl" }
  source { task: "answer_verification" path: "records.jsonl" }
}
)";

// All columns of a record; each picture, sound and video has another format.
json Record(int i) {
  const char* const images[] = {"a.png", "b.jpg", "c.webp", "d.gif"};
  const char* const sounds[] = {"a.wav", "b.flac", "c.mp3", "d.ogg", "e.m4a"};
  const char* const videos[] = {"h264.mp4",   "a.webm",      "a.mkv",
                                "varied.mp4", "rotated.mp4", "one_frame.mp4"};
  const char* const verdicts[] = {"yes", "no", "maybe"};
  const char* const answers[] = {"red", "blue", "two"};
  return {{"image", images[i % 4]},
          {"second", images[(i + 1) % 4]},
          {"audio", sounds[i % 5]},
          {"video", videos[i % 6]},
          {"caption", absl::StrCat("the ", answers[i % 3], " circle")},
          {"text", absl::StrCat("the ", answers[i % 3], " circle. a square.")},
          {"question", "how many circles are there?"},
          {"candidate", answers[i % 3]},
          {"hypothesis", "a circle"},
          {"verdict", verdicts[i % 3]},
          {"relation", "brighter"},
          {"box", {2, 3, 20, 30}},
          {"width", 48},
          {"height", 32}};
}

void WriteMedia(const Program& program) {
  constexpr int kHeight = 32, kWidth = 48, kRate = 16000;
  const auto picture = TestPicture(kHeight, kWidth);
  WriteText(program.Path("a.png"), EncodePng(picture, kWidth, kHeight, 3).value());
  WriteText(program.Path("b.jpg"), MakeJpeg(picture, kHeight, kWidth));
  WriteText(program.Path("c.webp"), MakeWebp(picture, kHeight, kWidth));
  WriteText(program.Path("d.gif"), MakeGif(3, 24));
  const auto tone = TestTone(kRate / 2, kRate);
  WriteText(program.Path("a.wav"), EncodeWav(tone, kRate).value());
  WriteText(program.Path("b.flac"), EncodeFlac(tone, kRate).value());
  WriteText(program.Path("c.mp3"), MakeSound("mp3", "libmp3lame", tone, kRate));
  WriteText(program.Path("d.ogg"), MakeSound("ogg", "libvorbis", tone, kRate));
  WriteText(program.Path("e.m4a"), MakeSound("mp4", "aac", tone, kRate));
  const auto video = [&](const char* file, const char* container, const char* codec) {
    VideoSetting setting;
    setting.container = container;
    setting.codec = codec;
    WriteText(program.Path(file), MakeVideo(setting));
  };
  video("h264.mp4", "mp4", "libx264");  // without sound, like all of them
  video("a.webm", "webm", "libvpx");
  video("a.mkv", "matroska", "libx264");
  VideoSetting varied, rotated, one;
  varied.codec = "libx264";
  varied.times = {0, 1, 2, 3, 13, 23, 33, 43, 53, 63, 73, 83};
  WriteText(program.Path("varied.mp4"), MakeVideo(varied));
  rotated.matrix = {0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30};
  WriteText(program.Path("rotated.mp4"), MakeVideo(rotated));
  one.frames = 1;
  WriteText(program.Path("one_frame.mp4"), MakeVideo(one));
}

// A model of three modalities, trained for two steps on all kinds of media and tasks.
const Program& Workplace() {
  static const Program* const kProgram = [] {
    auto* program = new Program(NewFolder("paper_tasks"));
    for (const char* set : {"unival.textproto", "published.textproto"}) {
      WriteText(program->Path(set), ReadText(Runfile(std::string("tasks/templates/") + set)));
    }
    WriteMedia(*program);
    std::string records;
    for (int i = 0; i < 12; ++i) records += Record(i).dump() + "\n";
    WriteText(program->Path("records.jsonl"), records);
    WriteText(program->Path("plan.textproto"), kPlan);
    for (const char* command : {"data make-corpus corpus.txt --sentences 2000",
                                "data train-tokenizer corpus.txt tokenizer.model --size 400"}) {
      const Outcome outcome = program->Run(command);
      EXPECT_EQ(outcome.code, 0) << outcome.err;
    }
    const Outcome trained = program->Shell(
        "mkdir tokenizer && mv tokenizer.model tokenizer/ && unival train plan.textproto --output "
        "run "
        "--quiet && cp -r run/model model");
    EXPECT_EQ(trained.code, 0) << trained.err;
    return program;
  }();
  return *kProgram;
}

std::string Predict(const std::string& options) {
  const Outcome outcome = Workplace().Run("predict model --json " + options);
  EXPECT_EQ(outcome.code, 0) << options << "\n" << outcome.err;
  return outcome.out;
}

// The columns that a task needs for an answer, as options. Uses the media of the first record, or
// the given ones.
std::string Inputs(const json& task, const json& record) {
  std::string inputs;
  const std::string prompt = task["prompt"];
  const json media = task["media_columns"];
  for (const auto& [column, value] : record.items()) {
    const bool is_media = std::find(media.begin(), media.end(), column) != media.end();
    const bool is_asked = prompt.find("{" + column) != std::string::npos;
    if (!is_media && !is_asked) continue;
    inputs += " --input '" + column + "=" +
              (value.is_string() ? value.get<std::string>() : value.dump()) + "'";
  }
  return inputs;
}

std::vector<json> TasksOf(const std::string& set) {
  const Outcome listed = Workplace().Run("prompts list " + set + " --json");
  EXPECT_EQ(listed.code, 0) << listed.err;
  std::vector<json> tasks;
  for (const json& task : json::parse(listed.out)) {
    bool has_modalities = true;  // the depth modality is in a plugin
    for (const json& modality : task["modalities"]) has_modalities &= modality != "depth";
    if (has_modalities) tasks.push_back(task);
  }
  return tasks;
}

TEST(PaperTasks, AllOfThemAreInBothSets) {
  const struct {
    const char* set;
    std::vector<const char*> tasks;
  } kSets[] = {{"unival.textproto",
                {"image_caption", "video_caption", "audio_caption", "vqa", "video_qa", "audio_qa",
                 "grounding", "grounded_caption", "image_text_matching", "video_text_matching",
                 "audio_text_matching", "answer_verification", "visual_entailment",
                 "image_generation", "text_restore", "text_summary", "text_class"}},
               {"published.textproto",
                {"image_caption", "video_caption", "audio_caption", "vqa", "video_qa", "audio_qa",
                 "grounding", "grounded_caption", "image_text_matching", "video_text_matching",
                 "audio_text_matching", "answer_verification", "visual_entailment",
                 "image_generation", "text_infilling", "summarization", "text_classification"}}};
  for (const auto& [set, tasks] : kSets) {
    std::set<std::string> there;
    for (const json& task : TasksOf(set)) there.insert(task["name"].get<std::string>());
    for (const char* task : tasks) EXPECT_EQ(there.count(task), 1u) << set << ": " << task;
  }
}

TEST(PaperTasks, EachAnswersFromARealFile) {
  const json record = {{"image", "a.png"},
                       {"second", "b.jpg"},
                       {"audio", "a.wav"},
                       {"video", "h264.mp4"},
                       {"caption", "the red circle"},
                       {"text", "the red circle"},
                       {"question", "how many circles are there?"},
                       {"candidate", "two"},
                       {"hypothesis", "a circle"},
                       {"objects", "circle square"},
                       {"box", {2, 3, 20, 30}}};
  for (const char* set : {"unival.textproto", "published.textproto"}) {
    for (const json& task : TasksOf(set)) {
      const std::string name = task["name"];
      // 1,024 codes are more than this model has positions; its own task uses fewer.
      if (name == "image_generation") continue;
      const std::string inputs = Inputs(task, record);
      const json answer = json::parse(
          Predict(absl::StrCat("--templates ", set, " --beam 1 --task ", name, inputs)));
      EXPECT_EQ(answer["task"], name);
      const bool grounds = task["target"].get<std::string>().find(":box}") != std::string::npos;
      // The published grounding task may use the whole vocabulary, and this model is hardly
      // trained.
      const bool is_free = grounds && std::string(set) == "published.textproto";
      EXPECT_TRUE(is_free || answer.contains("box_pixels") == grounds) << name;
    }
  }
}

// Training cuts published captions to 20 words, but the references of the evaluation are not cut.
TEST(PaperTasks, AnEvaluationComparesWithWholeCaptions) {
  std::string caption = "word";
  for (int i = 0; i < 28; ++i) caption += " word";
  WriteText(Workplace().Path("long.jsonl"),
            json{{"image", "a.png"}, {"caption", caption + " last"}}.dump() + "\n");
  const Outcome measured = Workplace().Run(
      "eval model --templates published.textproto --task image_caption --data long.jsonl "
      "--predictions long_answers.jsonl --json");
  ASSERT_EQ(measured.code, 0) << measured.err;
  const json line = json::parse(ReadText(Workplace().Path("long_answers.jsonl")));
  EXPECT_EQ(line["references"], json::array({caption + " last"}));
}

TEST(PaperTasks, ImageCodesAreWrittenForACaption) {
  WriteText(
      Workplace().Path("draw.textproto"),
      "name: \"draw\" task { name: \"draw\" prompt: \" what is the complete image? caption: "
      "{caption:text}\" target: \"{codes:codes}\" codes_block: \"core.image_code\" generation { "
      "min_tokens: 16 max_tokens: 16 sample: true top_k: 8 } }");
  const json drawn = json::parse(
      Predict("--templates draw.textproto --task draw --input 'caption=the red circle'"));
  EXPECT_EQ(drawn["codes"].size(), 16u) << drawn;
}

TEST(PaperTasks, MoreCodesThanTheModelHasPlacesForAreRefused) {
  const auto draw = [](int codes) {
    WriteText(Workplace().Path("many.textproto"),
              absl::StrCat("name: \"many\" task { name: \"many\" prompt: \" {caption:text}\" "
                           "target: \"{codes:codes}\" codes_block: \"core.image_code\" "
                           "generation { min_tokens: ",
                           codes, " max_tokens: ", codes, " sample: true } }"));
  };
  const std::string check = "prompts check many.textproto --model model";
  draw(64);
  const Outcome fits = Workplace().Run(check);
  EXPECT_EQ(fits.code, 0) << fits.out << fits.err;
  draw(100);  // positions for them, and no places on the grid
  const Outcome beyond_grid = Workplace().Run(check);
  EXPECT_EQ(beyond_grid.code, 3) << beyond_grid.err;
  EXPECT_THAT(
      beyond_grid.out,
      AllOf(HasSubstr("setting"),
            HasSubstr("expected at most 64, the image codes of the model's grid, got 100")));
  draw(1024);
  const Outcome refused = Workplace().Run(
      "predict model --templates many.textproto --task many --input 'caption=the red circle'");
  EXPECT_EQ(refused.code, 1) << refused.out;
  EXPECT_THAT(refused.err,
              HasSubstr("1024 tokens asked (min_tokens), the model has 128 positions; ask for "
                        "fewer"));
}

TEST(PaperTasks, EveryKindOfMediaFileIsAnswered) {
  const struct {
    const char* task;
    const char* column;
    std::vector<const char*> files;
  } kKinds[] = {
      {"image_caption", "image", {"a.png", "b.jpg", "c.webp", "d.gif"}},
      {"audio_caption", "audio", {"a.wav", "b.flac", "c.mp3", "d.ogg", "e.m4a"}},
      {"video_caption",
       "video",
       {"h264.mp4", "a.webm", "a.mkv", "varied.mp4", "rotated.mp4", "one_frame.mp4", "d.gif"}},
  };
  for (const auto& [task, column, files] : kKinds) {
    for (const char* file : files) {
      Predict(absl::StrCat("--task ", task, " --input ", column, "=", file));
    }
  }
}

TEST(PaperTasks, PromptsShowWhereMediaStandAndWhatTrainingMakes) {
  const Outcome shown =
      Workplace().Run("prompts show image_relation --model model --data records.jsonl --json");
  ASSERT_EQ(shown.code, 0) << shown.err;
  const json pieces = json::parse(shown.out)["prompt_pieces"];
  std::vector<std::string> media;
  for (const json& piece : pieces) {
    if (piece["id"] == -1) media.push_back(piece["piece"]);
  }
  ASSERT_EQ(media.size(), 2u) << pieces;
  EXPECT_THAT(media[0], HasSubstr("a.png"));
  EXPECT_THAT(media[1], HasSubstr("b.jpg"));
  EXPECT_EQ(pieces.back()["position"], pieces.size() - 1);
  const Outcome both = Workplace().Run("prompts show image_caption_and_matching --model model");
  EXPECT_THAT(both.out, HasSubstr("a further example of every record: image_text_matching"));
  const Outcome matching = Workplace().Run("prompts show image_text_matching --model model");
  EXPECT_THAT(matching.out, HasSubstr("\"text\" is made wrong in 0.5 of the records"));
}

TEST(PaperTasks, AnotherInputSizeIsAnOptionOfEveryCommandThatAnswers) {
  Predict("--task image_caption --input image=b.jpg --input_size image=64x48");
  Predict("--task audio_caption --input audio=c.mp3 --input_size audio=6000");
  const Outcome large = Workplace().Run(
      "predict model --task image_caption --input image=a.png --input_size "
      "image=480x480");
  EXPECT_EQ(large.code, 1);
  EXPECT_THAT(large.err, AllOf(HasSubstr("input_size"), HasSubstr("8 x 8"), HasSubstr("60 x 60"),
                               HasSubstr("smaller")));
  const Outcome scored = Workplace().Run(
      "eval model --task image_caption --data records.jsonl --input_size image=64 --limit 2");
  EXPECT_EQ(scored.code, 0) << scored.err;
}

// A video network over frames. The position table does not limit the number of frames, because
// positions count within a frame.
constexpr char kFramesPlan[] = R"(name: "frames"
seed: 1
tokenizer_directory: "tokenizer"
fresh_model {
  name: "frames"
  backbone {
    d_model: 16 ffn_dim: 32 heads: 2 encoder_layers: 1 decoder_layers: 1
    token_bucket_size: 16 image_bucket_size: 10 max_positions: 128 attn_scale_factor: 2
    type_rows: 2 add_type_embedding: true encoder_pre_norm: true decoder_pre_norm: true
  }
  tokenizer { type: "sentencepiece" directory: "tokenizer" block: "core.bpe" }
  modality {
    id: "video"
    video { frames: 4 width: 32 height: 32 resize: true }
    encoder { resnext3d { blocks: 1 cardinality: 32 } }
  }
  connection { modality: "video" shared_type_row: 1 }
}
stage {
  name: "one" trainable: "all" steps: 1 batch: 2
  optimizer { learning_rate: 1e-3 clip_norm: 1 }
  source { task: "say" path: "records.jsonl" }
}
templates: "say.textproto"
)";

TEST(PaperTasks, MoreFramesOfAVideoAreTakenOrRefusedBeforeAnythingRuns) {
  const Program& program = Workplace();
  WriteText(program.Path("say.textproto"), R"(name: "say"
task {
  name: "say"
  input { name: "video" modality: "video" }
  prompt: " what does the video describe?"
  target: " {question:text}"
  generation { max_tokens: 4 }
}
)");
  WriteText(program.Path("frames.textproto"), kFramesPlan);
  const Outcome trained = program.Run("train frames.textproto --output frames --quiet");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string predict =
      "predict frames/model --task say --video h264.mp4 --input_size video=";
  for (const char* size : {"4", "1", "16", "64", "8x40x40"})
    EXPECT_EQ(program.Run(predict + size).code, 0) << size;
  // A plan with more frames starts from the same weights, and its model states the number.
  std::string plan = kFramesPlan;
  plan.replace(plan.find("tokenizer_directory: \"tokenizer\"\nfresh_model {"),
               plan.find("stage {") - plan.find("tokenizer_directory"),
               "model: \"frames/model\"\ninput_size { key: \"video\" value: \"SIZE\" }\n");
  const auto with = [&](const std::string& size) {
    std::string sized = plan;
    WriteText(program.Path("more.textproto"), sized.replace(sized.find("SIZE"), 4, size));
    return program.Run("train more.textproto --output more_" + size + " --quiet");
  };
  const Outcome more = with("16");
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_THAT(ReadText(program.Path("more_16/model/manifest.textproto")), HasSubstr("frames: 16"));
  for (const auto& [size, expected] :
       {std::pair("16x48x48", "12 x 12"), std::pair("2000", "expected 1 to 1024"),
        std::pair("16x48", "FRAMESxWIDTHxHEIGHT")}) {
    const Outcome plan_refused = with(size), refused = program.Run(predict + size);
    for (const Outcome& one : {plan_refused, refused}) {
      EXPECT_EQ(one.code, 1) << size;
      EXPECT_THAT(one.err, AllOf(HasSubstr("input_size"), HasSubstr(expected)));
    }
    EXPECT_EQ(program.Shell(std::string("test -e more_") + size + "/checkpoint").code, 1);
  }
  // When frames are channels of the network, their number cannot change.
  const Outcome channels =
      program.Run("predict model --task video_caption --input video=h264.mp4 --input_size video=8");
  EXPECT_EQ(channels.code, 1);
  EXPECT_THAT(channels.err, AllOf(HasSubstr("expected 4 frames, got 8"), HasSubstr("keep them")));
}

}  // namespace
}  // namespace unival
