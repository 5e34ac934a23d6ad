#include "training/data/files/kept_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "sdk/base/files.h"
#include "sdk/base/path_below.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/content_hash.h"

namespace unival {
namespace {

constexpr absl::string_view kIndexMagic = "unival-index/1 ";
constexpr size_t kHashDigits = 32;
constexpr char kIndexEnding[] = ".index";

bool IsHash(absl::string_view text, bool may_be_empty) {
  return text.size() == kHashDigits || (text.empty() && may_be_empty);
}

absl::Status CheckLines(const LineIndex& lines, uint64_t content) {
  uint64_t start = 0;
  for (int i = 0; i < lines.steps_size(); ++i) {
    const uint64_t step = lines.steps(i);
    if ((step == 0 && i > 0) || step >= content - start) {
      return InvalidArgument("record ", i, " is outside the content");
    }
    start += step;
  }
  int64_t record = -1;
  uint64_t before = 0;
  for (const SkippedLines& skipped : lines.skipped()) {
    if (skipped.record() >= static_cast<uint64_t>(lines.steps_size()) ||
        static_cast<int64_t>(skipped.record()) <= record || skipped.lines() <= before ||
        skipped.lines() > content) {
      return InvalidArgument("lines that are no records are not in order");
    }
    record = static_cast<int64_t>(skipped.record());
    before = skipped.lines();
  }
  return lines.steps_size() > 0 ? absl::OkStatus() : InvalidArgument("no records");
}

absl::Status CheckMembers(const MemberIndex& members, uint64_t content) {
  for (const IndexedMember& member : members.members()) {
    UNIVAL_RETURN_IF_ERROR(CheckRelativePath(member.name()));
    if (member.offset() > content || member.size() > content - member.offset()) {
      return InvalidArgument("member \"", member.name(), "\" is outside the content");
    }
  }
  return absl::OkStatus();
}

// The checksum does not make this needless: it detects accidents, not what was forged.
absl::Status CheckIndex(const SourceIndex& index) {
  if (index.size() < 0 || index.content_size() <= 0 || !IsHash(index.sample(), false) ||
      !IsHash(index.content(), true) || !IsHash(index.sampled_content(), true)) {
    return InvalidArgument("sizes and hashes are none");
  }
  const auto content = static_cast<uint64_t>(index.content_size());
  if (index.has_lines()) return CheckLines(index.lines(), content);
  if (index.has_members()) return CheckMembers(index.members(), content);
  return InvalidArgument("neither lines nor members");
}

constexpr int64_t kNanoseconds = 1000000000;

int64_t Nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * kNanoseconds + time.tv_nsec;
}

// Whether a file that was last changed at `changed` may have been read at `read` before a change
// that left the same time: file systems store these times in steps, of up to two seconds where they
// store whole seconds.
bool IsWithinStep(int64_t changed, int64_t read) {
  const bool is_coarse = changed % kNanoseconds == 0;
  const int64_t step = is_coarse ? 2 * kNanoseconds : kNanoseconds / 50;
  return changed > read - step;
}

// Hash of a file's size and of pieces at even distances from its beginning to its end. Empty where
// they cannot be read.
std::string SampleOf(const std::string& path, int64_t size) {
  constexpr int64_t kPieces = 16, kPiece = 4096;
  const auto file = OpenRegularFile(path);
  if (!file.ok()) return "";
  ContentHash hash;
  hash.Add(absl::StrCat(size));
  std::string bytes(static_cast<size_t>(std::min(size, kPiece)), '\0');
  for (int64_t i = 0; i < kPieces; ++i) {
    const auto length = static_cast<int64_t>(bytes.size());
    const int64_t at = (size - length) / (kPieces - 1) * i;
    const int64_t from = i + 1 == kPieces ? size - length : at;
    if (!ReadBytesAt(file->get(), from, &bytes[0], length, path).ok()) return "";
    hash.Add(bytes);
  }
  return hash.Hex();
}

// Where the index of `path` lies among those of other files.
std::string InFolder(const std::string& folder, const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> full(realpath(path.c_str(), nullptr), &std::free);
  return absl::StrCat(folder, "/", HashOfBytes(full == nullptr ? path : full.get()), kIndexEnding);
}

// Hidden, so that no pattern of data files and no folder of media takes it for one of them.
std::string Beside(const std::string& path) {
  const size_t name = path.rfind('/') + 1;
  return absl::StrCat(path.substr(0, name), ".", path.substr(name), kIndexEnding);
}

}  // namespace

std::string SourceIndexBytes(const SourceIndex& index) {
  const std::string message = index.SerializeAsString();
  return absl::StrCat(kIndexMagic, HashOfBytes(message), "\n", message);
}

absl::StatusOr<SourceIndex> ParseSourceIndex(absl::string_view bytes) {
  if (!absl::ConsumePrefix(&bytes, kIndexMagic) || bytes.size() <= kHashDigits) {
    return InvalidArgument("not an index of this version");
  }
  const absl::string_view message = bytes.substr(kHashDigits + 1);
  if (bytes.substr(0, kHashDigits) != HashOfBytes(message)) return InvalidArgument("damaged index");
  SourceIndex index;
  if (message.size() > kMaxWholeFile ||
      !index.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return InvalidArgument("damaged index");
  }
  UNIVAL_RETURN_IF_ERROR(CheckIndex(index));
  return index;
}

KeptIndex::KeptIndex(std::string path, const IndexOptions& options)
    : path_(std::move(path)), options_(options), made_(absl::GetCurrentTimeNanos()) {
  if (options_.enabled && path_ != "-") state_ = StateOf(path_);
  if (state_ && state_->size < std::max<int64_t>(options_.smallest, 1)) state_.reset();
}

absl::optional<KeptIndex::State> KeptIndex::StateOf(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return absl::nullopt;
  return State{about.st_size, Nanoseconds(about.st_mtim), Nanoseconds(about.st_ctim)};
}

std::vector<KeptIndex::Place> KeptIndex::Places() const {
  if (!options_.folder.empty()) return {{InFolder(options_.folder, path_), options_.folder}};
  std::vector<Place> places = {{Beside(path_), ""}};
  if (!options_.fallback.empty()) {
    places.push_back({InFolder(options_.fallback, path_), options_.fallback});
  }
  return places;
}

bool KeptIndex::IsOf(const SourceIndex& index) const {
  const State then = {index.size(), index.modified(), index.changed()};
  return then == *state_ && !IsWithinStep(then.changed, index.read()) &&
         index.sample() == SampleOf(path_, state_->size);
}

absl::optional<SourceIndex> KeptIndex::Load() const {
  if (!IsOn() || !options_.is_read) return absl::nullopt;
  for (const Place& place : Places()) {
    const absl::StatusOr<std::string> bytes = ReadWholeFile(place.file);
    if (!bytes.ok()) continue;
    absl::StatusOr<SourceIndex> index = ParseSourceIndex(*bytes);
    if (index.ok() && IsOf(*index)) return *std::move(index);
  }
  return absl::nullopt;
}

void KeptIndex::Keep(SourceIndex index) const {
  if (!IsOn()) return;
  index.set_size(state_->size);
  index.set_modified(state_->modified);
  index.set_changed(state_->changed);
  index.set_read(made_);
  index.set_sample(SampleOf(path_, state_->size));
  // An index that Load would refuse is not written: one that is too large to be parsed, or of a
  // file that is being changed.
  constexpr size_t kMost = static_cast<size_t>(kMaxWholeFile) - 1024;
  if (index.ByteSizeLong() > kMost || !CheckIndex(index).ok() || !IsUnchanged()) return;
  const std::string bytes = SourceIndexBytes(index);
  for (const Place& place : Places()) {
    if (!place.folder.empty() && !MakeFolders(place.folder).ok()) continue;
    if (WriteFileAtomically(place.file, {bytes}).ok()) return;
  }
}

bool KeptIndex::IsUnchanged() const { return !IsOn() || StateOf(path_) == state_; }

}  // namespace unival
