// Whether an AVI file has the frames that it promises: the list "movi" of every RIFF chunk must be
// there to its end. A list of no known length was never finished by its writer and promises nothing
// but whole frames, which the demuxer counts; an index may be cut.

#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/truncated_media.h"

namespace unival {

namespace {

// Nothing, or all bits, as a program that writes to a pipe leaves it.
bool IsUnknownList(absl::string_view head) {
  const uint64_t bytes = LittleEndian(head.substr(4), 4);
  return bytes == 0 || bytes == UINT32_MAX;
}

}  // namespace

absl::Status CheckAvi(const ContainerFile& file) {
  constexpr int64_t kHead = 12, kMaxChunks = 100000;
  const int64_t size = file.reader.size();
  int64_t at = 0;
  for (int64_t i = 0; i < kMaxChunks && at + kHead <= size; ++i) {
    const std::string head = file.reader.Text(at, kHead);
    if (static_cast<int64_t>(head.size()) < kHead) break;
    const std::string name = head.substr(0, 4), type = head.substr(8, 4);
    const auto bytes = static_cast<int64_t>(LittleEndian(head.substr(4), 4));
    if (name == "RIFF" && (type == "AVI " || type == "AVIX")) {
      at += kHead;  // into it: its chunks follow, and then the next RIFF
      continue;
    }
    const int64_t end = at + 8 + bytes;
    if (name == "LIST" && type == "movi") {
      if (IsUnknownList(head)) break;
      if (end > size) {
        return TruncatedMedia(Unexpected(
            file, absl::StrCat("a truncated AVI, ", size, " of at least ", end, " bytes"),
            kTruncatedRemedy));
      }
    }
    at = end + end % 2;
  }
  return absl::OkStatus();
}

}  // namespace unival
