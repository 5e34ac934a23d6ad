// The vocabulary, as a plugin calls it.

#include "absl/strings/string_view.h"
#include "runtime/c_abi/c_task_parts.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

const VocabularyView& View(const void* ctx) { return *static_cast<const VocabularyView*>(ctx); }

// Hands a value out, or the error on.
template <typename T, typename Out>
UnivalCode Give(const absl::StatusOr<T>& value, Out&& out) {
  return value.ok() ? out(*value) : Refuse(value.status());
}

UnivalCode StoreNumber(int64_t value, int64_t* out) {
  if (out == nullptr) return Refuse(InvalidArgument("vocabulary: nowhere to put the number"));
  *out = value;
  return UNIVAL_OK;
}

UnivalCode BlockName(UnivalStr block) {
  const absl::Status status = CheckText("vocabulary", "block", block);
  return status.ok() ? UNIVAL_OK : Refuse(status);
}

UnivalCode BlockSize(const void* ctx, UnivalStr block, int64_t* out) {
  if (const UnivalCode code = BlockName(block); code != UNIVAL_OK) return code;
  return Give(View(ctx).BlockSize(FromStr(block)),
              [&](int64_t size) { return StoreNumber(size, out); });
}

UnivalCode GlobalId(const void* ctx, UnivalStr block, int64_t index, int64_t* out) {
  if (const UnivalCode code = BlockName(block); code != UNIVAL_OK) return code;
  return Give(View(ctx).GlobalId(FromStr(block), index),
              [&](int64_t id) { return StoreNumber(id, out); });
}

UnivalCode Identify(const void* ctx, int64_t global_id, const UnivalTextSink* block,
                    int64_t* index) {
  return Give(View(ctx).Identify(global_id), [&](const BlockToken& token) {
    const UnivalCode code = StoreNumber(token.index, index);
    return code == UNIVAL_OK ? block->append(block->ctx, ToStr(token.block)) : code;
  });
}

UnivalCode EncodeText(const void* ctx, UnivalStr text, const UnivalIdSink* out) {
  if (text.size > kMaxAnswerBytes || (text.data == nullptr && text.size > 0))
    return Refuse(InvalidArgument("vocabulary: encode_text of ", text.size, " bytes"));
  return Give(View(ctx).EncodeText(FromStr(text)), [&](const std::vector<int64_t>& ids) {
    return out->append(out->ctx, ids.data(), ids.size());
  });
}

UnivalCode DecodeText(const void* ctx, const int64_t* ids, uint64_t count,
                      const UnivalTextSink* out) {
  if (const absl::Status status = CheckIds("vocabulary: decode_text", ids, count); !status.ok())
    return Refuse(status);
  return Give(View(ctx).DecodeText({ids, count}),
              [&](const std::string& text) { return out->append(out->ctx, ToStr(text)); });
}

}  // namespace

UnivalVocabulary VocabularyTable(const VocabularyView& view) {
  return {sizeof(UnivalVocabulary),
          &view,
          view.size(),
          view.bos(),
          view.pad(),
          view.eos(),
          view.unk(),
          view.mask(),
          &BlockSize,
          &GlobalId,
          &Identify,
          &EncodeText,
          &DecodeText};
}

}  // namespace unival
