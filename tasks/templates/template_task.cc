#include "tasks/templates/template_task.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sdk/base/random.h"
#include "sdk/base/status_macros.h"
#include "tasks/slots/fields.h"
#include "tasks/templates/template_columns.h"
#include "tasks/templates/template_render.h"

namespace unival {
namespace {

bool HasColumns(const TaskSample& sample, const Pattern& pattern) {
  const std::vector<std::string> columns = PatternColumns(pattern);
  return std::all_of(columns.begin(), columns.end(),
                     [&](const std::string& column) { return sample.fields.count(column) != 0; });
}

}  // namespace

TemplateTask::TemplateTask(const LoadedTemplate& source, const VocabularyView& vocabulary)
    : source_(source), labels_(source_.proto), vocabulary_(vocabulary) {}

absl::StatusOr<std::unique_ptr<TemplateTask>> TemplateTask::Create(const LoadedTemplate& source,
                                                                   const VocabularyView& vocabulary,
                                                                   const TemplateTypes& types) {
  std::unique_ptr<TemplateTask> task(new TemplateTask(source, vocabulary));
  UNIVAL_RETURN_IF_ERROR(task->Init(types));
  return task;
}

absl::Status TemplateTask::Init(const TemplateTypes& types) {
  const TaskTemplate& proto = source_.proto;
  UNIVAL_ASSIGN_OR_RETURN(Pattern prompt, ParsePrompt(proto, proto.prompt(), types.slots));
  prompts_.push_back(std::move(prompt));
  for (const std::string& paraphrase : proto.paraphrase()) {
    UNIVAL_ASSIGN_OR_RETURN(Pattern pattern, ParsePrompt(proto, paraphrase, types.slots));
    prompts_.push_back(std::move(pattern));
  }
  UNIVAL_ASSIGN_OR_RETURN(target_, ParsePattern(source_.proto.target(), types.slots));
  FillInfo();
  const PatternPiece* first = FirstPiece(target_);
  image_codes_ = first != nullptr && first->type != nullptr &&
                 first->type->Block({source_.proto, *first}) == kImageCodeBlock;
  UNIVAL_RETURN_IF_ERROR(CheckBlocks());
  UNIVAL_RETURN_IF_ERROR(FindMetrics(types));
  return EncodeAnswers();
}

// A closed set becomes the constraint's answers; a target that is one slot restricts generation to
// what the slot allows.
absl::Status TemplateTask::EncodeAnswers() {
  for (const PatternPiece& slot : target_) {
    if (slot.type == nullptr || slot.type->ClosedSet({source_.proto, slot}).empty()) continue;
    return EncodeClosedSet(slot);
  }
  const PatternPiece* only = OnlySlot(target_);
  if (source_.proto.unconstrained() || only == nullptr) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(constraint_.allowed,
                          only->type->AllowedTokens({source_.proto, *only}, vocabulary_));
  return absl::OkStatus();
}

absl::Status TemplateTask::EncodeClosedSet(const PatternPiece& slot) {
  std::vector<std::vector<int64_t>> answers;
  for (const std::string& label : slot.type->ClosedSet({source_.proto, slot})) {
    const TaskSample sample{"label", {{slot.text, label}}};
    SeededRandom unused(0);
    UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, {}, unused));
    UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, Encode(chunks));
    if (tokens.empty()) {
      return absl::InvalidArgumentError(source_.Where("labels") + "an empty label has no tokens");
    }
    // A cut answer would end at a token where no answer of the closed set ends.
    const auto bound = static_cast<size_t>(source_.proto.max_target_tokens());
    if (source_.proto.mask_loss() && bound > 0 && tokens.size() > bound) {
      return absl::InvalidArgumentError(absl::StrCat(
          source_.Where("max_target_tokens"), "expected at least ", tokens.size(),
          ", the tokens of the label \"", label, "\", since mask_loss is set, got ", bound));
    }
    answers.push_back(std::move(tokens));
    std::string& text = answer_texts_.emplace_back();
    for (const Chunk& chunk : chunks) text += chunk.text;
  }
  constraint_.answers = AnswerSet(std::move(answers));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Chunk>> TemplateTask::Render(const Pattern& pattern,
                                                        const TaskSample& sample,
                                                        const RenderOptions& options,
                                                        SeededRandom& random) const {
  RenderOptions with_labels = options;
  with_labels.labels = &labels_;
  return RenderPattern(source_.proto, pattern, vocabulary_, sample, with_labels, random);
}

absl::StatusOr<std::vector<int64_t>> TemplateTask::Encode(const std::vector<Chunk>& chunks) const {
  return EncodeChunks(chunks, vocabulary_);
}

// A record without an answer was not made wrong by `negatives`, so its text is right.
absl::StatusOr<Seq2SeqExample> TemplateTask::MakeExample(const TaskSample& sample, ExampleMode mode,
                                                         uint64_t seed) const {
  const Negatives& negatives = source_.proto.negatives();
  const bool is_unjudged = mode == ExampleMode::kTraining && source_.proto.has_negatives() &&
                           sample.fields.count(negatives.answer()) == 0;
  if (!is_unjudged) return MakeExampleOf(sample, mode, seed);
  TaskSample right = sample;
  right.fields[negatives.answer()] = YesOf(negatives);
  return MakeExampleOf(right, mode, seed);
}

absl::StatusOr<Seq2SeqExample> TemplateTask::MakeExampleOf(const TaskSample& sample,
                                                           ExampleMode mode, uint64_t seed) const {
  SeededRandom random(seed);
  Seq2SeqExample example;
  example.key = sample.key;
  for (const TaskInput& input : source_.proto.input()) {
    UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, input.name()));
    const auto* media = std::get_if<MediaSource>(value);
    if (media == nullptr) return WrongKind(sample, input.name(), "media", *value);
    example.media.push_back({input.modality(), *media});
  }
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> source, MakeSource(sample, mode, random, &example));
  if (source_.proto.prompt_in_decoder()) {
    example.prefix = source;
    if (source_.proto.prompt_end_in_decoder()) example.prefix.push_back(vocabulary_.eos());
  }
  example.source.reserve(source.size() + 2);
  example.source.push_back(vocabulary_.bos());
  example.source.insert(example.source.end(), source.begin(), source.end());
  example.source.push_back(vocabulary_.eos());
  example.constraint = constraint_;
  example.image_codes = image_codes_;
  UNIVAL_RETURN_IF_ERROR(AddTarget(sample, mode, random, &example));
  if (mode == ExampleMode::kTraining) UNIVAL_RETURN_IF_ERROR(AddLoss(sample, &example));
  return example;
}

absl::StatusOr<std::vector<int64_t>> TemplateTask::MakeSource(const TaskSample& sample,
                                                              ExampleMode mode,
                                                              SeededRandom& random,
                                                              Seq2SeqExample* example) const {
  const TaskTemplate& proto = source_.proto;
  RenderOptions options;
  options.training = mode == ExampleMode::kTraining;
  options.damage = options.training && (proto.mask_ratio() > 0 || proto.shuffle_sentences());
  const size_t wording = options.training ? random.Below(prompts_.size()) : 0;
  UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(prompts_[wording], sample, options, random));
  std::vector<MediaPlace> places;
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, EncodeChunks(chunks, vocabulary_, &places));
  const size_t bound = static_cast<size_t>(proto.max_source_tokens());
  if (bound > 0 && tokens.size() > bound) tokens.resize(bound);
  PlaceMedia(places, tokens.size(), example);
  return tokens;
}

// An item whose text was cut stands behind what is left.
void TemplateTask::PlaceMedia(const std::vector<MediaPlace>& places, size_t tokens,
                              Seq2SeqExample* example) const {
  constexpr size_t kBos = 1;
  for (size_t before = 0; before < places.size(); ++before) {
    for (int i = 0; i < source_.proto.input_size(); ++i) {
      if (source_.proto.input(i).name() != places[before].input) continue;
      example->media[i].place =
          static_cast<int64_t>(kBos + std::min(places[before].tokens_before, tokens) + before);
    }
  }
}

absl::Status TemplateTask::AddLoss(const TaskSample& sample, Seq2SeqExample* example) const {
  example->mask_loss = source_.proto.mask_loss();
  if (source_.proto.loss_weight().empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(example->loss_weight,
                          WeightOfColumn(sample, source_.proto.loss_weight()));
  return absl::OkStatus();
}

absl::Status TemplateTask::AddTarget(const TaskSample& sample, ExampleMode mode,
                                     SeededRandom& random, Seq2SeqExample* example) const {
  RenderOptions options;
  options.training = mode == ExampleMode::kTraining;
  if (!options.training && !HasColumns(sample, target_)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, options, random));
  UNIVAL_ASSIGN_OR_RETURN(example->target, Encode(chunks));
  const size_t bound = static_cast<size_t>(source_.proto.max_target_tokens());
  if (bound > 0 && example->target.size() > bound) {
    const bool divisible = std::all_of(
        target_.begin(), target_.end(),
        [](const PatternPiece& piece) { return piece.type == nullptr || piece.type->divisible(); });
    if (!divisible) {
      return absl::InvalidArgumentError(
          absl::StrCat(source_.Where("max_target_tokens"), "record \"", sample.key, "\" has ",
                       example->target.size(), " target tokens, more than ", bound));
    }
    example->target.resize(bound);
  }
  example->target.push_back(vocabulary_.eos());
  return absl::OkStatus();
}

absl::Status AddTemplates(const LoadedTemplateSet& set, Registrar& registrar,
                          const TemplateTypes& types) {
  for (const LoadedTemplate& task : set.tasks) {
    TaskFactory factory{
        task.proto.name(), task.proto.summary(),
        [task, types](const VocabularyView& vocabulary) -> absl::StatusOr<std::unique_ptr<Task>> {
          return TemplateTask::Create(task, vocabulary, types);
        }};
    UNIVAL_RETURN_IF_ERROR(registrar.AddTask(std::move(factory)));
  }
  return absl::OkStatus();
}

}  // namespace unival
