// What an MP4 or QuickTime file says of itself (ISO/IEC 14496-12), read before the demuxer is: it
// believes counts, and allocates for them.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/io/containers.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int kMaxDepth = 12;
constexpr int64_t kMaxBoxes = 1000000;
// Of all streams together; each costs the demuxer tens of bytes.
constexpr int64_t kOtherSamples = 1000000;
// A clip may show parts of itself again: what all its edits show together.
constexpr int64_t kMaxEdited = 4000000;

struct Box {
  std::string type;
  int64_t begin = 0, end = 0;  // of its content; the end as it says
};

// Tables of one stream that count.
struct TrackCounts {
  int64_t samples = 0, edits = 0, time_entries = 0, first_duration = 0;
};

class Mp4Layout {
 public:
  explicit Mp4Layout(const ContainerFile& file) : file_(file), size_(file.reader.size()) {}

  absl::Status Check() {
    UNIVAL_RETURN_IF_ERROR(Walk(0, size_, 0));
    if (!has_head_) return Truncated("its head (moov)");
    // Without fragments the demuxer's own table says whether a sample is missing (CheckSamples in
    // media_container.cc): writers often claim a few bytes more than there are.
    if (has_fragments_ && media_end_ > size_) return Truncated("its media data");
    return absl::OkStatus();
  }

 private:
  absl::Status Truncated(const std::string& what) {
    return TruncatedMedia(Unexpected(
        file_, absl::StrCat("a truncated MP4, without the end of ", what), kTruncatedRemedy));
  }

  absl::Status Refuse(const std::string& found) {
    return Unexpected(file_, found, "The file is damaged: write it again.");
  }

  // False at the end, and at bytes that are no box: some programs leave some behind the last one.
  bool NextBox(int64_t at, int64_t end, Box* box) {
    const std::string head = file_.reader.Text(at, 16);
    if (at + 8 > end || head.size() < 8) return false;
    box->type = head.substr(4, 4);
    auto bytes = static_cast<int64_t>(BigEndian(head, 4));
    box->begin = at + 8;
    if (bytes == 1) {
      const uint64_t large = BigEndian(absl::ClippedSubstr(head, 8), 8);
      if (head.size() < 16 || large < 16 || large > INT64_MAX / 2) return false;
      bytes = static_cast<int64_t>(large);
      box->begin = at + 16;
    } else if (bytes == 0) {
      if (box->type == std::string(4, '\0')) return false;
      bytes = end - at;
    }
    box->end = at + bytes;
    return box->end >= box->begin;
  }

  bool IsFolder(const Box& box) const {
    const std::string& type = box.type;
    if (type == "free") {  // a head that a program has hidden, which the demuxer reads
      const std::string first = file_.reader.Text(box.begin + 4, 4);
      return first == "mvhd" || first == "cmov";
    }
    for (const char* known :
         {"moov", "trak", "mdia", "minf", "stbl", "edts", "mvex", "moof", "traf", "udta", "meta",
          "dinf", "sinf", "schi", "gmhd", "wave", "hoov"}) {
      if (type == known) return true;
    }
    return false;
  }

  absl::Status Walk(int64_t at, int64_t end, int depth) {
    Box box;
    while (at < end && NextBox(at, end, &box)) {
      if (++boxes_ > kMaxBoxes) return Refuse(absl::StrCat("more than ", kMaxBoxes, " boxes"));
      UNIVAL_RETURN_IF_ERROR(Visit(box, end, depth));
      at = box.end;
    }
    return absl::OkStatus();
  }

  absl::Status Visit(const Box& box, int64_t end, int depth) {
    if (box.type == "mdat") {
      media_end_ = std::max(media_end_, box.end);
      return absl::OkStatus();
    }
    if (depth == 0 && box.end > size_ && (box.type == "moov" || box.type == "moof")) {
      return Truncated(absl::StrCat("its box ", box.type));
    }
    if (box.type == "cmov") return Refuse("a compressed head, which is not read");
    if (box.type == "moof") has_fragments_ = true;
    if (box.type == "moov" || box.type == "moof" || box.type == "meta") has_head_ = true;
    if (box.type == "trak" || box.type == "traf") track_ = TrackCounts();
    const int64_t inside = std::min(box.end, end);
    if (IsFolder(box)) {
      if (depth >= kMaxDepth) return Refuse("boxes within boxes without end");
      // In MP4, not in QuickTime, four zeros stand before what "meta" holds.
      const bool full = box.type == "meta" && BigEndian(file_.reader.Text(box.begin, 4), 4) == 0;
      UNIVAL_RETURN_IF_ERROR(Walk(box.begin + (full ? 4 : 0), inside, depth + 1));
    } else {
      UNIVAL_RETURN_IF_ERROR(Count(box, inside));
    }
    return box.type == "trak" ? CloseTrack() : absl::OkStatus();
  }

  // `count` entries of `entry_bytes` must be in the box.
  absl::Status Backed(const Box& box, int64_t inside, int64_t head_bytes, uint64_t count,
                      int64_t entry_bytes) {
    const int64_t bytes = std::max<int64_t>(inside - box.begin - head_bytes, 0);
    if (count <= static_cast<uint64_t>(bytes / std::max<int64_t>(entry_bytes, 1))) {
      return absl::OkStatus();
    }
    return Refuse(
        absl::StrCat("a table ", box.type, " of ", count, " entries in ", bytes, " bytes"));
  }

  absl::Status Count(const Box& box, int64_t inside) {
    const std::string head =
        file_.reader.Text(box.begin, std::min<int64_t>(24, inside - box.begin));
    const bool is_long = BigEndian(head, 1) == 1;
    const uint64_t count = BigEndian(absl::ClippedSubstr(head, 4), 4);
    if (box.type == "stts" || box.type == "ctts") {
      if (box.type == "stts") {
        track_.time_entries = static_cast<int64_t>(count);
        track_.first_duration = static_cast<int64_t>(BigEndian(absl::ClippedSubstr(head, 12), 4));
      }
      return Backed(box, inside, 8, count, 8);
    }
    if (box.type == "stsc") return Backed(box, inside, 8, count, 12);
    if (box.type == "stss" || box.type == "stps") return Backed(box, inside, 8, count, 4);
    if (box.type == "elst") {
      track_.edits += static_cast<int64_t>(count);
      return Backed(box, inside, 8, count, is_long ? 20 : 12);
    }
    if (box.type == "stco" || box.type == "co64") return CountChunks(box, inside, count);
    if (box.type == "stsz" || box.type == "stz2") return CountSizes(box, inside, head);
    if (box.type == "trun") return CountRun(box, inside, head, count);
    if (box.type == "sidx" || box.type == "tfra" || box.type == "senc" || box.type == "saiz" ||
        box.type == "saio" || box.type == "sbgp" || box.type == "sgpd") {
      return inside - box.begin > int64_t{4} << 20 ? Refuse(absl::StrCat("a giant ", box.type))
                                                   : absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status CountChunks(const Box& box, int64_t inside, uint64_t count) {
    const int bytes = box.type == "co64" ? 8 : 4;
    UNIVAL_RETURN_IF_ERROR(Backed(box, inside, 8, count, bytes));
    chunks_ += static_cast<int64_t>(count);
    return chunks_ > MaxSamples() ? TooMany(chunks_) : absl::OkStatus();
  }

  absl::Status CountSizes(const Box& box, int64_t inside, const std::string& head) {
    const uint64_t count = BigEndian(absl::ClippedSubstr(head, 8), 4);
    track_.samples = static_cast<int64_t>(count);
    const bool packed = box.type == "stz2";
    const uint64_t size = packed ? 0 : BigEndian(absl::ClippedSubstr(head, 4), 4);
    if (packed)
      return Backed(box, inside, 12, count * BigEndian(absl::ClippedSubstr(head, 7), 1) / 8, 1);
    if (size == 0) return Backed(box, inside, 12, count, 4);
    if (count <= static_cast<uint64_t>(size_) / size) return absl::OkStatus();
    return Refuse(absl::StrCat(count, " samples of ", size, " bytes in a file of ", size_));
  }

  // Samples of a fragment may state nothing; even then each is of a byte at least.
  absl::Status CountRun(const Box& box, int64_t inside, const std::string& head, uint64_t count) {
    const uint64_t flags = BigEndian(absl::ClippedSubstr(head, 1), 3);
    int64_t entry = 0;
    for (const uint64_t bit : {0x100, 0x200, 0x400, 0x800}) entry += (flags & bit) != 0 ? 4 : 0;
    const int64_t before = 8 + ((flags & 1) != 0 ? 4 : 0) + ((flags & 4) != 0 ? 4 : 0);
    if (entry > 0) UNIVAL_RETURN_IF_ERROR(Backed(box, inside, before, count, entry));
    samples_ += static_cast<int64_t>(count);
    if (samples_ > std::min(size_, MaxSamples())) return TooMany(samples_);
    return absl::OkStatus();
  }

  int64_t MaxSamples() const {
    return kOtherSamples + std::min(file_.options.max_frames, kOtherSamples);
  }

  absl::Status TooMany(int64_t count) {
    return Refuse(absl::StrCat(count, " samples, more than ", std::min(size_, MaxSamples())));
  }

  // Sound without compression is read by the chunk: its samples do not count.
  absl::Status CloseTrack() {
    const bool by_chunk = track_.time_entries == 1 && track_.first_duration == 1;
    if (!by_chunk) samples_ += track_.samples;
    if (samples_ > MaxSamples()) return TooMany(samples_);
    if (track_.edits > 2 && track_.samples > kMaxEdited / track_.edits) {
      return Refuse(absl::StrCat("an edit list of ", track_.edits, " entries over ", track_.samples,
                                 " samples"));
    }
    return absl::OkStatus();
  }

  const ContainerFile& file_;
  const int64_t size_;
  int64_t boxes_ = 0, samples_ = 0, chunks_ = 0, media_end_ = 0;
  bool has_fragments_ = false, has_head_ = false;
  TrackCounts track_;
};

}  // namespace

absl::Status CheckMp4(const ContainerFile& file) { return Mp4Layout(file).Check(); }

}  // namespace unival
