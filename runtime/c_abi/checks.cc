#include "runtime/c_abi/checks.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/names.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Index of the first byte of `text` that is a control character or no UTF-8; its size: none is.
size_t FirstOdd(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at]);
    const size_t length = first < 0x20 || first == 0x7F ? 0 : Utf8Length(text.substr(at));
    if (length == 0) break;
    // U+0080 to U+009F.
    if (first == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0) break;
    at += length;
  }
  return at;
}

absl::Status CheckFunction(absl::string_view what, absl::string_view name, bool there) {
  if (there) return absl::OkStatus();
  return InvalidArgument(what, ": the mandatory function ", name, " is null");
}

absl::Status CheckRange(absl::string_view what, absl::string_view field, int64_t value,
                        int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return InvalidArgument(what, ": ", field, " ", value, ", expected ", least, "..", most);
}

absl::Status CheckIdAndSummary(absl::string_view what, UnivalStr id, UnivalStr summary) {
  UNIVAL_RETURN_IF_ERROR(CheckText(what, "id", id));
  if (!IsId(FromStr(id))) {
    return InvalidArgument(what, ": id \"", FromStr(id), "\", expected the form ", kIdForm);
  }
  return CheckText(what, "summary", summary);
}

bool IsHash(absl::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

#define UNIVAL_NEEDS(function) \
  UNIVAL_RETURN_IF_ERROR(CheckFunction(what, #function, table.function != nullptr))

}  // namespace

absl::Status CheckSize(absl::string_view what, uint64_t size, uint64_t least) {
  if (size >= least && size <= kMaxStructBytes) return absl::OkStatus();
  return InvalidArgument(what, ": struct_size ", size, ", expected ", least, "..", kMaxStructBytes);
}

absl::Status CheckKept(absl::string_view what, uint64_t size, uint64_t set) {
  if (size == set) return absl::OkStatus();
  return InvalidArgument(what, ": struct_size was changed to ", size, ", the host had set ", set,
                         "; a plugin writes only the fields within it");
}

absl::Status CheckText(absl::string_view what, absl::string_view field, UnivalStr text,
                       uint64_t most) {
  if (text.size > most || (text.data == nullptr && text.size > 0)) {
    return InvalidArgument(what, ": ", field, " has ", text.size, " bytes",
                           text.data == nullptr ? " and no pointer" : "", ", expected at most ",
                           most);
  }
  const size_t odd = FirstOdd(FromStr(text));
  if (odd == FromStr(text).size()) return absl::OkStatus();
  return InvalidArgument(what, ": ", field, " is no text: byte ",
                         static_cast<int>(static_cast<unsigned char>(text.data[odd])), " at ", odd,
                         ", expected UTF-8 without control characters");
}

absl::Status CheckList(absl::string_view what, const void* entries, uint64_t count) {
  if (count > 0 && entries == nullptr)
    return InvalidArgument(what, ": ", count, " announced, but no pointer");
  if (count <= kMaxListEntries) return absl::OkStatus();
  return InvalidArgument(what, ": ", count, " announced, expected at most ", kMaxListEntries);
}

absl::Status CheckIds(absl::string_view what, const int64_t* ids, uint64_t count) {
  if (count <= kMaxIds && (ids != nullptr || count == 0)) return absl::OkStatus();
  return InvalidArgument(what, ": ", count, " tokens", ids == nullptr ? " and no pointer" : "",
                         ", expected at most ", kMaxIds);
}

absl::Status CheckDescriptor(const UnivalPlugin& plugin, const UnivalHost& host,
                             const BuildInfo& info) {
  if (plugin.abi_major != host.abi_major || plugin.abi_major != info.abi_major) {
    return absl::FailedPreconditionError(
        absl::StrCat("its descriptor says ABI ", plugin.abi_major, ".", plugin.abi_minor,
                     ", its record ", info.abi_major, ".", info.abi_minor, ", this host has ",
                     host.abi_major, ".", host.abi_minor));
  }
  if (plugin.min_host_minor > host.abi_minor) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it needs a host of ABI ", plugin.abi_major, ".", plugin.min_host_minor,
        " or later, this host has ", host.abi_major, ".", host.abi_minor, "; use a newer host"));
  }
  UNIVAL_RETURN_IF_ERROR(CheckText("descriptor", "id", plugin.id));
  UNIVAL_RETURN_IF_ERROR(CheckText("descriptor", "version", plugin.version));
  if (FromStr(plugin.id) != info.id || FromStr(plugin.version) != info.version) {
    return InvalidArgument("its record says \"", info.id, " ", info.version,
                           "\", its descriptor \"", FromStr(plugin.id), " ",
                           FromStr(plugin.version), "\"");
  }
  UNIVAL_RETURN_IF_ERROR(CheckList("modality", plugin.modalities, plugin.modality_count));
  UNIVAL_RETURN_IF_ERROR(CheckList("tokenizer", plugin.tokenizers, plugin.tokenizer_count));
  UNIVAL_RETURN_IF_ERROR(CheckList("task", plugin.tasks, plugin.task_count));
  return CheckList("token block", plugin.token_blocks, plugin.token_block_count);
}

absl::Status CheckTable(absl::string_view what, const UnivalModality& table) {
  UNIVAL_RETURN_IF_ERROR(CheckIdAndSummary(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(describe);
  UNIVAL_NEEDS(preprocess);
  UNIVAL_NEEDS(encode);
  return absl::OkStatus();
}

absl::Status CheckTable(absl::string_view what, const UnivalTokenizer& table) {
  UNIVAL_RETURN_IF_ERROR(CheckIdAndSummary(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(size);
  UNIVAL_NEEDS(surface);
  UNIVAL_NEEDS(encode);
  UNIVAL_NEEDS(decode);
  return absl::OkStatus();
}

absl::Status CheckTable(absl::string_view what, const UnivalTask& table) {
  UNIVAL_RETURN_IF_ERROR(CheckIdAndSummary(what, table.id, table.summary));
  UNIVAL_NEEDS(create);
  UNIVAL_NEEDS(destroy);
  UNIVAL_NEEDS(describe);
  UNIVAL_NEEDS(make_example);
  UNIVAL_NEEDS(interpret);
  UNIVAL_NEEDS(metric_create);
  UNIVAL_NEEDS(metric_destroy);
  UNIVAL_NEEDS(metric_add);
  UNIVAL_NEEDS(metric_result);
  return absl::OkStatus();
}

#undef UNIVAL_NEEDS

absl::Status CheckTable(absl::string_view what, const UnivalTokenBlock& block) {
  UNIVAL_RETURN_IF_ERROR(CheckText(what, "id", block.id));
  UNIVAL_RETURN_IF_ERROR(CheckText(what, "content_hash", block.content_hash));
  const absl::string_view hash = FromStr(block.content_hash);
  if (!hash.empty() && !IsHash(hash)) {
    return InvalidArgument(what, ": content_hash \"", hash,
                           "\", expected 64 hex digits in lower case, or nothing");
  }
  if (block.size <= kMaxBlockSize) return absl::OkStatus();  // the registry refuses sizes below 1
  return InvalidArgument(what, ": size ", block.size, ", expected 1..", kMaxBlockSize);
}

absl::Status CheckInfo(absl::string_view what, const UnivalModalityInfo& info) {
  UNIVAL_RETURN_IF_ERROR(CheckKept(what, info.struct_size, sizeof(UnivalModalityInfo)));
  UNIVAL_RETURN_IF_ERROR(CheckRange(what, "feature_dim", info.feature_dim, 1, kMaxFeatureDim));
  UNIVAL_RETURN_IF_ERROR(
      CheckRange(what, "max_positions", info.max_positions, 0, kMaxDeclaredPositions));
  UNIVAL_RETURN_IF_ERROR(CheckRange(what, "position_kind", info.position_kind, UNIVAL_POSITION_NONE,
                                    UNIVAL_POSITION_GRID));
  if (info.input_kind < UNIVAL_INPUT_BYTES || info.input_kind > UNIVAL_INPUT_AUDIO) {
    return absl::UnimplementedError(absl::StrCat(what, ": input_kind ", info.input_kind,
                                                 ", this host knows ", UNIVAL_INPUT_BYTES, "..",
                                                 UNIVAL_INPUT_AUDIO, "; use a newer host"));
  }
  UNIVAL_RETURN_IF_ERROR(CheckText(what, "feature_schema", info.feature_schema));
  if (info.feature_schema.size == 0) {
    return InvalidArgument(what, ": feature_schema \"\", expected a name for what features mean");
  }
  return CheckText(what, "preprocessing", info.preprocessing);
}

absl::Status CheckInfo(absl::string_view what, const UnivalTaskInfo& info) {
  UNIVAL_RETURN_IF_ERROR(CheckKept(what, info.struct_size, sizeof(UnivalTaskInfo)));
  struct List {
    const char* name;
    const UnivalStr* texts;
    uint64_t count;
  };
  const List lists[] = {
      {"modalities", info.modalities, info.modality_count},
      {"blocks", info.blocks, info.block_count},
      {"columns", info.columns, info.column_count},
      {"prediction_columns", info.prediction_columns, info.prediction_column_count},
      {"media_columns", info.media_columns, info.media_column_count},
  };
  for (const List& list : lists) {
    UNIVAL_RETURN_IF_ERROR(CheckList(absl::StrCat(what, ": ", list.name), list.texts, list.count));
    for (uint64_t i = 0; i < list.count; ++i) {
      const std::string field = absl::StrCat(list.name, "[", i, "]");
      UNIVAL_RETURN_IF_ERROR(CheckText(what, field, list.texts[i]));
      if (list.texts[i].size == 0) return InvalidArgument(what, ": ", field, " is empty");
    }
  }
  constexpr int32_t kMostBeams = 1 << 10, kMostTokens = 1 << 20;
  UNIVAL_RETURN_IF_ERROR(CheckRange(what, "beam", info.beam, 0, kMostBeams));
  return CheckRange(what, "max_tokens", info.max_tokens, 0, kMostTokens);
}

absl::Status CheckBlockSize(absl::string_view what, int64_t size) {
  if (size >= 1 && size <= kMaxBlockSize) return absl::OkStatus();
  return InvalidArgument(what, ": ", size, ", expected 1..", kMaxBlockSize);
}

absl::Status CheckLocalIds(absl::string_view what, const int64_t* ids, uint64_t count,
                           int64_t size) {
  for (uint64_t i = 0; i < count; ++i) {
    if (ids[i] >= -1 && ids[i] < size) continue;
    return InvalidArgument(what, " gave index ", ids[i], ", expected -1..", size - 1);
  }
  return absl::OkStatus();
}

absl::Status CheckAnswer(absl::string_view what, const UnivalAnswerSink& answer) {
  UNIVAL_RETURN_IF_ERROR(CheckKept(what, answer.struct_size, sizeof(UnivalAnswerSink)));
  for (int i = 0; i < 4 && answer.has_box != 0; ++i) {
    if (answer.box[i] >= 0 && answer.box[i] <= 1) continue;
    return InvalidArgument(what, ": box[", i, "] ", answer.box[i],
                           ", expected a share of width or height in [0, 1]");
  }
  if (!std::isnan(answer.score)) return absl::OkStatus();
  return InvalidArgument(what, ": score is no number");
}

absl::Status CheckMetricValue(absl::string_view what, UnivalStr name, double value) {
  UNIVAL_RETURN_IF_ERROR(CheckText(what, "name", name));
  if (name.size == 0) return InvalidArgument(what, ": a value without a name");
  if (!std::isnan(value)) return absl::OkStatus();
  return InvalidArgument(what, ": \"", FromStr(name), "\" is no number");
}

}  // namespace unival
