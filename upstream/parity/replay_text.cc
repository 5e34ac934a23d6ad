// Files "preprocess_text": records to tokens.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/decoding.h"
#include "sdk/base/status_macros.h"
#include "sdk/testing/golden.h"
#include "tasks/templates/text_cleaning.h"
#include "training/loss/loss.h"
#include "upstream/parity/fields.h"
#include "upstream/parity/published_tasks.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kTextStage[] = "preprocess";

constexpr char kReference[] = "CONFIDENCE|!+ANSWER";

// "0.3|!+yes&&1.0|!+red" -> the answer with the highest confidence.
std::string BestAnswer(const std::string& text) {
  std::string best;
  double highest = -1;
  for (const absl::string_view item : absl::StrSplit(text, "&&")) {
    const std::vector<std::string> parts = absl::StrSplit(item, "|!+");
    const double confidence = NumberOf(PartOf(parts, 0, "ref", kReference), "ref");
    if (confidence > highest) highest = confidence, best = PartOf(parts, 1, "ref", kReference);
  }
  return best;
}

// One item: which published task it is, and the record that task sees.
struct Item {
  std::string task;
  TaskSample sample;
  std::function<void(TaskTemplate*)> edit;
};

void ReadVqa(const Json& input, Item* item) {
  item->task = "vqa";
  item->sample.fields["question"] = input.at("question").get<std::string>();
  item->sample.fields["answer"] = BestAnswer(input.at("ref"));
  item->edit = PromptType(input.at("prompt_type"));
}

void ReadCaption(const Json& input, Item* item) {
  item->task = "image_caption";
  const bool test = input.at("split") == "test";
  const std::string caption = input.at("caption");
  item->sample.fields["caption"] = test ? TestCaption(caption) : caption;
  const int words = input.at("max_tgt_length");
  item->edit = [test, words](TaskTemplate* proto) {
    proto->mutable_clean(0)->set_max_words(test ? 0 : words);
    if (test) proto->mutable_clean(0)->set_rule(TEXT_CLEANING_NONE);
  };
}

void ReadEntailment(const Json& input, Item* item) {
  static const auto* const kAnswers = new std::map<std::string, std::string>{
      {"entailment", "yes"}, {"neutral", "maybe"}, {"contradiction", "no"}};
  item->task = input.at("add_caption") ? "visual_entailment_premise" : "visual_entailment";
  item->sample.fields["hypothesis"] = input.at("hypothesis").get<std::string>();
  item->sample.fields["caption"] = input.at("caption").get<std::string>();
  item->sample.fields["answer"] = FieldOf(*kAnswers, input.at("label"), "label");
  item->edit = PromptType(input.at("prompt_type"));
}

// "ints(seed=81,"codes",1024,0,8192)"
std::vector<double> Codes(const std::string& generator) {
  const std::vector<std::string> parts =
      absl::StrSplit(generator, absl::ByAnyChar("(),\"="), absl::SkipEmpty());
  const auto part = [&](size_t index) {
    return PartOf(parts, index, "codes", "ints(seed=SEED,\"NAME\",COUNT,LOW,HIGH)");
  };
  const auto number = [&](size_t index) { return IntegerOf(part(index), "codes"); };
  std::vector<double> codes;
  for (const int64_t code :
       GoldenIntegers(part(3), static_cast<uint64_t>(number(2)), number(4), number(5), number(6))) {
    codes.push_back(static_cast<double>(code));
  }
  return codes;
}

std::vector<double> Numbers(const std::string& text) {
  std::vector<double> numbers;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    numbers.push_back(NumberOf(std::string(part), "region_coord"));
  }
  return numbers;
}

absl::Status ReadGrounding(ReplayContext& context, const Json& input, Item* item) {
  item->task = "grounding";
  const MediaSource media{"", context.fixture.Path("media/" + input.at("file").get<std::string>()),
                          nullptr};
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels,
                          context.runtime.services().media->DecodeImage(media, PixelFormat::kRgb8));
  item->sample.fields["text"] = input.at("text").get<std::string>();
  item->sample.fields["box"] = Numbers(input.at("region_coord"));
  item->sample.fields["width"] = static_cast<double>(pixels.size(1));
  item->sample.fields["height"] = static_cast<double>(pixels.size(0));
  return absl::OkStatus();
}

absl::StatusOr<Item> ReadItem(ReplayContext& context, const Json& golden) {
  const std::string kind = golden.at("task");
  const Json& input = golden.at("input");
  Item item;
  item.sample.key = kind;
  const MediaSource media{"x.png", "x.png", nullptr};
  for (const char* column : {"image", "video", "audio"}) item.sample.fields[column] = media;
  if (kind == "caption") {
    ReadCaption(input, &item);
  } else if (kind == "vqa_gen") {
    ReadVqa(input, &item);
  } else if (kind == "snli_ve") {
    ReadEntailment(input, &item);
  } else if (kind == "refcoco") {
    UNIVAL_RETURN_IF_ERROR(ReadGrounding(context, input, &item));
  } else if (kind == "image_gen") {
    item.task = "image_generation";
    item.sample.fields["caption"] = input.at("caption").get<std::string>();
    item.sample.fields["codes"] = Codes(input.at("codes"));
  } else {
    return absl::UnimplementedError(absl::StrCat("task ", kind, " is not known"));
  }
  return item;
}

// [[first ...], length, [last ...]]
Json HeadLengthTail(const std::vector<int64_t>& tokens, const Json& like) {
  const auto head = static_cast<ptrdiff_t>(like.at(0).size());
  const auto tail = static_cast<ptrdiff_t>(like.at(2).size());
  return {std::vector<int64_t>(tokens.begin(), tokens.begin() + head), tokens.size(),
          std::vector<int64_t>(tokens.end() - tail, tokens.end())};
}

// The closed set's mask at the positions behind the prompt, as [position, token] pairs.
absl::Status CheckAnswerMask(const VocabularyView& vocabulary, const Json& answers,
                             const TargetTokens& rows, size_t prefix, const Json& expected,
                             Checker& check) {
  std::vector<std::vector<int64_t>> tokens;
  for (const Json& answer : answers) {
    UNIVAL_ASSIGN_OR_RETURN(auto ids,
                            vocabulary.EncodeText(absl::StrCat(" ", answer.get<std::string>())));
    tokens.push_back(std::move(ids));
  }
  const at::Tensor allowed = AllowedByAnswers(at::tensor(rows.labels, at::kLong).unsqueeze(0),
                                              tokens, vocabulary.size())[0];
  Json pairs = Json::array();
  for (size_t t = prefix; t < rows.labels.size(); ++t) {
    const at::Tensor ids = allowed[static_cast<int64_t>(t)].nonzero().squeeze(1);
    for (int64_t i = 0; i < ids.size(0); ++i) pairs.push_back({t, ids[i].item<int64_t>()});
  }
  check.EqualJson(kTextStage, "constraint_mask_nonzero", pairs, expected);
  return absl::OkStatus();
}

absl::Status CheckItem(ReplayContext& context, const PublishedTasks& tasks, const Json& golden,
                       Checker& check) {
  UNIVAL_ASSIGN_OR_RETURN(const Item item, ReadItem(context, golden));
  UNIVAL_ASSIGN_OR_RETURN(const auto task, tasks.Make(item.task, item.edit));
  UNIVAL_ASSIGN_OR_RETURN(const Seq2SeqExample example,
                          task->MakeExample(item.sample, ExampleMode::kTraining, 0));
  const TargetTokens rows = LayOutTarget(example, tasks.vocabulary());
  const bool cut = golden.contains("output_head_len_tail");
  const Json& output = golden.at(cut ? "output_head_len_tail" : "output");
  const auto compare = [&](const char* field, const std::vector<int64_t>& actual) {
    if (!output.contains(field)) return;
    const Json& expected = output.at(field);
    const bool parts = expected.size() == 3 && expected.at(0).is_array();
    check.EqualJson(kTextStage, field, parts ? HeadLengthTail(actual, expected) : Json(actual),
                    expected);
  };
  compare("source", example.source);
  compare("target", rows.labels);
  compare("prev_output_tokens", rows.previous);
  std::vector<int64_t> prompt = {tasks.vocabulary().bos()};
  prompt.insert(prompt.end(), example.prefix.begin(), example.prefix.end());
  compare("decoder_prompt", prompt);
  if (output.contains("constraint_mask_nonzero")) {
    return CheckAnswerMask(tasks.vocabulary(), golden.at("input").at("answers"), rows,
                           example.prefix.size(), output.at("constraint_mask_nonzero"), check);
  }
  return absl::OkStatus();
}

void CheckCleaning(const Json& golden, Checker& check) {
  const std::string text = golden.at("text");
  std::string question = golden.at("pre_question");
  // Here the rule itself completes the question, as the reference does behind it.
  if (question.empty() || question.back() != '?') question += '?';
  const auto compare = [&](const char* field, TextCleaning rule, int words, const Json& expected) {
    check.EqualJson(kTextStage, absl::StrCat(field, " of \"", text, "\""),
                    CleanText(text, rule, words), expected);
  };
  compare("pre_question", TEXT_CLEANING_QUESTION, 0, question);
  compare("pre_caption", TEXT_CLEANING_CAPTION, 0, golden.at("pre_caption"));
  compare("pre_caption_3", TEXT_CLEANING_CAPTION, 3, golden.at("pre_caption_3"));
  compare("strip_punct_train", TEXT_CLEANING_NO_PUNCTUATION, 0, golden.at("strip_punct_train"));
}

}  // namespace

absl::Status ReplayTaskItems(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  UNIVAL_ASSIGN_OR_RETURN(const auto tasks,
                          PublishedTasks::Create(context.fixture, context.runtime));
  int number = 0;
  for (const Json& golden : file->at("items")) {
    const std::string name = absl::StrCat(golden.at("task").get<std::string>(), " ", number++);
    context.Case(entry, name,
                 [&](Checker& check) { return CheckItem(context, *tasks, golden, check); });
  }
  context.Case(entry, "cleaning", [&](Checker& check) {
    for (const Json& golden : file->at("text_helpers")) CheckCleaning(golden, check);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
