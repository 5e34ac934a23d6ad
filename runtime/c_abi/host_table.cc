#include "runtime/c_abi/host_table.h"

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/tensor_types.h"
#include "sdk/base/printable.h"

namespace unival {
namespace {

constexpr UnivalCode kLastCode = static_cast<UnivalCode>(absl::StatusCode::kUnauthenticated);
constexpr uint64_t kAlignment = 64;
constexpr uint64_t kMaxBytes = kMaxTensorBytes;

struct Failure {
  UnivalCode code = 0;
  std::string message;
};

Failure& CurrentFailure() {
  static thread_local Failure failure;
  return failure;
}

// A message that a plugin gives while it fails: cut off rather than refused.
absl::string_view Cut(UnivalStr message) {
  message.size = std::min(message.size, kMaxMessageBytes);
  return FromStr(message);
}

// Lines that all plugins of a process may print: one that complains of every record is heard, and
// does not fill the disk that standard error goes to.
constexpr int64_t kMaxLogLines = 1000;

void Log(void*, int32_t severity, UnivalStr message) {
  static std::atomic<int64_t> lines{0};
  const int64_t line = ++lines;
  if (line > kMaxLogLines) {
    if (line > kMaxLogLines + 1) return;
    std::cerr << absl::StrCat("plugin: more than ", kMaxLogLines, " lines; the rest is left out\n");
    return;
  }
  const char* names[] = {"", "warning: ", "error: "};
  const char* name = names[severity < 0 || severity > UNIVAL_LOG_ERROR ? 0 : severity];
  std::cerr << absl::StrCat("plugin: ", name, PrintableLine(Cut(message)), "\n");
}

UnivalCode Fail(void*, UnivalCode code, UnivalStr message) {
  CurrentFailure() = {code, std::string(Cut(message))};
  return code;
}

void* NoExtension(void*, UnivalStr) { return nullptr; }

// A tensor in one allocation of its own, with the shape it points to.
struct HostTensor {
  UnivalTensor tensor;
  int64_t shape[kMaxDimensions];
};

void DeleteHostTensor(UnivalTensor* tensor) {
  std::free(tensor->dl_tensor.data);
  delete static_cast<HostTensor*>(tensor->manager_ctx);
}

// Bytes of the tensor; false when a size is negative or the product too large.
bool ByteCount(DLDataType type, int32_t dimensions, const int64_t* shape, uint64_t* bytes) {
  *bytes = (uint64_t{type.bits} * type.lanes + 7) / 8;
  for (int32_t i = 0; i < dimensions; ++i) {
    if (shape[i] < 0 || (shape[i] > 0 && *bytes > kMaxBytes / static_cast<uint64_t>(shape[i])))
      return false;
    *bytes *= static_cast<uint64_t>(shape[i]);
  }
  return true;
}

UnivalCode NewTensor(void* ctx, DLDataType type, int32_t dimensions, const int64_t* shape,
                     UnivalTensor** out) {
  uint64_t bytes = 0;
  if (FindTensorType(type) == nullptr || out == nullptr)
    return Fail(ctx, UNIVAL_INVALID_ARGUMENT,
                ToStr("new_tensor: unknown type, or nowhere to put it"));
  if (dimensions < 0 || dimensions > kMaxDimensions || (dimensions > 0 && shape == nullptr) ||
      !ByteCount(type, dimensions, shape, &bytes)) {
    return Fail(ctx, UNIVAL_INVALID_ARGUMENT, ToStr("new_tensor: negative or too large a shape"));
  }
  const uint64_t rounded = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  void* data = std::aligned_alloc(kAlignment, rounded);
  auto* host = new (std::nothrow) HostTensor;
  if (data == nullptr || host == nullptr) {
    std::free(data);
    delete host;
    return Fail(ctx, UNIVAL_RESOURCE_EXHAUSTED, ToStr("new_tensor: out of memory"));
  }
  std::memset(data, 0, rounded);
  std::copy_n(shape, dimensions, host->shape);
  host->tensor = {{DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION}, host, &DeleteHostTensor, 0, {}};
  host->tensor.dl_tensor = {data, {kDLCPU, 0}, dimensions, type, host->shape, nullptr, 0};
  *out = &host->tensor;
  return UNIVAL_OK;
}

// These must not throw: an exception would pass through frames of the plugin, which may be C.
UnivalCode AppendText(void* ctx, UnivalStr text) {
  auto& target = *static_cast<std::string*>(ctx);
  if (text.data == nullptr && text.size > 0)
    return Fail(nullptr, UNIVAL_INVALID_ARGUMENT, ToStr("append: text without a pointer"));
  if (text.size > kMaxAnswerBytes - target.size())
    return Fail(nullptr, UNIVAL_RESOURCE_EXHAUSTED, ToStr("append: text of more than 64 MiB"));
  if (text.size > 0) target.append(text.data, text.size);
  return UNIVAL_OK;
}

UnivalCode AppendIds(void* ctx, const int64_t* ids, uint64_t count) {
  auto& target = *static_cast<std::vector<int64_t>*>(ctx);
  if (ids == nullptr && count > 0)
    return Fail(nullptr, UNIVAL_INVALID_ARGUMENT, ToStr("append: tokens without a pointer"));
  if (count > kMaxIds - target.size())
    return Fail(nullptr, UNIVAL_RESOURCE_EXHAUSTED, ToStr("append: more than 2^24 tokens"));
  if (count > 0) target.insert(target.end(), ids, ids + count);
  return UNIVAL_OK;
}

absl::Status TakeFailure(UnivalCode code, absl::string_view what, absl::string_view otherwise) {
  const Failure failure = std::exchange(CurrentFailure(), {});
  const bool known = code > 0 && code <= kLastCode;
  return absl::Status(
      known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
      absl::StrCat(what, ": ", failure.message.empty() ? otherwise : failure.message));
}

}  // namespace

const UnivalHost* CHost() {
  static const UnivalHost kHost = {
      sizeof(UnivalHost), UNIVAL_ABI_MAJOR, UNIVAL_ABI_MINOR, nullptr, &Log, &Fail,
      &NoExtension,       &NewTensor};
  return &kHost;
}

absl::Status StatusOf(UnivalCode code, absl::string_view what) {
  if (code == UNIVAL_OK) {
    CurrentFailure() = {};
    return absl::OkStatus();
  }
  return TakeFailure(code, what, absl::StrCat("failed with code ", code, " and left no message"));
}

absl::Status StatusOfNull(absl::string_view what) {
  const UnivalCode code = CurrentFailure().code;
  return TakeFailure(code == 0 ? UNIVAL_FAILED_PRECONDITION : code, what,
                     "gave no plugin and left no message");
}

UnivalCode Refuse(const absl::Status& status) {
  return CHost()->fail(CHost()->ctx, static_cast<UnivalCode>(status.code()),
                       ToStr(status.message()));
}

std::vector<UnivalStr> ToStrs(const std::vector<std::string>& texts) {
  std::vector<UnivalStr> strs;
  for (const std::string& text : texts) strs.push_back(ToStr(text));
  return strs;
}

std::vector<std::string> FromStrs(const UnivalStr* texts, uint64_t count) {
  std::vector<std::string> strings;
  for (uint64_t i = 0; texts != nullptr && i < count; ++i) strings.emplace_back(FromStr(texts[i]));
  return strings;
}

UnivalTextSink TextSink(std::string* text) { return {sizeof(UnivalTextSink), text, &AppendText}; }

UnivalIdSink IdSink(std::vector<int64_t>* ids) { return {sizeof(UnivalIdSink), ids, &AppendIds}; }

}  // namespace unival
