#include "sdk/native/answer_set.h"

#include <algorithm>
#include <utility>

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

struct AnswerSet::Shared {
  std::vector<Tokens> answers;
  AnswerTrie trie;
};

AnswerSet::AnswerSet(std::vector<Tokens> answers, int64_t eos) {
  if (answers.empty()) return;
  AnswerTrie trie(answers, eos);
  shared_ = std::make_shared<const Shared>(Shared{std::move(answers), std::move(trie)});
}

AnswerSet::AnswerSet(std::initializer_list<Tokens> answers)
    : AnswerSet(std::vector<Tokens>(answers)) {}

const std::vector<AnswerSet::Tokens>& AnswerSet::answers() const {
  static const auto* const kNone = new std::vector<Tokens>();
  return shared_ == nullptr ? *kNone : shared_->answers;
}

std::shared_ptr<const AnswerTrie> AnswerSet::trie() const {
  if (shared_ == nullptr) return nullptr;
  return std::shared_ptr<const AnswerTrie>(shared_, &shared_->trie);
}

}  // namespace unival
