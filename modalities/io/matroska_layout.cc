// Whether a Matroska or WebM file has what it promises (RFC 8794, RFC 9559): elements that say how
// long they are must be there. One that was streamed does not say how long it is as a whole; then
// the elements within it count.

#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/base/byte_order.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int64_t kUnknown = -1;

struct Element {
  uint64_t id = 0;
  int64_t begin = 0;         // of its content
  int64_t bytes = kUnknown;  // of its content
};

int LengthOf(uint8_t first) {
  int length = 1;
  while (length <= 8 && (first & (0x80 >> (length - 1))) == 0) ++length;
  return length;
}

bool ReadElement(const ByteReader& reader, int64_t at, Element* element) {
  const std::string head = reader.Text(at, 12);
  if (head.empty()) return false;
  const int id_bytes = LengthOf(static_cast<uint8_t>(head[0]));
  if (id_bytes > 4 || static_cast<int>(head.size()) <= id_bytes) return false;
  element->id = BigEndian(head, id_bytes);
  const std::string rest = head.substr(id_bytes);
  const int size_bytes = LengthOf(static_cast<uint8_t>(rest[0]));
  if (size_bytes > 8 || static_cast<int>(rest.size()) < size_bytes) return false;
  // The first bits say how many bytes the number has. With all others set, the size is unknown.
  const uint64_t ones = (uint64_t{1} << (7 * size_bytes)) - 1;
  const uint64_t size = BigEndian(rest, size_bytes) & ones;
  element->begin = at + id_bytes + size_bytes;
  element->bytes = size == ones ? kUnknown : static_cast<int64_t>(size);
  return true;
}

bool IsKnown(uint64_t id) {
  for (const uint64_t known :
       {0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1941A469, 0x1043A770,
        0x1254C367, 0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xBF, 0xEC}) {
    if (id == known) return true;
  }
  return false;
}

absl::Status Truncated(const ContainerFile& file, int64_t end) {
  return TruncatedMedia(Unexpected(file,
                                   absl::StrCat("a truncated Matroska file, ", file.reader.size(),
                                                " of at least ", end, " bytes"),
                                   kTruncatedRemedy));
}

}  // namespace

absl::Status CheckMatroska(const ContainerFile& file) {
  constexpr uint64_t kSegment = 0x18538067, kCluster = 0x1F43B675;
  const ByteReader& reader = file.reader;
  Element element;
  if (!ReadElement(reader, 0, &element) || element.bytes == kUnknown) return absl::OkStatus();
  if (!ReadElement(reader, element.begin + element.bytes, &element) || element.id != kSegment) {
    return absl::OkStatus();  // for the demuxer to judge
  }
  if (element.bytes != kUnknown) {
    const int64_t end = element.begin + element.bytes;
    return end > reader.size() ? Truncated(file, end) : absl::OkStatus();
  }
  // What a cluster holds follows it at the same level here: its end need not be known.
  int64_t at = element.begin;
  while (at < reader.size() && ReadElement(reader, at, &element) && IsKnown(element.id)) {
    if (element.bytes == kUnknown && element.id != kCluster) return absl::OkStatus();
    at = element.begin + (element.id == kCluster && element.bytes == kUnknown ? 0 : element.bytes);
    if (at > reader.size()) return Truncated(file, at);
  }
  return absl::OkStatus();
}

}  // namespace unival
