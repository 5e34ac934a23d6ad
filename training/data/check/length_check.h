// unival: length_check.h
//
// Prompts and targets of records as pieces of a model's vocabulary, against all that bounds them:
// the model's positions, the template's own bounds, what generation may write, and the pieces there
// are.
//
//   LengthCheck lengths(reading, vocabulary, model.manifest().backbone());
//   lengths.Check(sample, &problems);
//
// For one thread.
#ifndef UNIVAL_TRAINING_DATA_CHECK_LENGTH_CHECK_H_
#define UNIVAL_TRAINING_DATA_CHECK_LENGTH_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/model.pb.h"
#include "tasks/slots/label_index.h"
#include "tasks/templates/record_fault.h"
#include "training/data/check/problem.h"

namespace unival {

// Summary of a list of counts: how many there are, their least, their most and their sum.
struct Spread {
  int64_t count = 0, least = 0, most = 0, sum = 0;
  void Add(int64_t value);
  double mean() const { return count == 0 ? 0 : static_cast<double>(sum) / count; }
};

class LengthCheck {
 public:
  // `reading` and `vocabulary` must outlive this.
  LengthCheck(const TemplateReading& reading, const VocabularyView& vocabulary,
              const BackboneConfig& backbone);

  // Checks literal texts, closed sets and settings, which are the same for all records. It finds
  // pieces that the model lacks, labels that become the same pieces, labels that are longer than an
  // answer may be, and least lengths that no answer of the model can have.
  void CheckTemplate(ProblemList* problems);
  // Checks every wording and every alternative of one record. It passes over what cannot be
  // rendered, which is a fault of the record (record_fault.h).
  void Check(const TaskSample& sample, ProblemList* problems);

  // These count the tokens before anything is cut. Each record counts once, with its first wording
  // and alternative.
  const Spread& prompt_tokens() const { return prompt_tokens_; }
  const Spread& target_tokens() const { return target_tokens_; }

 private:
  using Remedy = std::function<std::string(int64_t most)>;

  Problem At(const std::string& kind, const std::string& field, const std::string& slot) const;
  void CheckLiterals(const std::string& field, const Pattern& pattern, ProblemList* problems);
  void CheckLabels(const PatternPiece& slot, ProblemList* problems);
  void CheckLeastLength(ProblemList* problems) const;
  std::vector<int64_t> LabelTokens(const PatternPiece& slot, const std::string& label,
                                   const LabelIndex& labels, ProblemList* problems) const;
  void AddLabel(const std::string& kind, const PatternPiece& slot, const std::string& label,
                const std::string& what, const std::string& remedy, ProblemList* problems) const;
  void CheckPieces(const std::string& field, const Pattern& pattern, const TaskSample& sample,
                   ProblemList* problems);
  void CheckWords(const TaskSample& sample, ProblemList* problems);
  void CheckPrompt(const TaskSample& sample, size_t wording, ProblemList* problems);
  void CheckTarget(const TaskSample& sample, ProblemList* problems);
  void Bound(Problem problem, int64_t tokens, int64_t bound, const std::string& what,
             const TaskSample& sample, const Remedy& remedy, ProblemList* problems);
  // The words of a text that have <unk> among their pieces.
  std::vector<std::string> UnknownWords(const std::string& text) const;
  // Appends the UnknownWords of `text` that `unknown` does not hold yet.
  void AddUnknownWords(const std::string& text, std::vector<std::string>* unknown) const;
  Spread TokenCounts(const Pattern& pattern, const TaskSample& sample) const;

  const TemplateReading& reading_;
  const VocabularyView& vocabulary_;
  const int64_t max_positions_, code_cells_;
  TaskTemplate unbounded_;  // the template without what cuts
  int64_t answer_bound_ = 0;
  bool writes_image_codes_ = false;
  int64_t prompt_of_record_ = 0;
  std::map<std::string, int64_t> longest_;  // problem -> tokens that would be enough
  Spread prompt_tokens_, target_tokens_;
};

// "prompt", or "paraphrase:1" for wording 2.
std::string FieldOfWording(size_t wording);
// "\"a\", \"b\" and 3 more".
std::string QuotedWords(const std::vector<std::string>& words);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_LENGTH_CHECK_H_
