#include "examples/world/samples.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/world/media_bytes.h"
#include "examples/world/motion.h"
#include "examples/world/questions.h"
#include "examples/world/scene.h"
#include "examples/world/sentences.h"
#include "examples/world/sound.h"
#include "sdk/base/status_macros.h"

namespace unival::world {
namespace {

constexpr int kQuestions = 3;  // most questions of one sample

double Rounded(double pixels) { return std::round(pixels * 100) / 100; }

void AddQuestions(const std::vector<Question>& questions, const Record& base, Sample* sample) {
  for (const Question& question : questions) {
    Record record = base;
    record["question"] = question.question;
    record["answer"] = question.answer;
    record["kind"] = question.kind;
    sample->records.push_back({"vqa", std::move(record)});
  }
}

void AddCaption(const std::string& caption, const std::string& kind, const Record& base,
                Sample* sample) {
  Record record = base;
  record["caption"] = caption;
  record["kind"] = kind;
  sample->records.push_back({"caption", std::move(record)});
}

// Pictures and depth maps. In the held-out split, regions are asked for only where
// the combination itself is a held-out one.
void AddSceneRecords(const Scene& scene, Split split, const Record& base, Random* random,
                     Sample* sample) {
  const bool held_out = split == Split::kHeldOut;
  const char* kind = scene.description.groups.size() == 1 ? "one group" : "two groups";
  AddCaption(Caption(scene.description), kind, base, sample);
  AddQuestions(AskAboutScene(scene, kQuestions, held_out, random), base, sample);
  for (const Referent& referent : Referents(scene, random)) {
    const Group& group = scene.description.groups[referent.group];
    if (held_out && !IsHeldOut(*scene.description.attribute, group.shape, group.attribute))
      continue;
    const Box& box = referent.box;
    Record record = base;
    record["text"] = referent.text;
    record["box"] = {Rounded(box.x0), Rounded(box.y0), Rounded(box.x1), Rounded(box.y1)};
    record["width"] = kSceneSize;
    record["height"] = kSceneSize;
    sample->records.push_back({"grounding", std::move(record)});
  }
}

absl::StatusOr<Sample> MakePicture(const Attribute& colors, const std::string& path, Split split,
                                   Random* random) {
  const Scene scene = SampleScene(colors, split, random);
  Sample sample;
  UNIVAL_ASSIGN_OR_RETURN(sample.media, PngBytes(RenderRgb(scene, random)));
  AddSceneRecords(scene, split, {{"image", path}}, random, &sample);
  return sample;
}

absl::StatusOr<Sample> MakeImage(const std::string& path, Split split, Random* random) {
  return MakePicture(Colors(), path, split, random);
}

absl::StatusOr<Sample> MakeVariedImage(const std::string& path, Split split, Random* random) {
  return MakePicture(VariedColors(), path, split, random);
}

absl::StatusOr<Sample> MakeDepth(const std::string& path, Split split, Random* random) {
  const Scene scene = SampleScene(Distances(), split, random);
  Sample sample;
  UNIVAL_ASSIGN_OR_RETURN(sample.media, PngBytes(RenderDepth(scene, random)));
  const Record base = {{"depth", path}, {"held_out", split == Split::kHeldOut ? "yes" : "no"}};
  AddSceneRecords(scene, split, base, random, &sample);
  return sample;
}

absl::StatusOr<Sample> MakeVideo(const std::string& path, Split, Random* random) {
  const MovingScene scene = SampleMovingScene(random);
  Sample sample;
  UNIVAL_ASSIGN_OR_RETURN(sample.media, VideoBytes(RenderFrames(scene, random), kFramesPerSecond));
  const Record base = {{"video", path}};
  AddCaption(MovingCaption(scene.movers), scene.movers.size() == 1 ? "one shape" : "two shapes",
             base, &sample);
  AddQuestions(AskAboutMotion(scene.movers, kQuestions, random), base, &sample);
  return sample;
}

absl::StatusOr<Sample> MakeSound(const std::string& path, Split, Random* random) {
  const Sound sound = SampleSound(random);
  Sample sample;
  UNIVAL_ASSIGN_OR_RETURN(sample.media, WavBytes(RenderSound(sound, random), kSoundRateHz));
  const Record base = {{"audio", path}};
  AddCaption(SoundCaption(sound), "sound", base, &sample);
  AddQuestions(AskAboutSound(sound, 2, random), base, &sample);
  return sample;
}

Record TextRecord(const Sentence& sentence) {
  return {{"text", sentence.text}, {"kind", sentence.kind}};
}

absl::StatusOr<Sample> MakeText(TextMix mix, Random* random) {
  Sample sample;
  sample.records.push_back({"copy", TextRecord(SampleSentence(mix, random))});
  Sentence whole = SampleSentence(mix, random);
  // Nothing can restore a missing word of a random string.
  while (whole.kind == "words") whole = SampleSentence(mix, random);
  sample.records.push_back({"denoise", TextRecord(whole)});
  const TextQuestion asked = SampleTextQuestion(mix, random);
  sample.records.push_back({"qa",
                            // The full stop parts the text from the question in the prompt.
                            {{"text", absl::StrCat(asked.text, " .")},
                             {"question", asked.question.question},
                             {"answer", asked.question.answer},
                             {"kind", asked.question.kind}}});
  return sample;
}

absl::StatusOr<Sample> MakeFullText(const std::string&, Split, Random* random) {
  return MakeText(TextMix::kFull, random);
}

absl::StatusOr<Sample> MakePlainText(const std::string&, Split, Random* random) {
  return MakeText(TextMix::kPlain, random);
}

}  // namespace

const std::vector<SampleKind>& SampleKinds() {
  static const auto* kinds = new std::vector<SampleKind>{
      {"image", "images.tar", ".png", {Split::kTrain, Split::kEval}, MakeImage},
      {"image_varied", "images.tar", ".png", {Split::kTrain, Split::kEval}, MakeVariedImage},
      {"video", "videos.tar", ".mp4", {Split::kTrain, Split::kEval}, MakeVideo},
      {"depth",
       "depth.tar",
       ".depth.png",
       {Split::kTrain, Split::kEval, Split::kHeldOut},
       MakeDepth},
      {"sound", "sounds.tar", ".wav", {Split::kTrain, Split::kEval}, MakeSound},
      {"text", "", "", {Split::kTrain, Split::kEval}, MakeFullText},
      {"text_plain", "", "", {Split::kTrain, Split::kEval}, MakePlainText}};
  return *kinds;
}

const SampleKind* FindSampleKind(absl::string_view name) {
  for (const SampleKind& kind : SampleKinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace unival::world
