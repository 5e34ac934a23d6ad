#include "training/data/check/corpus.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Longer lines are left out by the trainer of sentencepiece.
constexpr size_t kMaxSentence = 4192;
constexpr size_t kLookedAt = size_t{64} << 20;
constexpr uint64_t kMaxCorpus = uint64_t{64} << 30;

bool IsLearnable(char c) { return c != '\0' && c != '\t' && c != '\r' && c != ' '; }

bool HasSentence(absl::string_view text) {
  while (!text.empty()) {
    const absl::string_view line = text.substr(0, text.find('\n'));
    if (line.size() <= kMaxSentence && std::any_of(line.begin(), line.end(), IsLearnable)) {
      return true;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return false;
}

}  // namespace

absl::Status CheckCorpus(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const auto corpus, MappedFile::Open(path));
  const absl::string_view text = corpus->bytes();
  if (text.size() > kMaxCorpus) {
    return absl::ResourceExhaustedError(absl::StrCat(path, ": has ", text.size(),
                                                     " bytes; a corpus may have ", kMaxCorpus,
                                                     " at most: train on a part of it"));
  }
  const bool usable = HasSentence(text.substr(0, kLookedAt));
  UNIVAL_RETURN_IF_ERROR(corpus->Check());
  if (usable) return absl::OkStatus();
  return InvalidArgument(path, ": expected sentences, one a line of at most ", kMaxSentence,
                         " bytes, got none in its first ", std::min(text.size(), kLookedAt),
                         " bytes; the corpus is empty, or no text");
}

}  // namespace unival
