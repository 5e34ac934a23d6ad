// What a template says of training: damage to texts, weights and masks of the loss, negatives.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/denoising.h"
#include "tasks/templates/template_check.h"
#include "tasks/templates/template_columns.h"

namespace unival {
namespace {

class TrainingChecker : private PatternFaultGatherer {
 public:
  using PatternFaultGatherer::PatternFaultGatherer;

  std::vector<TemplateFault> Check() {
    CheckDamage();
    CheckLoss();
    CheckNegatives();
    return std::move(faults_);
  }

 private:
  void CheckDamage() {
    const float mean = proto_.mask_span_mean();
    if (!(mean >= 0 && mean <= kMaxSpanMean)) {
      Add("mask_span_mean", "expected 0 to ", kMaxSpanMean, ", got ", mean, "; BART has 3");
    } else if (mean > 0 && proto_.mask_ratio() == 0) {
      Add("mask_span_mean", "needs mask_ratio, the share of words that spans cover; BART has 0.3");
    } else if (mean > 0 && mean < kMinSpanMean && !task_.is_stored) {
      Add("mask_span_mean", "expected 0, or ", kMinSpanMean, " to ", kMaxSpanMean, ", got ", mean,
          "; BART has 3");
    }
    if (proto_.shuffle_sentences() && is_whole_ && !HasMaskable()) {
      Add("shuffle_sentences", "needs a text slot in the prompt to move sentences of");
    }
  }

  bool IsInput(const std::string& column) const {
    return std::any_of(proto_.input().begin(), proto_.input().end(),
                       [&](const TaskInput& input) { return input.name() == column; });
  }

  void CheckLoss() {
    if (IsInput(proto_.loss_weight())) {
      AddSlot("loss_weight", proto_.loss_weight(), "expected a column of numbers, got the media \"",
              proto_.loss_weight(), "\"; name the column that holds the weight");
    }
    if (proto_.mask_loss() && is_whole_ && !HasClosedSet(proto_, target_)) {
      Add("mask_loss",
          "needs a closed set of answers; make the target a {column:label} slot with labels");
    }
  }

  static bool HasColumn(const Pattern& pattern, const std::string& column) {
    const std::vector<std::string> columns = PatternColumns(pattern);
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  }

  void CheckShare(absl::string_view name, float share) {
    if (share >= 0 && share <= 1) return;
    Add("negatives", name, ": expected a share from 0 to 1, got ", share);
    faults_.back().kind = FaultKind::kOutOfRange;
  }

  // A check for each field of the message, in one piece.
  void CheckNegatives() {
    if (!proto_.has_negatives()) return;
    const Negatives& negatives = proto_.negatives();
    if (is_whole_ && !HasColumn(prompt_, negatives.column())) {
      AddSlot("negatives", negatives.column(), "column: no slot of column \"", negatives.column(),
              "\" in the prompt; name the text that is made wrong");
    }
    if (is_whole_ && !HasColumn(target_, negatives.answer())) {
      AddSlot("negatives", negatives.answer(), "answer: no slot of column \"", negatives.answer(),
              "\" in the target; name the column that says whether the text is right");
    }
    const std::string yes = YesOf(negatives), no = NoOf(negatives);
    if (yes == no) Add("negatives", "yes and no are both \"", yes, "\"; they must differ");
    const auto& labels = proto_.labels();
    for (const std::string& answer : {yes, no}) {
      const auto& values = labels.values();
      if (labels.slot() != negatives.answer() || values.empty()) break;
      if (std::find(values.begin(), values.end(), answer) != values.end()) continue;
      Add("negatives", "\"", answer,
          "\" is none of the labels; add it to labels, or name one of "
          "them in yes and no");
    }
    if (negatives.has_share()) CheckShare("share", negatives.share());
    if (negatives.has_swap_share()) CheckShare("swap_share", negatives.swap_share());
    const bool swaps = negatives.has_swap_share() || !negatives.words_of_record().empty();
    if (swaps && negatives.word().size() < 2) {
      Add("negatives", "word: expected at least two object words to swap, got ",
          negatives.word().size(), "; give word or word_file");
    }
    if (!negatives.counting().empty() && negatives.same().empty()) {
      Add("negatives", "counting: needs same, the column that holds \"", negatives.counting(),
          "\"");
    }
  }

  bool HasMaskable() const {
    return std::any_of(prompt_.begin(), prompt_.end(), [](const PatternPiece& piece) {
      return piece.type != nullptr && piece.type->maskable();
    });
  }
};

}  // namespace

std::vector<TemplateFault> CheckTrainingFields(const LoadedTemplate& task, const Pattern& prompt,
                                               const Pattern& target, bool is_whole) {
  return TrainingChecker(task, prompt, target, is_whole).Check();
}

}  // namespace unival
