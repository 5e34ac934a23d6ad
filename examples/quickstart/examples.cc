#include "examples/quickstart/examples.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "examples/quickstart/depth_picture.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "training/evaluation/evaluate.h"

namespace unival::quickstart {
namespace {

constexpr char kMediaColumn[] = "depth";
constexpr size_t kMostAnswers = 3, kMostRegions = 2;

// A task with the records of one split.
struct TaskRecords {
  const Task* task = nullptr;
  std::unique_ptr<Source> source;
};

absl::StatusOr<TaskRecords> OpenRecords(const Pipeline& pipeline, const std::string& task,
                                        const std::string& path) {
  TaskRecords records;
  UNIVAL_ASSIGN_OR_RETURN(records.task, pipeline.task(task));
  UNIVAL_ASSIGN_OR_RETURN(records.source, OpenTaskSource(*records.task, path, {}, 0));
  return records;
}

absl::StatusOr<MediaSource> MediaOf(const TaskSample& sample) {
  const auto found = sample.fields.find(kMediaColumn);
  if (found == sample.fields.end() || !std::holds_alternative<MediaSource>(found->second)) {
    return absl::InvalidArgumentError(
        absl::StrCat(sample.key, ": column ", kMediaColumn, ": expected a depth map"));
  }
  return std::get<MediaSource>(found->second);
}

// Records are written scene by scene, so those of the first scenes come first.
absl::StatusOr<std::vector<TaskSample>> SamplesOf(const TaskRecords& records,
                                                  const std::string& media, size_t most) {
  std::vector<TaskSample> samples;
  bool seen = false;
  for (int64_t i = 0; i < records.source->size() && samples.size() < most; ++i) {
    UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, records.source->Read(i));
    UNIVAL_ASSIGN_OR_RETURN(const MediaSource item, MediaOf(sample));
    if (item.name != media) {
      if (seen) break;
      continue;
    }
    seen = true;
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::string Column(const TaskSample& sample, const std::string& name) {
  const auto found = sample.fields.find(name);
  const auto* text =
      found == sample.fields.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

absl::StatusOr<std::string> Picture(const MediaDecoder& decoder, const MediaSource& media) {
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                          decoder.DecodeImage(media, PixelFormat::kGray16));
  return CatchTorch("depth picture", [&]() -> absl::StatusOr<std::string> {
    const at::Tensor depth = pixels.contiguous();
    const absl::Span<const int32_t> values(depth.data_ptr<int32_t>(),
                                           static_cast<size_t>(depth.numel()));
    return DepthPicturePng(values, static_cast<int>(depth.size(1)),
                           static_cast<int>(depth.size(0)));
  });
}

struct SplitRecords {
  TaskRecords captions, questions, regions;
};

absl::Status AddAnswers(Pipeline& pipeline, const TaskRecords& questions, const std::string& media,
                        report::ExampleCard* card) {
  UNIVAL_ASSIGN_OR_RETURN(const auto samples, SamplesOf(questions, media, kMostAnswers));
  for (const TaskSample& sample : samples) {
    UNIVAL_ASSIGN_OR_RETURN(const Prediction answer,
                            pipeline.Predict(questions.task->info().name, sample));
    UNIVAL_ASSIGN_OR_RETURN(const Prediction expected, ReferenceAnswer(*questions.task, sample));
    card->answers.push_back({Column(sample, "question"), answer.text, expected.text});
  }
  return absl::OkStatus();
}

absl::Status AddRegions(Pipeline& pipeline, const TaskRecords& regions, const std::string& media,
                        report::ExampleCard* card) {
  UNIVAL_ASSIGN_OR_RETURN(const auto samples, SamplesOf(regions, media, kMostRegions));
  for (const TaskSample& sample : samples) {
    UNIVAL_ASSIGN_OR_RETURN(const Prediction answer,
                            pipeline.Predict(regions.task->info().name, sample));
    UNIVAL_ASSIGN_OR_RETURN(const Prediction expected, ReferenceAnswer(*regions.task, sample));
    card->regions.push_back({Column(sample, "text"), answer.box, expected.box});
  }
  return absl::OkStatus();
}

absl::StatusOr<report::ExampleCard> MakeCard(Pipeline& pipeline, const SplitRecords& split,
                                             const TaskSample& sample) {
  report::ExampleCard card;
  UNIVAL_ASSIGN_OR_RETURN(const MediaSource media, MediaOf(sample));
  UNIVAL_ASSIGN_OR_RETURN(card.picture_png,
                          Picture(*pipeline.model().runtime().services().media, media));
  UNIVAL_ASSIGN_OR_RETURN(const Prediction caption,
                          pipeline.Predict(split.captions.task->info().name, sample));
  card.caption = caption.text;
  UNIVAL_ASSIGN_OR_RETURN(const Prediction expected, ReferenceAnswer(*split.captions.task, sample));
  card.expected_caption = expected.text;
  UNIVAL_RETURN_IF_ERROR(AddAnswers(pipeline, split.questions, media.name, &card));
  UNIVAL_RETURN_IF_ERROR(AddRegions(pipeline, split.regions, media.name, &card));
  return card;
}

}  // namespace

absl::StatusOr<std::vector<report::ExampleCard>> MakeExamples(Pipeline& pipeline,
                                                              const std::string& split_folder,
                                                              int count, bool held_out) {
  SplitRecords split;
  UNIVAL_ASSIGN_OR_RETURN(split.captions,
                          OpenRecords(pipeline, "depth_caption", split_folder + "/caption.jsonl"));
  UNIVAL_ASSIGN_OR_RETURN(split.questions,
                          OpenRecords(pipeline, "depth_vqa", split_folder + "/vqa.jsonl"));
  UNIVAL_ASSIGN_OR_RETURN(
      split.regions, OpenRecords(pipeline, "depth_grounding", split_folder + "/grounding.jsonl"));
  std::vector<report::ExampleCard> cards;
  for (int64_t i = 0; i < std::min<int64_t>(count, split.captions.source->size()); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, split.captions.source->Read(i));
    UNIVAL_ASSIGN_OR_RETURN(report::ExampleCard card, MakeCard(pipeline, split, sample));
    card.held_out = held_out;
    cards.push_back(std::move(card));
  }
  return cards;
}

}  // namespace unival::quickstart
