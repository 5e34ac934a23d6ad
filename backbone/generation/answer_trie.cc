#include "backbone/generation/answer_trie.h"

#include <algorithm>

namespace unival {

AnswerTrie::AnswerTrie(const std::vector<std::vector<int64_t>>& answers, int64_t eos)
    : children_(1), only_eos_{eos} {
  for (const std::vector<int64_t>& answer : answers) {
    int32_t node = kRoot;
    for (int64_t token : answer) node = AddChild(node, token);
    AddChild(node, eos);
    longest_answer_ = std::max<int64_t>(longest_answer_, answer.size());
  }
}

int32_t AnswerTrie::AddChild(int32_t node, int64_t token) {
  const auto [edge, is_new] = edges_.try_emplace({node, token}, children_.size());
  if (is_new) {
    children_[node].push_back(token);
    children_.emplace_back();
  }
  return edge->second;
}

int32_t AnswerTrie::Next(int32_t node, int64_t token) const {
  const auto edge = edges_.find({node, token});
  return edge == edges_.end() ? kOutside : edge->second;
}

const std::vector<int64_t>& AnswerTrie::Children(int32_t node) const {
  if (node == kOutside || children_[node].empty()) return only_eos_;
  return children_[node];
}

}  // namespace unival
