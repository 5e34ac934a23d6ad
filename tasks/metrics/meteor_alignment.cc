#include "tasks/metrics/meteor_alignment.h"

#include <libstemmer.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
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
  std::vector<std::string> candidate_stems, reference_stems;
  if (!equal) candidate_stems = Stems(candidate), reference_stems = Stems(reference);
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

// A partial alignment: the matches of the reference's words up to the present one.
struct AlignmentPath {
  std::vector<MeteorMatch> matches;
  std::vector<bool> used;  // words of the candidate
  int exact = 0, chunks = 0, distance = 0;
  int last_end = -1;  // index after the candidate's last matched word; -1: no chunk is open

  void EndChunk() {
    if (last_end >= 0) ++chunks;
    last_end = -1;
  }
};

bool IsBetter(const AlignmentPath& a, const AlignmentPath& b) {
  return std::make_tuple(-a.exact, a.chunks, a.distance) <
         std::make_tuple(-b.exact, b.chunks, b.distance);
}

// The matches that need no search, because each is the only possible one of both its words.
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

// A path extended by the next word of the reference. It is only described here, because few of many
// steps are kept and paths are costly to copy.
struct Step {
  size_t path = 0;
  MeteorMatch match;  // candidate -1: none
  int exact = 0, chunks = 0, distance = 0;
};

// Adds the ways on from path `index` over word `j` of the reference.
void AddSteps(const AlignmentPath& path, size_t index, size_t j,
              const std::vector<MeteorMatch>& choices, std::vector<Step>* steps) {
  const int place = static_cast<int>(j);
  const auto add = [&](const MeteorMatch& match, int distance) {
    const bool breaks = path.last_end >= 0 && match.candidate != path.last_end;
    const bool is_exact = match.candidate >= 0 && !match.by_stem;
    steps->push_back(
        {index, match, path.exact + (is_exact ? 1 : 0), path.chunks + (breaks ? 1 : 0), distance});
  };
  const MeteorMatch& certain = path.matches[j];
  if (certain.candidate >= 0) {
    return add(certain, path.distance + std::abs(place - certain.candidate));
  }
  // As in the original, the distance of a match that is left out is added to the paths that go on
  // without it, because that decides between alignments that are otherwise equal.
  int distance = path.distance;
  for (const MeteorMatch& match : choices) {
    if (path.used[static_cast<size_t>(match.candidate)]) continue;
    add(match, distance);
    distance += std::abs(place - match.candidate);
  }
  add(MeteorMatch(), distance);
}

// The best of the steps, in their order where they are equal.
void KeepBest(std::vector<Step>* steps) {
  std::vector<size_t> order(steps->size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto key = [steps](size_t i) {
    const Step& step = (*steps)[i];
    return std::make_tuple(-step.exact, step.chunks, step.distance, i);
  };
  const size_t kept = std::min(kMeteorBeam, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<Step> best;
  for (size_t i = 0; i < kept; ++i) best.push_back((*steps)[order[i]]);
  *steps = std::move(best);
}

AlignmentPath Take(AlignmentPath path, const Step& step, size_t j) {
  path.exact = step.exact;
  path.chunks = step.chunks;
  path.distance = step.distance;
  path.last_end = step.match.candidate < 0 ? -1 : step.match.candidate + 1;
  path.matches[j] = step.match;
  if (step.match.candidate >= 0) path.used[static_cast<size_t>(step.match.candidate)] = true;
  return path;
}

}  // namespace

std::vector<MeteorMatch> AlignWords(const std::vector<std::string>& candidate,
                                    const std::vector<std::string>& reference) {
  const Choices choices = AllMatches(candidate, reference);
  std::vector<AlignmentPath> paths = {CertainMatches(choices, candidate.size())};
  for (size_t j = 0; j < choices.size(); ++j) {
    std::vector<Step> steps;
    for (size_t i = 0; i < paths.size(); ++i) AddSteps(paths[i], i, j, choices[j], &steps);
    KeepBest(&steps);
    std::vector<int> uses(paths.size(), 0);
    for (const Step& step : steps) ++uses[step.path];
    std::vector<AlignmentPath> next;
    next.reserve(steps.size());
    for (const Step& step : steps) {
      // Most words have one way on, for which the path itself will do.
      AlignmentPath path;
      if (--uses[step.path] == 0) {
        path = std::move(paths[step.path]);
      } else {
        path = paths[step.path];
      }
      next.push_back(Take(std::move(path), step, j));
    }
    paths = std::move(next);
  }
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
