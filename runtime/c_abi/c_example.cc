// Records, as a plugin reads them, and examples, as it fills them.

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/c_task_parts.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

UnivalCode AddMedia(void* ctx, UnivalStr modality, UnivalStr column) {
  auto& builder = *static_cast<ExampleBuilder*>(ctx);
  for (const absl::Status& status :
       {CheckText("add_media", "modality", modality), CheckText("add_media", "column", column)}) {
    if (!status.ok()) return Refuse(status);
  }
  if (builder.example.media.size() >= kMaxListEntries)
    return Refuse(InvalidArgument("add_media: more than ", kMaxListEntries, " media items"));
  auto found = builder.sample.fields.find(std::string(FromStr(column)));
  if (found == builder.sample.fields.end()) {
    return Refuse(absl::NotFoundError(
        absl::StrCat(builder.sample.key, ": no column \"", FromStr(column), "\"")));
  }
  const auto* media = std::get_if<MediaSource>(&found->second);
  if (media == nullptr) {
    return Refuse(absl::InvalidArgumentError(
        absl::StrCat(builder.sample.key, ": column \"", FromStr(column), "\" is no media")));
  }
  builder.example.media.push_back({std::string(FromStr(modality)), *media});
  return UNIVAL_OK;
}

UnivalCode SetTokens(void* ctx, int32_t kind, const int64_t* ids, uint64_t count) {
  Seq2SeqExample& example = static_cast<ExampleBuilder*>(ctx)->example;
  std::vector<int64_t>* lists[] = {&example.source, &example.prefix, &example.target};
  if (kind < UNIVAL_TOKENS_SOURCE || kind > UNIVAL_TOKENS_TARGET) {
    return Refuse(absl::InvalidArgumentError(
        absl::StrCat("set_tokens: kind ", kind, ", expected 0, 1 or 2")));
  }
  if (const absl::Status status = CheckIds("set_tokens", ids, count); !status.ok())
    return Refuse(status);
  if (count > 0) lists[kind]->assign(ids, ids + count);
  return UNIVAL_OK;
}

UnivalCode AddAnswer(void* ctx, const int64_t* ids, uint64_t count) {
  auto& builder = *static_cast<ExampleBuilder*>(ctx);
  if (const absl::Status status = CheckIds("add_answer", ids, count); !status.ok())
    return Refuse(status);
  builder.tokens_of_answers += count + 1;
  if (builder.tokens_of_answers > kMaxIds)
    return Refuse(InvalidArgument("add_answer: answers of more than ", kMaxIds, " tokens"));
  builder.answers.emplace_back(ids, ids + count);
  return UNIVAL_OK;
}

UnivalCode Allow(void* ctx, int64_t begin, int64_t end) {
  auto& allowed = static_cast<ExampleBuilder*>(ctx)->example.constraint.allowed;
  if (allowed.size() >= kMaxIds)
    return Refuse(InvalidArgument("allow: more than ", kMaxIds, " ranges"));
  allowed.push_back({begin, end});
  return UNIVAL_OK;
}

}  // namespace

ExportedRecord::ExportedRecord(const TaskSample& sample) {
  fields_.reserve(sample.fields.size());
  texts_.reserve(sample.fields.size());
  for (const auto& [name, value] : sample.fields) Add(name, value);
  for (const UnivalField& field : fields_) pointers_.push_back(&field);
  record_ = {sizeof(UnivalRecord), ToStr(sample.key), pointers_.data(), pointers_.size()};
}

void ExportedRecord::Add(const std::string& name, const FieldValue& value) {
  UnivalField field = {};
  field.struct_size = sizeof(field);
  field.name = ToStr(name);
  texts_.emplace_back();
  if (const auto* text = std::get_if<std::string>(&value)) {
    texts_.back() = {ToStr(*text)};
  } else if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    field.kind = UNIVAL_FIELD_TEXTS;
    texts_.back() = ToStrs(*list);
  } else if (const auto* number = std::get_if<double>(&value)) {
    field.kind = UNIVAL_FIELD_NUMBERS;
    field.numbers = number;
    field.number_count = 1;
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    field.kind = UNIVAL_FIELD_NUMBERS;
    field.numbers = numbers->data();
    field.number_count = numbers->size();
  } else {
    field.kind = UNIVAL_FIELD_MEDIA;
  }
  field.texts = texts_.back().data();
  field.text_count = texts_.back().size();
  fields_.push_back(field);
}

UnivalExampleSink ExampleSink(ExampleBuilder* builder) {
  return {sizeof(UnivalExampleSink), builder, &AddMedia, &SetTokens, &AddAnswer, &Allow};
}

}  // namespace unival
