// From samples to answers.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backbone/layers/packed_weights.h"
#include "runtime/collate.h"
#include "runtime/decoding.h"
#include "runtime/pipeline.h"
#include "runtime/record_check.h"
#include "runtime/weight_files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

// The samples of a batch that could be prepared, and where they stood.
struct Prepared {
  std::vector<size_t> index;
  std::vector<PreparedExample> examples;
};

absl::StatusOr<PreparedExample> PrepareOne(const Model& model, const Task& task,
                                           const TaskSample& sample) {
  absl::StatusOr<Seq2SeqExample> made = task.MakeExample(sample, ExampleMode::kPrediction, 0);
  if (!made.ok()) return RecordError(made.status());
  UNIVAL_RETURN_IF_ERROR(CheckLengths(model, *made, LengthOf::kPrompt));
  absl::StatusOr<PreparedExample> prepared = Prepare(model, *std::move(made), {});
  if (prepared.ok() || IsMediaError(prepared.status())) return prepared;
  return ModalityFailure(prepared.status());
}

// Estimates the bytes of memory that encoding an example and attending to its encoder output take.
int64_t BytesOfEncoding(const Model& model, const PreparedExample& example) {
  constexpr int64_t kUnboundedPositions = 1024;
  constexpr int64_t kTimesOfMedia = 16;  // feature maps that an encoder holds at once
  const BackboneConfig& config = model.manifest().backbone();
  int64_t positions = static_cast<int64_t>(example.example.source.size()), media = 0;
  for (const PreparedMedia& item : example.media) {
    const Modality* modality = model.modality(item.modality);
    const int64_t most = modality == nullptr ? 0 : modality->info().max_positions;
    positions += most > 0 ? most : kUnboundedPositions;
    for (const at::Tensor& tensor : item.sample.tensors) media += tensor.numel();
  }
  const int64_t keys_and_values = 2 * config.decoder_layers();
  const int64_t of_position = (12 + keys_and_values) * config.d_model() + 2 * config.ffn_dim() +
                              3 * config.heads() * positions;
  return static_cast<int64_t>(sizeof(float)) * (positions * of_position + kTimesOfMedia * media);
}

// While a closed set is scored, the encodings of its records stay in memory. When they would exceed
// this many bytes, the remaining records wait until the others are done. That costs no time, as
// each record has rows enough to fill a step.
constexpr int64_t kMostEncodingBytes = int64_t{512} << 20;

// How many of the first examples are answered together; at least one.
size_t AnsweredTogether(const Model& model, absl::Span<const PreparedExample> examples,
                        const GenerationConfig& config, const GenerationOptions& options) {
  if (!config.score_candidates() || options.on_certain) return examples.size();
  int64_t bytes = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    bytes += BytesOfEncoding(model, examples[i]);
    if (bytes > kMostEncodingBytes && i > 0) return i;
  }
  return examples.size();
}

absl::StatusOr<std::vector<std::vector<Hypothesis>>> GenerateFor(
    const Model& model, layers::PackedWeights* packed, absl::Span<const PreparedExample> examples,
    const GenerationConfig& config, const GenerationOptions& options) {
  const at::NoGradGuard no_grad;
  const layers::PackedWeights::Use use(packed);
  const GenerationVocabulary vocabulary(model.manifest().vocabulary());
  std::vector<std::vector<Hypothesis>> found;
  while (!examples.empty()) {
    const auto part = examples.first(AnsweredTogether(model, examples, config, options));
    UNIVAL_ASSIGN_OR_RETURN(const ModelInput input, MakeModelInput(model, part));
    UNIVAL_RETURN_IF_ERROR(ModalityFailure(CheckFinite(input, part)));
    UNIVAL_ASSIGN_OR_RETURN(
        auto answers, GenerateAnswers(model.backbone(), input, part, config, vocabulary, options));
    std::move(answers.begin(), answers.end(), std::back_inserter(found));
    examples.remove_prefix(part.size());
  }
  return found;
}

absl::StatusOr<std::vector<Prediction>> InterpretAll(const Task& task, const TaskSample& sample,
                                                     const std::vector<Hypothesis>& found) {
  std::vector<Prediction> answers;
  for (const Hypothesis& hypothesis : found) {
    UNIVAL_ASSIGN_OR_RETURN(answers.emplace_back(), task.Interpret(sample, hypothesis));
  }
  return answers;
}

}  // namespace

absl::StatusOr<Prediction> Pipeline::Predict(const std::string& task, const TaskSample& sample,
                                             const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(auto answers, PredictBatch(task, {sample}, generation));
  return std::move(answers.front());
}

absl::StatusOr<std::vector<absl::StatusOr<Prediction>>> Pipeline::PredictBatch(
    const std::string& name, absl::Span<const TaskSample> samples,
    const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, this->task(name));
  UNIVAL_ASSIGN_OR_RETURN(const auto found, Generate(name, samples, generation, {}));
  std::vector<absl::StatusOr<Prediction>> answers;
  for (size_t i = 0; i < samples.size(); ++i) {
    answers.push_back(found[i].ok() ? task->Interpret(samples[i], found[i]->front())
                                    : found[i].status());
  }
  return answers;
}

absl::StatusOr<std::vector<absl::StatusOr<std::vector<Prediction>>>> Pipeline::PredictBest(
    const std::string& name, absl::Span<const TaskSample> samples,
    const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, this->task(name));
  UNIVAL_ASSIGN_OR_RETURN(const auto found, Generate(name, samples, generation, {}));
  std::vector<absl::StatusOr<std::vector<Prediction>>> answers;
  for (size_t i = 0; i < samples.size(); ++i) {
    answers.push_back(found[i].ok() ? InterpretAll(*task, samples[i], *found[i])
                                    : found[i].status());
  }
  return answers;
}

absl::StatusOr<Prediction> Pipeline::Stream(const std::string& name, const TaskSample& sample,
                                            const PieceListener& listener,
                                            const GenerationConfig& generation) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, this->task(name));
  AnswerStream stream(listener);
  GenerationOptions options;
  options.on_certain = [&](int64_t, absl::Span<const int64_t> tokens) {
    // A beginning that cannot be read yet is told later, with more tokens.
    const auto begun = task->Interpret(sample, {{tokens.begin(), tokens.end()}, 0});
    return !begun.ok() || stream.Grow(begun->text);
  };
  UNIVAL_ASSIGN_OR_RETURN(const auto found, Generate(name, {sample}, generation, options));
  UNIVAL_RETURN_IF_ERROR(found.front().status());
  UNIVAL_ASSIGN_OR_RETURN(Prediction answer, task->Interpret(sample, found.front()->front()));
  UNIVAL_RETURN_IF_ERROR(Annotate(
      CatchTorch("listener", [&] { return stream.Finish(answer.text); }), "task \"", name, "\""));
  return answer;
}

absl::StatusOr<std::vector<absl::StatusOr<std::vector<Hypothesis>>>> Pipeline::Generate(
    const std::string& name, absl::Span<const TaskSample> samples,
    const GenerationConfig& generation, const GenerationOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const Task* task, this->task(name));
  for (const std::string& modality : task->info().modalities) {
    UNIVAL_RETURN_IF_ERROR(model_->RequireModality(modality).status());
  }
  std::vector<absl::StatusOr<std::vector<Hypothesis>>> found(samples.size(),
                                                             absl::UnknownError("not run"));
  Prepared prepared;
  for (size_t i = 0; i < samples.size(); ++i) {
    absl::StatusOr<PreparedExample> example = PrepareOne(*model_, *task, samples[i]);
    if (!example.ok()) {
      found[i] = example.status();
      continue;
    }
    prepared.index.push_back(i);
    prepared.examples.push_back(*std::move(example));
  }
  if (prepared.examples.empty()) return found;

  GenerationConfig config = task->info().generation;
  config.MergeFrom(generation);
  auto generated = CatchTorch(absl::StrCat("task \"", name, "\": generate"), [&] {
    return GenerateFor(*model_, packed_.get(), prepared.examples, config, options);
  });
  UNIVAL_RETURN_IF_ERROR(CheckWeightFiles(*model_));
  if (!generated.ok()) return generated.status();
  for (size_t i = 0; i < generated->size(); ++i) {
    found[prepared.index[i]] = std::move((*generated)[i]);
  }
  return found;
}

}  // namespace unival
