#include "backbone/storage/known_hashes.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/file_state.h"
#include "sdk/base/files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// The file: this and the hash of all that follows, then a line for each entry, "SHA256 STATE" or
// "SHA256 finite STATE", oldest first.
constexpr char kFirstWords[] = "unival hashes 1 ";
constexpr int64_t kMostBytes = 1 << 20;
constexpr size_t kHexDigits = 64;
constexpr char kHash[] = "", kFinite[] = "finite ";
// Hashing less takes no longer than looking it up.
constexpr uintmax_t kSmallestFile = 1 << 20;

std::vector<std::string> ReadLines(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadWholeFile(file, kMostBytes);
  if (!text.ok()) return {};
  absl::string_view rest = *text;
  if (!absl::ConsumePrefix(&rest, kFirstWords)) return {};
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(rest, absl::MaxSplits('\n', 1));
  if (parts.first != Sha256Hex(parts.second)) return {};
  return absl::StrSplit(parts.second, '\n', absl::SkipEmpty());
}

}  // namespace

KnownHashes::KnownHashes(std::string file, bool hash_all)
    : file_(std::move(file)), hash_all_(hash_all) {
  for (const std::string& line : ReadLines(file_)) {
    if (line.size() > kHexDigits) {
      hashes_[line.substr(kHexDigits + 1)] = line.substr(0, kHexDigits);
    }
  }
}

bool KnownHashes::Has(const std::string& path, const std::string& sha256) const {
  return IsKnown(kHash, path, sha256);
}

void KnownHashes::Add(const std::string& path, const std::string& state,
                      const std::string& sha256) {
  Remember(kHash, path, state, sha256);
}

bool KnownHashes::HasFinite(const std::string& path, const std::string& sha256) const {
  return IsKnown(kFinite, path, sha256);
}

void KnownHashes::AddFinite(const std::string& path, const std::string& state,
                            const std::string& sha256) {
  Remember(kFinite, path, state, sha256);
}

bool KnownHashes::IsKnown(const std::string& what, const std::string& path,
                          const std::string& sha256) const {
  const std::string state = FileState(path);
  if (hash_all_ || state.empty()) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = hashes_.find(what + state);
  return found != hashes_.end() && found->second == sha256;
}

void KnownHashes::Remember(const std::string& what, const std::string& path,
                           const std::string& state, const std::string& sha256) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size < kSmallestFile || state.empty()) return;
  if (ChangedJustNow(path) || FileState(path) != state) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string& known = hashes_[what + state];
  if (known == sha256) return;
  known = sha256;
  added_.push_back(absl::StrCat(sha256, " ", what, state));
}

absl::Status KnownHashes::Save() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (added_.empty()) return absl::OkStatus();
  std::vector<std::string> lines = ReadLines(file_);
  lines.insert(lines.end(), added_.begin(), added_.end());
  if (lines.size() > kMostEntries) lines.erase(lines.begin(), lines.end() - kMostEntries);
  const std::string text = absl::StrCat(absl::StrJoin(lines, "\n"), "\n");
  UNIVAL_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(file_).parent_path().string()));
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(file_, {kFirstWords, Sha256Hex(text), "\n", text}));
  added_.clear();
  return absl::OkStatus();
}

}  // namespace unival
