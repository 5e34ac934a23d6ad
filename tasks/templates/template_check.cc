#include "tasks/templates/template_check.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "sdk/base/names.h"
#include "sdk/base/status.h"
#include "sdk/native/generation_check.h"
#include "tasks/slots/pattern.h"
#include "tasks/templates/denoising.h"
#include "tasks/templates/template_columns.h"

namespace unival {
namespace {

// One template's checks; `Add` puts file, line, task and field before the message.
class Checker {
 public:
  Checker(const LoadedTemplate& task, const TemplateTypes& types)
      : task_(task), types_(types), proto_(task.proto) {}

  std::vector<TemplateFault> Check() {
    CheckSizes();
    // Later checks may take more than linear time.
    if (!faults_.empty()) return std::move(faults_);
    CheckNames();
    CheckInputs();
    CheckPatterns();
    CheckSlotTypes();
    CheckCleaning();
    CheckBounds();
    CheckDamage();
    CheckLoss();
    CheckNegatives();
    CheckMetrics();
    return std::move(faults_);
  }

 private:
  template <typename... Parts>
  void Add(absl::string_view field, const Parts&... parts) {
    AddSlot(field, "", parts...);
  }
  template <typename... Parts>
  void AddSlot(absl::string_view field, absl::string_view slot, const Parts&... parts) {
    faults_.push_back(FaultAt(task_, field, slot, InvalidArgument(parts...)));
  }

  void CheckSizes() {
    std::vector<std::pair<std::string, const std::string*>> texts = {
        {"name", &proto_.name()}, {"prompt", &proto_.prompt()}, {"target", &proto_.target()}};
    for (int i = 0; i < proto_.paraphrase_size(); ++i) {
      texts.emplace_back(absl::StrCat("paraphrase:", i), &proto_.paraphrase(i));
    }
    for (const std::string& label : proto_.labels().values()) texts.emplace_back("labels", &label);
    for (const std::string& word : proto_.negatives().word())
      texts.emplace_back("negatives", &word);
    for (const auto& [field, text] : texts) {
      if (text->size() <= kMaxTemplateText) continue;
      Add(field, "expected at most ", kMaxTemplateText, " bytes, got ", text->size());
    }
    if (proto_.negatives().word_size() > kMaxLabels) {
      Add("negatives", "expected at most ", kMaxLabels, " words, got ",
          proto_.negatives().word_size(), " or more");
    }
    if (proto_.labels().values_size() <= kMaxLabels) return;
    Add("labels", "expected at most ", kMaxLabels, " values, got ", proto_.labels().values_size(),
        " or more; use a {column:text} slot");
  }

  void CheckNames() {
    if (IsLowerSnake(proto_.name())) return;
    Add("name", "expected lower-case letters, digits and \"_\", got \"", proto_.name(), "\"");
  }

  void CheckInputs() {
    std::set<std::string> columns;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const TaskInput& input = proto_.input(i);
      const std::string field = absl::StrCat("input:", i);
      if (input.name().empty()) Add(field, "name (the record's column) is missing");
      if (input.modality().empty()) Add(field, "modality is missing");
      if (!input.name().empty() && !columns.insert(input.name()).second) {
        AddSlot(field, input.name(), "column \"", input.name(), "\" is an input already");
      }
    }
  }

  // What could be read of the pattern; `is_whole` turns false where something could not.
  Pattern Parse(absl::string_view field, const std::string& text, bool* is_whole) {
    std::vector<PatternProblem> problems;
    Pattern pattern = field == "target" ? ReadPattern(text, types_.slots, &problems)
                                        : ReadPrompt(proto_, text, types_.slots, &problems);
    for (const PatternProblem& problem : problems) AddSlot(field, problem.slot, problem.what);
    if (!problems.empty()) *is_whole = false;
    for (const PatternPiece& piece : pattern) {
      if (piece.type != nullptr) CheckSlot(field, piece);
    }
    return pattern;
  }

  void CheckSlot(absl::string_view field, const PatternPiece& slot) {
    for (const TaskInput& input : proto_.input()) {
      if (slot.type->is_media() || slot.text != input.name()) continue;
      AddSlot(field, slot.text, "slot \"{", slot.text, "}\": the column is a media input");
      return;
    }
    const absl::Status fits = slot.type->Check({proto_, slot});
    if (fits.ok()) return;
    AddSlot(field, slot.text, "slot \"{", slot.text, ":", slot.type->name(), "}\" ",
            fits.message());
  }

  // An item has one place in a text.
  void CheckMediaPlaces(absl::string_view field, const Pattern& pattern) {
    std::set<std::string> placed;
    for (const PatternPiece& piece : pattern) {
      if (piece.type == nullptr || !piece.type->is_media() || placed.insert(piece.text).second) {
        continue;
      }
      AddSlot(field, piece.text, "input \"", piece.text,
              "\" stands there twice; name it once, or add another input");
    }
  }

  void CheckPatterns() {
    prompt_ = Parse("prompt", proto_.prompt(), &is_whole_);
    CheckMediaPlaces("prompt", prompt_);
    for (int i = 0; i < proto_.paraphrase_size(); ++i) CheckParaphrase(i);
    bool target_is_whole = true;
    target_ = Parse("target", proto_.target(), &target_is_whole);
    is_whole_ = is_whole_ && target_is_whole;
    if (target_is_whole && PatternColumns(target_).empty()) {
      Add("target", "has no slot; nothing to answer");
    }
    if (proto_.prompt().empty() && proto_.input().empty()) {
      Add("prompt", "is empty and there is no input; the model would see nothing");
    }
  }

  void CheckParaphrase(int index) {
    const std::string field = absl::StrCat("paraphrase:", index);
    bool is_whole = true;
    const Pattern paraphrase = Parse(field, proto_.paraphrase(index), &is_whole);
    CheckMediaPlaces(field, paraphrase);
    if (!is_whole) is_whole_ = false;
    if (!is_whole_ || Sorted(PatternColumns(paraphrase)) == Sorted(PatternColumns(prompt_))) return;
    Add(field, "must use the same columns as the prompt");
  }

  static std::vector<std::string> Sorted(std::vector<std::string> items) {
    std::sort(items.begin(), items.end());
    return items;
  }

  // Of a pattern that was read in part it is not known what it lacks.
  void CheckSlotTypes() {
    if (!is_whole_) return;
    for (const auto& type : types_.slots.all()) {
      for (const TemplateProblem& problem : type->CheckTemplate(proto_, prompt_, target_)) {
        Add(problem.field, problem.what);
      }
    }
  }

  // Whether some slot of the pattern is of a type with this property.
  static bool HasSlotThat(const Pattern& pattern, bool (SlotType::*property)() const) {
    return std::any_of(pattern.begin(), pattern.end(), [property](const PatternPiece& piece) {
      return piece.type != nullptr && ((*piece.type).*property)();
    });
  }

  void CheckCleaning() {
    std::set<std::string> used;
    for (const Pattern* pattern : {&prompt_, &target_}) {
      for (std::string& column : PatternColumns(*pattern)) used.insert(std::move(column));
    }
    for (int i = 0; i < proto_.clean_size(); ++i) {
      const std::string& column = proto_.clean(i).column();
      if (!is_whole_ || used.count(column) > 0) continue;
      AddSlot(absl::StrCat("clean:", i), column, "no slot of column \"", column, "\"");
    }
  }

  void CheckBounds() {
    if (!(proto_.mask_ratio() >= 0 && proto_.mask_ratio() < 1)) {
      Add("mask_ratio", "expected a share in [0, 1), got ", proto_.mask_ratio());
    }
    if (proto_.mask_ratio() > 0 && is_whole_ && !HasSlotThat(prompt_, &SlotType::maskable)) {
      Add("mask_ratio", "needs a text slot in the prompt to mask words of");
    }
    if (proto_.max_source_tokens() < 0) Add("max_source_tokens", "must not be negative");
    if (proto_.max_target_tokens() < 0) Add("max_target_tokens", "must not be negative");
    for (int i = 0; i < proto_.clean_size(); ++i) {
      if (proto_.clean(i).max_words() >= 0) continue;
      Add(absl::StrCat("clean:", i), "max_words must not be negative");
    }
    for (const absl::Status& fault : GenerationFaults(proto_.generation())) {
      Add("generation", fault.message());
    }
  }

  void CheckDamage() {
    const float mean = proto_.mask_span_mean();
    if (!(mean >= 0 && mean <= kMaxSpanMean)) {
      Add("mask_span_mean", "expected 0 to ", kMaxSpanMean, ", got ", mean, "; BART has 3");
    } else if (mean > 0 && proto_.mask_ratio() == 0) {
      Add("mask_span_mean", "needs mask_ratio, the share of words that spans cover; BART has 0.3");
    }
    if (proto_.shuffle_sentences() && is_whole_ && !HasSlotThat(prompt_, &SlotType::maskable)) {
      Add("shuffle_sentences", "needs a text slot in the prompt to move sentences of");
    }
  }

  bool IsInput(const std::string& column) const {
    return std::any_of(proto_.input().begin(), proto_.input().end(),
                       [&](const TaskInput& input) { return input.name() == column; });
  }

  bool HasClosedSet() const {
    return std::any_of(target_.begin(), target_.end(), [this](const PatternPiece& slot) {
      return slot.type != nullptr && !slot.type->ClosedSet({proto_, slot}).empty();
    });
  }

  void CheckLoss() {
    if (IsInput(proto_.loss_weight())) {
      AddSlot("loss_weight", proto_.loss_weight(), "expected a column of numbers, got the media \"",
              proto_.loss_weight(), "\"; name the column that holds the weight");
    }
    if (proto_.mask_loss() && is_whole_ && !HasClosedSet()) {
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

  void CheckMetrics() {
    if (types_.metrics == nullptr) return;
    for (int i = 0; i < proto_.metric_size(); ++i) {
      const std::string field = absl::StrCat("metric:", i);
      const auto metric = types_.metrics->FindMetric(proto_.metric(i));
      if (!metric.ok()) {
        Add(field, metric.status().message());
      } else if ((*metric)->needs_box && is_whole_ && !HasSlotThat(target_, &SlotType::gives_box)) {
        Add(field, "\"", proto_.metric(i), "\" needs a box slot in the target");
      }
    }
  }

  const LoadedTemplate& task_;
  const TemplateTypes& types_;
  const TaskTemplate& proto_;
  Pattern prompt_, target_;
  bool is_whole_ = true;  // all patterns could be read
  std::vector<TemplateFault> faults_;
};

}  // namespace

std::vector<TemplateFault> CheckTemplate(const LoadedTemplate& task, const TemplateTypes& types) {
  return Checker(task, types).Check();
}

}  // namespace unival
