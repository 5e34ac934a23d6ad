// unival: checks.h
//
// What a plugin of tier 2 gives back, looked at field by field. This is the one place where that is
// done: the rest of this room uses a struct of a plugin's only after its function here has passed
// it. A plugin shares the process, so this finds mistakes, not attacks: that a pointer leads to as
// much memory as the plugin says cannot be seen from here.
//
//   UNIVAL_RETURN_IF_ERROR(CheckTensor("encode: features", call.features));
//
// All give InvalidArgument "WHAT: FIELD found, expected wanted"; `what` names plugin and call.
#ifndef UNIVAL_RUNTIME_C_ABI_CHECKS_H_
#define UNIVAL_RUNTIME_C_ABI_CHECKS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sdk/abi/unival_plugin.h"
#include "sdk/native/build_info.h"

namespace unival {

// Bounds; docs/abi_policy.md lists them. No struct comes near the first: more is a stray number.
inline constexpr uint64_t kMaxStructBytes = 1 << 16;
inline constexpr uint64_t kMaxListEntries = 1 << 12;   // components, names in a task's list
inline constexpr uint64_t kMaxTextBytes = 1 << 16;     // a name, a summary, a surface form
inline constexpr uint64_t kMaxMessageBytes = 1 << 12;  // of `fail` and `log`; the rest is cut off
inline constexpr uint64_t kMaxAnswerBytes = 1 << 26;   // decoded text, an answer
inline constexpr uint64_t kMaxIds = 1 << 24;           // tokens of one text, one example
inline constexpr int64_t kMaxBlockSize = 1 << 24;      // tokens of one block
inline constexpr int64_t kMaxFeatureDim = 1 << 20;
inline constexpr int64_t kMaxDeclaredPositions = int64_t{1} << 31;
inline constexpr int64_t kMaxTensorBytes = int64_t{1} << 40;
inline constexpr int32_t kMaxDimensions = 8;

// ---- Parts of structs.

// `struct_size` of a struct that the plugin made: at least what its first minor had.
absl::Status CheckSize(absl::string_view what, uint64_t size, uint64_t least);
// `struct_size` of a struct that the host made and a call filled: as the host had set it.
absl::Status CheckKept(absl::string_view what, uint64_t size, uint64_t set);
// A pointer unless empty; at most `most` bytes of UTF-8 without control characters.
absl::Status CheckText(absl::string_view what, absl::string_view field, UnivalStr text,
                       uint64_t most = kMaxTextBytes);
// A list of `count` entries of any kind: a pointer unless empty, at most kMaxListEntries.
absl::Status CheckList(absl::string_view what, const void* entries, uint64_t count);
// `count` token ids or codes that a plugin hands to one of the host's functions.
absl::Status CheckIds(absl::string_view what, const int64_t* ids, uint64_t count);

// ---- The descriptor and what it points to. `struct_size` is checked before the struct is read.

// FailedPrecondition for versions.
absl::Status CheckDescriptor(const UnivalPlugin& plugin, const UnivalHost& host,
                             const BuildInfo& info);
absl::Status CheckTable(absl::string_view what, const UnivalModality& table);
absl::Status CheckTable(absl::string_view what, const UnivalTokenizer& table);
absl::Status CheckTable(absl::string_view what, const UnivalTask& table);
absl::Status CheckTable(absl::string_view what, const UnivalTokenBlock& block);

// ---- What calls fill in.

// Unimplemented for an input_kind that this host does not know.
absl::Status CheckInfo(absl::string_view what, const UnivalModalityInfo& info);
absl::Status CheckInfo(absl::string_view what, const UnivalTaskInfo& info);
absl::Status CheckBlockSize(absl::string_view what, int64_t size);
// Local indices that a tokenizer's encode gave: each is in [-1, size).
absl::Status CheckLocalIds(absl::string_view what, const int64_t* ids, uint64_t count,
                           int64_t size);
absl::Status CheckAnswer(absl::string_view what, const UnivalAnswerSink& answer);
absl::Status CheckMetricValue(absl::string_view what, UnivalStr name, double value);

// ---- Tensors.

// Every field of one tensor: version, deleter, flags, device, type, dimensions, shape, strides,
// offset, alignment. Elements do not overlap, and sizes are such that no product overflows.
absl::Status CheckTensor(absl::string_view what, const UnivalTensor* tensor);
// What preprocess filled: `items` is the host's own array, of which exactly the first `count` are
// set.
absl::Status CheckTensors(absl::string_view what, const UnivalTensors& tensors,
                          UnivalTensor* const* items);
// What encode filled, for `rows` samples: float32 [B, N, F] with N of 1 or more, padding bool or
// uint8 [B, N], positions int64 [B, N] or [B, N, 2] or none. Each tensor is checked before.
absl::Status CheckEncoded(absl::string_view what, const UnivalEncodeCall& call, int64_t rows,
                          int64_t feature_dim, int32_t position_kind);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_CHECKS_H_
