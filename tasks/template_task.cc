#include "tasks/template_task.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/native/status_macros.h"
#include "tasks/boxes.h"
#include "tasks/metrics/metrics.h"
#include "tasks/seeded_random.h"
#include "tasks/text_cleaning.h"

namespace unival {
namespace {

constexpr absl::string_view kLocationBins = "core.location_bin";

absl::string_view KindOf(const FieldValue& value) {
  constexpr absl::string_view kKinds[] = {"a text", "a number", "a list of numbers",
                                          "a list of texts", "media"};
  return kKinds[value.index()];
}

absl::StatusOr<const FieldValue*> RequireField(const TaskSample& sample,
                                               const std::string& column) {
  const auto found = sample.fields.find(column);
  if (found != sample.fields.end()) return &found->second;
  const std::string have = absl::StrJoin(
      sample.fields, ", ", [](std::string* out, const auto& field) { out->append(field.first); });
  return absl::NotFoundError(
      absl::StrCat("record '", sample.key, "' has no column '", column, "'; it has: ", have));
}

absl::Status WrongKind(const TaskSample& sample, const std::string& column,
                       absl::string_view expected, const FieldValue& value) {
  return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '", column,
                                                 "': expected ", expected, ", got ",
                                                 KindOf(value)));
}

std::string NumberText(double value) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (value == std::floor(value) && std::abs(value) <= kExactIntegers) {
    return absl::StrCat(static_cast<int64_t>(value));
  }
  return absl::StrCat(value);
}

absl::StatusOr<absl::optional<ImageSize>> SizeOfImage(const TaskSample& sample) {
  const auto width = sample.fields.find("width");
  const auto height = sample.fields.find("height");
  if (width == sample.fields.end() && height == sample.fields.end()) {
    return absl::optional<ImageSize>();
  }
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* w, RequireField(sample, "width"));
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* h, RequireField(sample, "height"));
  if (!std::holds_alternative<double>(*w)) return WrongKind(sample, "width", "a number", *w);
  if (!std::holds_alternative<double>(*h)) return WrongKind(sample, "height", "a number", *h);
  return absl::optional<ImageSize>(ImageSize{std::get<double>(*w), std::get<double>(*h)});
}

absl::StatusOr<NormalizedBox> BoxOfColumn(const TaskSample& sample, const std::string& column) {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, column));
  const auto* numbers = std::get_if<std::vector<double>>(value);
  if (numbers == nullptr) return WrongKind(sample, column, "a list of four numbers", *value);
  UNIVAL_ASSIGN_OR_RETURN(const absl::optional<ImageSize> size, SizeOfImage(sample));
  absl::StatusOr<NormalizedBox> box = BoxFractions(*numbers, size);
  if (box.ok()) return box;
  return absl::InvalidArgumentError(
      absl::StrCat("record '", sample.key, "': column '", column, "': ", box.status().message()));
}

bool HasColumns(const TaskSample& sample, const Pattern& pattern) {
  const std::vector<std::string> columns = PatternColumns(pattern);
  return std::all_of(columns.begin(), columns.end(),
                     [&](const std::string& column) { return sample.fields.count(column) != 0; });
}

void AddUnique(std::vector<std::string> more, std::vector<std::string>& all) {
  for (std::string& item : more) {
    if (std::find(all.begin(), all.end(), item) == all.end()) all.push_back(std::move(item));
  }
}

// Start and end of the next word at or after `from`, its leading white space included.
std::pair<size_t, size_t> NextWord(absl::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && absl::ascii_isspace(text[end])) ++end;
  while (end < text.size() && !absl::ascii_isspace(text[end])) ++end;
  return {from, end};
}

std::vector<absl::string_view> Words(absl::string_view text) {
  std::vector<absl::string_view> words;
  for (size_t position = 0; position < text.size();) {
    const auto [start, end] = NextWord(text, position);
    words.push_back(text.substr(start, end - start));
    position = end;
  }
  return words;
}

// `count` of `n` positions.
std::vector<bool> ChooseSome(size_t n, size_t count, SeededRandom& random) {
  std::vector<bool> chosen(n, false);
  for (size_t left = n, need = count; need > 0; --left) {
    if (random.Below(left) < need) {
      chosen[n - left] = true;
      --need;
    }
  }
  return chosen;
}

}  // namespace

TemplateTask::TemplateTask(const LoadedTemplate& source, const VocabularyView& vocabulary)
    : source_(source), vocabulary_(vocabulary) {}

absl::StatusOr<std::unique_ptr<TemplateTask>> TemplateTask::Create(
    const LoadedTemplate& source, const VocabularyView& vocabulary) {
  std::unique_ptr<TemplateTask> task(new TemplateTask(source, vocabulary));
  UNIVAL_RETURN_IF_ERROR(task->Init());
  return task;
}

absl::Status TemplateTask::Init() {
  UNIVAL_ASSIGN_OR_RETURN(Pattern prompt, ParsePattern(source_.proto.prompt()));
  prompts_.push_back(std::move(prompt));
  for (const std::string& paraphrase : source_.proto.paraphrase()) {
    UNIVAL_ASSIGN_OR_RETURN(Pattern pattern, ParsePattern(paraphrase));
    prompts_.push_back(std::move(pattern));
  }
  UNIVAL_ASSIGN_OR_RETURN(target_, ParsePattern(source_.proto.target()));
  FillInfo();
  UNIVAL_RETURN_IF_ERROR(CheckBlocks());
  UNIVAL_RETURN_IF_ERROR(CheckMetrics());
  return EncodeAnswers();
}

void TemplateTask::FillInfo() {
  info_.name = source_.proto.name();
  info_.summary = source_.proto.summary();
  for (const TaskInput& input : source_.proto.input()) {
    AddUnique({input.modality()}, info_.modalities);
    AddUnique({input.name()}, info_.prediction_columns);
  }
  AddUnique(PatternColumns(prompts_[0]), info_.prediction_columns);
  info_.columns = info_.prediction_columns;
  AddUnique(PatternColumns(target_), info_.columns);
  info_.generation = source_.proto.generation();
  if (IsOnly(target_, SlotType::kBox)) {
    if (info_.generation.min_tokens() == 0) info_.generation.set_min_tokens(4);
    if (info_.generation.max_tokens() == 0) info_.generation.set_max_tokens(4);
  }
}

absl::Status TemplateTask::RequireBlocks(absl::string_view field, const Pattern& pattern) {
  for (const PatternPiece& slot : pattern) {
    std::string block;
    if (slot.type == SlotType::kBox) block = std::string(kLocationBins);
    if (slot.type == SlotType::kCodes) block = source_.proto.codes_block();
    if (block.empty()) continue;
    if (!vocabulary_.HasBlock(block)) {
      return absl::FailedPreconditionError(
          absl::StrCat(source_.Where(field), "slot '{", slot.text, ":", SlotTypeName(slot.type),
                       "}' needs vocabulary block '", block, "', which the model does not have"));
    }
    AddUnique({block}, info_.blocks);
  }
  return absl::OkStatus();
}

absl::Status TemplateTask::CheckBlocks() {
  for (size_t i = 0; i < prompts_.size(); ++i) {
    const std::string field = i == 0 ? "prompt" : absl::StrCat("paraphrase:", i - 1);
    UNIVAL_RETURN_IF_ERROR(RequireBlocks(field, prompts_[i]));
  }
  UNIVAL_RETURN_IF_ERROR(RequireBlocks("target", target_));
  if (source_.proto.mask_ratio() > 0 && vocabulary_.mask() == vocabulary_.unk()) {
    return absl::FailedPreconditionError(source_.Where("mask_ratio") +
                                         "the model's vocabulary has no mask token (core.mask)");
  }
  if (!vocabulary_.HasBlock(kLocationBins)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(location_bins_, vocabulary_.BlockSize(kLocationBins));
  return absl::OkStatus();
}

absl::Status TemplateTask::CheckMetrics() const {
  for (const std::string& metric : source_.proto.metric()) {
    const absl::Status known = CheckMetricName(metric);
    if (!known.ok()) {
      return absl::InvalidArgumentError(source_.Where("metric") + std::string(known.message()));
    }
  }
  return absl::OkStatus();
}

// A closed set becomes the constraint's answers; targets made of one block restrict generation to
// it.
absl::Status TemplateTask::EncodeAnswers() {
  if (HasSlot(target_, SlotType::kLabel)) {
    for (const std::string& label : source_.proto.labels().values()) {
      const TaskSample sample{"label", {{source_.proto.labels().slot(), label}}};
      SeededRandom unused(0);
      UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, {}, unused));
      UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, Encode(chunks));
      if (tokens.empty()) {
        return absl::InvalidArgumentError(source_.Where("labels") + "an empty label has no tokens");
      }
      constraint_.answers.push_back(std::move(tokens));
    }
    return absl::OkStatus();
  }
  if (source_.proto.unconstrained()) return absl::OkStatus();
  absl::string_view block;
  if (IsOnly(target_, SlotType::kBox)) block = kLocationBins;
  if (IsOnly(target_, SlotType::kCodes)) block = source_.proto.codes_block();
  if (block.empty()) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(constraint_.allowed, vocabulary_.BlockRanges(block));
  return absl::OkStatus();
}

absl::Status TemplateTask::CheckAgainst(
    const std::vector<std::string>& modalities,
    const absl::optional<std::vector<std::string>>& columns) const {
  for (int i = 0; i < source_.proto.input_size(); ++i) {
    const std::string& modality = source_.proto.input(i).modality();
    if (std::find(modalities.begin(), modalities.end(), modality) != modalities.end()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(source_.Where(absl::StrCat("input:", i)), "needs modality '", modality,
                     "'; the model has: ", absl::StrJoin(modalities, ", "),
                     "; load a model with it or add it with a plugin"));
  }
  if (!columns.has_value()) return absl::OkStatus();
  for (const std::string& column : info_.columns) {
    if (std::find(columns->begin(), columns->end(), column) != columns->end()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        source_.Where(""), "needs column '", column, "'; the data has: ",
        absl::StrJoin(*columns, ", "), "; map it with `columns` if it has another name"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Seq2SeqExample> TemplateTask::MakeExample(const TaskSample& sample, ExampleMode mode,
                                                         uint64_t seed) const {
  SeededRandom random(seed);
  Seq2SeqExample example;
  example.key = sample.key;
  for (const TaskInput& input : source_.proto.input()) {
    UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, input.name()));
    const auto* media = std::get_if<MediaSource>(value);
    if (media == nullptr) return WrongKind(sample, input.name(), "media", *value);
    example.media.push_back({input.modality(), *media});
  }
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> source, MakeSource(sample, mode, random));
  if (source_.proto.prompt_in_decoder()) example.prefix = source;
  example.source.reserve(source.size() + 2);
  example.source.push_back(vocabulary_.bos());
  example.source.insert(example.source.end(), source.begin(), source.end());
  example.source.push_back(vocabulary_.eos());
  example.constraint = constraint_;
  UNIVAL_RETURN_IF_ERROR(AddTarget(sample, mode, random, example));
  return example;
}

absl::StatusOr<std::vector<int64_t>> TemplateTask::MakeSource(const TaskSample& sample,
                                                              ExampleMode mode,
                                                              SeededRandom& random) const {
  RenderOptions options;
  options.training = mode == ExampleMode::kTraining;
  options.mask_words = options.training && source_.proto.mask_ratio() > 0;
  const size_t wording = options.training ? random.Below(prompts_.size()) : 0;
  UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(prompts_[wording], sample, options, random));
  UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, Encode(chunks));
  const size_t bound = static_cast<size_t>(source_.proto.max_source_tokens());
  if (bound > 0 && tokens.size() > bound) tokens.resize(bound);
  return tokens;
}

absl::Status TemplateTask::AddTarget(const TaskSample& sample, ExampleMode mode,
                                     SeededRandom& random, Seq2SeqExample& example) const {
  RenderOptions options;
  options.training = mode == ExampleMode::kTraining;
  if (!options.training && !HasColumns(sample, target_)) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, options, random));
  UNIVAL_ASSIGN_OR_RETURN(example.target, Encode(chunks));
  const size_t bound = static_cast<size_t>(source_.proto.max_target_tokens());
  if (bound > 0 && example.target.size() > bound) {
    if (HasSlot(target_, SlotType::kBox) || HasSlot(target_, SlotType::kCodes)) {
      return absl::InvalidArgumentError(absl::StrCat(source_.Where("max_target_tokens"), "record '",
                                                     sample.key, "' has ", example.target.size(),
                                                     " target tokens, more than ", bound));
    }
    example.target.resize(bound);
  }
  example.target.push_back(vocabulary_.eos());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TemplateTask::Chunk>> TemplateTask::Render(const Pattern& pattern,
                                                                      const TaskSample& sample,
                                                                      const RenderOptions& options,
                                                                      SeededRandom& random) const {
  std::vector<Chunk> chunks;
  for (const PatternPiece& piece : pattern) {
    if (piece.type == SlotType::kLiteral) {
      chunks.push_back({piece.text, {}});
    } else if (piece.type == SlotType::kBox || piece.type == SlotType::kCodes) {
      UNIVAL_ASSIGN_OR_RETURN(std::vector<int64_t> tokens, SlotTokens(piece, sample));
      chunks.push_back({"", std::move(tokens)});
    } else {
      UNIVAL_ASSIGN_OR_RETURN(std::string text, SlotText(piece, sample, options, random));
      if (options.mask_words && piece.type == SlotType::kText) {
        UNIVAL_RETURN_IF_ERROR(AppendMasked(text, random, chunks));
      } else {
        chunks.push_back({std::move(text), {}});
      }
    }
  }
  return chunks;
}

// Neighbouring text is one run for the tokenizer. Blanks beside tokens separate nothing: a target "
// {box}" is four bins.
absl::StatusOr<std::vector<int64_t>> TemplateTask::Encode(const std::vector<Chunk>& chunks) const {
  std::vector<int64_t> tokens;
  std::string run;
  const auto flush = [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> encoded, vocabulary_.EncodeText(run));
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    run.clear();
    return absl::OkStatus();
  };
  for (const Chunk& chunk : chunks) {
    run += chunk.text;
    if (chunk.tokens.empty()) continue;
    if (absl::StripAsciiWhitespace(run).empty()) run.clear();
    if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
    tokens.insert(tokens.end(), chunk.tokens.begin(), chunk.tokens.end());
  }
  if (!tokens.empty() && absl::StripAsciiWhitespace(run).empty()) run.clear();
  if (!run.empty()) UNIVAL_RETURN_IF_ERROR(flush());
  return tokens;
}

absl::StatusOr<std::string> TemplateTask::SlotText(const PatternPiece& slot,
                                                   const TaskSample& sample,
                                                   const RenderOptions& options,
                                                   SeededRandom& random) const {
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, slot.text));
  std::string text;
  if (const auto* number = std::get_if<double>(value)) {
    text = NumberText(*number);
  } else if (slot.type == SlotType::kNumber) {
    return WrongKind(sample, slot.text, "a number", *value);
  } else if (const auto* one = std::get_if<std::string>(value)) {
    text = *one;
  } else if (const auto* several = std::get_if<std::vector<std::string>>(value);
             several != nullptr && !several->empty()) {
    const size_t which = options.training ? random.Below(several->size())
                                          : std::min(options.alternative, several->size() - 1);
    text = (*several)[which];
  } else {
    return WrongKind(sample, slot.text, "a text, a number or a list of texts", *value);
  }
  for (const ColumnCleaning& clean : source_.proto.clean()) {
    if (clean.column() == slot.text) text = CleanText(text, clean.rule(), clean.max_words());
  }
  const auto& labels = source_.proto.labels().values();
  if (slot.type == SlotType::kLabel &&
      std::find(labels.begin(), labels.end(), text) == labels.end()) {
    return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '", slot.text,
                                                   "': '", text, "' is none of the ", labels.size(),
                                                   " labels of task '", info_.name, "'"));
  }
  return text;
}

// Replaces a share of the words by <mask>, each with the blank before it; at least one word stays.
absl::Status TemplateTask::AppendMasked(const std::string& text, SeededRandom& random,
                                        std::vector<Chunk>& chunks) const {
  const std::vector<absl::string_view> words = Words(text);
  const double share = source_.proto.mask_ratio() * static_cast<double>(words.size());
  const size_t most = words.empty() ? 0 : words.size() - 1;
  const size_t count =
      std::min(most, std::max<size_t>(1, static_cast<size_t>(std::nearbyint(share))));
  const std::vector<bool> masked = ChooseSome(words.size(), count, random);
  for (size_t i = 0; i < words.size(); ++i) {
    if (masked[i]) {
      chunks.push_back({"", {vocabulary_.mask()}});
    } else {
      chunks.push_back({std::string(words[i]), {}});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> TemplateTask::SlotTokens(const PatternPiece& slot,
                                                              const TaskSample& sample) const {
  std::vector<int64_t> tokens;
  if (slot.type == SlotType::kBox) {
    UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox box, BoxOfColumn(sample, slot.text));
    for (const int64_t bin : QuantizeBox(box, location_bins_)) {
      UNIVAL_ASSIGN_OR_RETURN(const int64_t id, vocabulary_.GlobalId(kLocationBins, bin));
      tokens.push_back(id);
    }
    return tokens;
  }
  UNIVAL_ASSIGN_OR_RETURN(const FieldValue* value, RequireField(sample, slot.text));
  const auto* codes = std::get_if<std::vector<double>>(value);
  if (codes == nullptr) return WrongKind(sample, slot.text, "a list of numbers", *value);
  for (const double code : *codes) {
    if (code != std::floor(code) || code < 0 || code > 1e9) {
      return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '",
                                                     slot.text, "': ", code, " is not a code"));
    }
    absl::StatusOr<int64_t> id =
        vocabulary_.GlobalId(source_.proto.codes_block(), static_cast<int64_t>(code));
    if (!id.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("record '", sample.key, "': column '",
                                                     slot.text, "': ", id.status().message()));
    }
    tokens.push_back(*id);
  }
  return tokens;
}

absl::StatusOr<Prediction> TemplateTask::Interpret(const TaskSample& sample,
                                                   const Hypothesis& best) const {
  (void)sample;
  Prediction prediction;
  prediction.score = best.score;
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, vocabulary_.DecodeText(best.tokens));
  prediction.text = std::string(absl::StripAsciiWhitespace(text));
  std::array<int64_t, 4> bins;
  size_t run = 0;  // location bins in a row
  for (const int64_t token : best.tokens) {
    UNIVAL_ASSIGN_OR_RETURN(const BlockToken identity, vocabulary_.Identify(token));
    if (HasSlot(target_, SlotType::kCodes) && identity.block == source_.proto.codes_block()) {
      prediction.codes.push_back(identity.index);
    }
    if (prediction.box.has_value() || !HasSlot(target_, SlotType::kBox)) continue;
    run = identity.block == kLocationBins ? run + 1 : 0;
    if (run > 0) bins[run - 1] = identity.index;
    if (run == 4) prediction.box = DequantizeBox(bins, location_bins_);
  }
  return prediction;
}

absl::StatusOr<std::vector<std::string>> TemplateTask::ReferenceTexts(
    const TaskSample& sample) const {
  size_t alternatives = 1;
  for (const std::string& column : PatternColumns(target_)) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    const auto* list = std::get_if<std::vector<std::string>>(&found->second);
    if (list != nullptr) alternatives = std::max(alternatives, list->size());
  }
  std::vector<std::string> texts;
  for (RenderOptions options; options.alternative < alternatives; ++options.alternative) {
    SeededRandom unused(0);
    UNIVAL_ASSIGN_OR_RETURN(const auto chunks, Render(target_, sample, options, unused));
    std::string text;
    for (const Chunk& chunk : chunks) text += chunk.text;
    texts.emplace_back(absl::StripAsciiWhitespace(text));
  }
  return texts;
}

absl::StatusOr<absl::optional<NormalizedBox>> TemplateTask::ReferenceBox(
    const TaskSample& sample) const {
  for (const PatternPiece& slot : target_) {
    if (slot.type != SlotType::kBox) continue;
    UNIVAL_ASSIGN_OR_RETURN(const NormalizedBox box, BoxOfColumn(sample, slot.text));
    return absl::optional<NormalizedBox>(box);
  }
  return absl::optional<NormalizedBox>();
}

std::unique_ptr<Metric> TemplateTask::NewMetric() const {
  const ReferenceReader reader = [this](const TaskSample& sample) -> absl::StatusOr<References> {
    References references;
    UNIVAL_ASSIGN_OR_RETURN(references.texts, ReferenceTexts(sample));
    UNIVAL_ASSIGN_OR_RETURN(references.box, ReferenceBox(sample));
    return references;
  };
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const std::string& name : source_.proto.metric()) {
    absl::StatusOr<std::unique_ptr<Metric>> metric = CreateMetric(name, reader);
    if (metric.ok()) metrics.push_back(*std::move(metric));  // names were checked by Create
  }
  return CombineMetrics(std::move(metrics));
}

absl::Status AddTemplates(const LoadedTemplateSet& set, Registrar& registrar) {
  for (const LoadedTemplate& task : set.tasks) {
    TaskFactory factory{
        task.proto.name(), task.proto.summary(),
        [task](const VocabularyView& vocabulary) -> absl::StatusOr<std::unique_ptr<Task>> {
          return TemplateTask::Create(task, vocabulary);
        }};
    UNIVAL_RETURN_IF_ERROR(registrar.AddTask(std::move(factory)));
  }
  return absl::OkStatus();
}

}  // namespace unival
