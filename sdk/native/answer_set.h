// unival: answer_set.h
//
// A closed set of answers: their tokens, and their prefix tree (trie), which search and loss use.
//
//   AnswerSet answers({{10}, {10, 11}});          // made once per task
//   Constraint constraint{answers, {}};          // copies share one set
//   int32_t node = answers.trie()->Next(AnswerTrie::kRoot, 10);
//   answers.trie()->Children(node);               // {2, 11} in order of insertion: </s> ends [10]
//
// Thread-safe: both classes are immutable after construction.
#ifndef UNIVAL_SDK_NATIVE_ANSWER_SET_H_
#define UNIVAL_SDK_NATIVE_ANSWER_SET_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace unival {

// Nodes are numbered in order of creation.
class AnswerTrie {
 public:
  static constexpr int32_t kRoot = 0;
  static constexpr int32_t kOutside = -1;  // after </s>, or no answer begins like this

  AnswerTrie(const std::vector<std::vector<int64_t>>& answers, int64_t eos);

  // The node reached from `node` by `token`; kOutside if there is none.
  int32_t Next(int32_t node, int64_t token) const;
  // The tokens that may follow `node`. For kOutside it is </s> alone.
  const std::vector<int64_t>& Children(int32_t node) const;
  int64_t longest_answer() const { return longest_answer_; }  // tokens, without </s>
  int64_t eos() const { return only_eos_.front(); }

 private:
  int32_t AddChild(int32_t node, int64_t token);

  std::vector<std::vector<int64_t>> children_;
  absl::flat_hash_map<std::pair<int32_t, int64_t>, int32_t> edges_;
  std::vector<int64_t> only_eos_;
  int64_t longest_answer_ = 0;
};

// Answers are global ids without </s>. Copies share one object, so even a set of thousands of
// answers costs an example only a pointer. The tree is built once, by the constructor.
class AnswerSet {
 public:
  using Tokens = std::vector<int64_t>;
  static constexpr int64_t kEndOfSentence = 2;  // VocabularyView::eos()

  AnswerSet() = default;  // no set: anything may be answered
  // An empty list means no set. `eos` ends each answer in the tree.
  AnswerSet(std::vector<Tokens> answers, int64_t eos = kEndOfSentence);
  AnswerSet(std::initializer_list<Tokens> answers);

  bool empty() const { return shared_ == nullptr; }
  size_t size() const { return answers().size(); }
  const Tokens& operator[](size_t index) const { return answers()[index]; }
  std::vector<Tokens>::const_iterator begin() const { return answers().begin(); }
  std::vector<Tokens>::const_iterator end() const { return answers().end(); }
  const std::vector<Tokens>& answers() const;
  // Null when there is no set. Lives as long as any copy of the pointer or of the set.
  std::shared_ptr<const AnswerTrie> trie() const;

 private:
  struct Shared;
  std::shared_ptr<const Shared> shared_;
};

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_ANSWER_SET_H_
