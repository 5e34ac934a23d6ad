// unival: meteor_alignment.h - which words of two texts METEOR takes for the same.
#ifndef UNIVAL_TASKS_METRICS_METEOR_ALIGNMENT_H_
#define UNIVAL_TASKS_METRICS_METEOR_ALIGNMENT_H_

#include <string>
#include <vector>

namespace unival {

// Stems of lower-case UTF-8 words, by Snowball's English stemmer ("Porter 2").
std::vector<std::string> Stems(const std::vector<std::string>& words);

struct MeteorMatch {
  int candidate = -1;    // index of the candidate's word, -1: the reference's word has no match
  bool by_stem = false;  // the words differ and their stems are equal
};

// The match of every word of the reference, one to one. The search is METEOR 1.5's: from left to
// right with 40 paths, most exact matches first, then fewest chunks, then the least distance.
std::vector<MeteorMatch> AlignWords(const std::vector<std::string>& candidate,
                                    const std::vector<std::string>& reference);

// Runs of matches that are neighbours in both texts.
int CountChunks(const std::vector<MeteorMatch>& matches);

}  // namespace unival

#endif  // UNIVAL_TASKS_METRICS_METEOR_ALIGNMENT_H_
