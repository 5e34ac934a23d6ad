#include "tasks/metrics/meteor_alignment.h"

#include <libstemmer.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <tuple>
#include <utility>

namespace unival {
namespace {

constexpr size_t kMeteorBeam = 40;

class EnglishStemmer {
 public:
  EnglishStemmer() : stemmer_(sb_stemmer_new("english", "UTF_8")) {}
  ~EnglishStemmer() { sb_stemmer_delete(stemmer_); }
  EnglishStemmer(const EnglishStemmer&) = delete;
  EnglishStemmer& operator=(const EnglishStemmer&) = delete;

  std::string Stem(const std::string& word) {
    if (stemmer_ == nullptr) return word;
    const sb_symbol* stem = sb_stemmer_stem(
        stemmer_, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
    if (stem == nullptr) return word;
    return std::string(reinterpret_cast<const char*>(stem),
                       static_cast<size_t>(sb_stemmer_length(stemmer_)));
  }

 private:
  sb_stemmer* stemmer_;
};

}  // namespace

std::vector<std::string> Stems(const std::vector<std::string>& words) {
  static thread_local EnglishStemmer stemmer;
  std::vector<std::string> stems;
  for (const std::string& word : words) stems.push_back(stemmer.Stem(word));
  return stems;
}

namespace {

// Every match that there could be, by word of the reference; exact ones first.
using Choices = std::vector<std::vector<MeteorMatch>>;

Choices AllMatches(const std::vector<std::string>& candidate,
                   const std::vector<std::string>& reference) {
  Choices choices(reference.size());
  const bool equal = candidate == reference;  // then no stems are looked at
  const auto candidate_stems = Stems(candidate), reference_stems = Stems(reference);
  for (size_t j = 0; j < reference.size(); ++j) {
    for (size_t i = 0; i < candidate.size(); ++i) {
      if (candidate[i] == reference[j]) choices[j].push_back({static_cast<int>(i), false});
    }
    for (size_t i = 0; i < candidate.size() && !equal; ++i) {
      if (candidate[i] != reference[j] && candidate_stems[i] == reference_stems[j])
        choices[j].push_back({static_cast<int>(i), true});
    }
  }
  return choices;
}

// A path of the search: what the words of the reference up to here are matched with.
struct AlignmentPath {
  std::vector<MeteorMatch> matches;
  std::vector<bool> used;  // words of the candidate
  int exact = 0, chunks = 0, distance = 0;
  int last_end = -1;  // behind the candidate's word of the last match; -1: no chunk is open

  void EndChunk() {
    if (last_end >= 0) ++chunks;
    last_end = -1;
  }
  void Take(const MeteorMatch& match) {
    exact += match.by_stem ? 0 : 1;
    if (last_end >= 0 && match.candidate != last_end) ++chunks;
    last_end = match.candidate + 1;
  }
};

bool IsBetter(const AlignmentPath& a, const AlignmentPath& b) {
  return std::make_tuple(-a.exact, a.chunks, a.distance) <
         std::make_tuple(-b.exact, b.chunks, b.distance);
}

// Matches that are the only ones of both their words are certain.
AlignmentPath CertainMatches(const Choices& choices, size_t candidate_words) {
  std::vector<int> ways(candidate_words, 0);
  for (const auto& matches : choices) {
    for (const MeteorMatch& match : matches) ++ways[static_cast<size_t>(match.candidate)];
  }
  AlignmentPath path{std::vector<MeteorMatch>(choices.size()),
                     std::vector<bool>(candidate_words, false)};
  for (size_t j = 0; j < choices.size(); ++j) {
    if (choices[j].size() != 1) continue;
    const auto word = static_cast<size_t>(choices[j][0].candidate);
    if (ways[word] != 1) continue;
    path.matches[j] = choices[j][0];
    path.used[word] = true;
  }
  return path;
}

// Adds to `next` the ways on from `path` over word `j` of the reference.
void Extend(AlignmentPath path, size_t j, const std::vector<MeteorMatch>& choices,
            std::vector<AlignmentPath>* next) {
  const int place = static_cast<int>(j);
  if (path.matches[j].candidate >= 0) {
    path.Take(path.matches[j]);
    path.distance += std::abs(place - path.matches[j].candidate);
    next->push_back(std::move(path));
    return;
  }
  for (const MeteorMatch& match : choices) {
    if (path.used[static_cast<size_t>(match.candidate)]) continue;
    AlignmentPath longer = path;
    longer.used[static_cast<size_t>(match.candidate)] = true;
    longer.matches[j] = match;
    longer.Take(match);
    // The original books the distance on the path that goes on without the match; so it is here,
    // since it decides between equal alignments.
    path.distance += std::abs(place - match.candidate);
    next->push_back(std::move(longer));
  }
  path.EndChunk();
  next->push_back(std::move(path));
}

}  // namespace

std::vector<MeteorMatch> AlignWords(const std::vector<std::string>& candidate,
                                    const std::vector<std::string>& reference) {
  const Choices choices = AllMatches(candidate, reference);
  std::vector<AlignmentPath> paths = {CertainMatches(choices, candidate.size())};
  for (size_t j = 0; j < choices.size(); ++j) {
    std::stable_sort(paths.begin(), paths.end(), IsBetter);
    if (paths.size() > kMeteorBeam) paths.resize(kMeteorBeam);
    std::vector<AlignmentPath> next;
    for (AlignmentPath& path : paths) Extend(std::move(path), j, choices[j], &next);
    paths = std::move(next);
  }
  std::stable_sort(paths.begin(), paths.end(), IsBetter);
  if (paths.size() > kMeteorBeam) paths.resize(kMeteorBeam);
  for (AlignmentPath& path : paths) path.EndChunk();
  std::stable_sort(paths.begin(), paths.end(), IsBetter);
  return paths[0].matches;
}

int CountChunks(const std::vector<MeteorMatch>& matches) {
  int chunks = 0, next = -1;
  for (const MeteorMatch& match : matches) {
    if (match.candidate >= 0 && match.candidate != next) ++chunks;
    next = match.candidate >= 0 ? match.candidate + 1 : -1;
  }
  return chunks;
}

}  // namespace unival
