// unival: answer_trie.h - a closed set of answers as a prefix tree over tokens.
//
//   AnswerTrie trie({{10}, {10, 11}}, /*eos=*/2);
//   int32_t node = trie.Next(AnswerTrie::kRoot, 10);
//   trie.Children(node);   // {2, 11} in order of insertion: </s> ends the answer [10]
#ifndef UNIVAL_BACKBONE_GENERATION_ANSWER_TRIE_H_
#define UNIVAL_BACKBONE_GENERATION_ANSWER_TRIE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace unival {

// Thread-safe: immutable after construction. Nodes are numbered in order of creation.
class AnswerTrie {
 public:
  static constexpr int32_t kRoot = 0;
  static constexpr int32_t kOutside = -1;  // behind </s>, or no answer starts like this

  AnswerTrie(const std::vector<std::vector<int64_t>>& answers, int64_t eos);

  // The node reached from `node` by `token`; kOutside if there is none.
  int32_t Next(int32_t node, int64_t token) const;
  // Tokens that may follow. Outside the tree it is </s> alone.
  const std::vector<int64_t>& Children(int32_t node) const;
  int64_t longest_answer() const { return longest_answer_; }  // tokens, without </s>

 private:
  int32_t AddChild(int32_t node, int64_t token);

  std::vector<std::vector<int64_t>> children_;
  absl::flat_hash_map<std::pair<int32_t, int64_t>, int32_t> edges_;
  std::vector<int64_t> only_eos_;
  int64_t longest_answer_ = 0;
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_GENERATION_ANSWER_TRIE_H_
