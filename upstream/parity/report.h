// unival: report.h
//
// What a parity run found: checks of single outputs, grouped by case, in the order of the stages
// that a record passes through.
//
//   Checker check(&result, &report);
//   check.Tensor("encoder.layer.0", "encoder_state.1", actual, expected, {2e-5});
#ifndef UNIVAL_UPSTREAM_PARITY_REPORT_H_
#define UNIVAL_UPSTREAM_PARITY_REPORT_H_

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "backbone/layers/inference_precision.h"

namespace unival {
namespace parity {

// Stages in the order in which data meets them; "encoder.layer" and "decoder.layer" are followed by
// ".N" in checks. The first stage of this list with a failing check is where a port deviates.
const std::vector<std::string>& StageNames();
bool IsStageName(absl::string_view stage);  // of the list, or one layer
// Whether a check of `stage` belongs to what the user asked for; "" asks for everything, and
// "encoder.layer" for all layers.
bool StageMatches(absl::string_view asked, absl::string_view stage);
// Smaller comes first.
int64_t StageRank(absl::string_view stage);

// Passes when |actual - expected| <= absolute + relative * max |expected|, element by element.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
};
constexpr Tolerance kExact = {0, 0};

// What inference in fewer bits than those that were recorded may change. In float32 nothing.
struct PrecisionBounds {
  double activation = 0;  // of a tensor's largest value, from the connection to the logits
  Tolerance score;        // of a hypothesis or an answer
  double agreement = 1;   // the least share of equal tokens and answers
};
PrecisionBounds BoundsOf(InferencePrecision precision);

// Tokens of best hypotheses, and answers made of them, beside those recorded.
struct Agreement {
  int64_t compared = 0, equal = 0;

  double share() const { return compared == 0 ? 1 : static_cast<double>(equal) / compared; }
};

struct Check {
  std::string stage;
  std::string field;
  double absolute = 0;  // largest |actual - expected|; infinite for other shapes or not a number
  double relative = 0;  // the same over the largest |expected|
  double allowed = 0;   // what `absolute` may be
  bool ok = false;
  std::string note;
};

struct CaseResult {
  std::string file;   // relative to the fixture
  std::string name;   // may be empty
  std::string kind;   // the index's stage
  std::string quirk;  // not empty: differs on purpose, whatever its checks say
  std::string error;  // why it could not be replayed
  double seconds = 0;
  std::vector<Check> checks;

  bool ok() const;
};

struct Report {
  std::string folder;
  std::string stage;  // what was asked for; empty: everything
  InferencePrecision precision = InferencePrecision::kFloat32;
  Agreement agreement;  // counted where the precision is not float32
  std::vector<CaseResult> cases;

  bool ok() const;
  // The earliest stage with a failing check, empty when there is none. Quirks do not count.
  std::string FirstDivergingStage() const;
  const Check* FirstDivergence(const CaseResult** where) const;
};

nlohmann::ordered_json ToJson(const Report& report);
// A table with one row per case, then every failing check and the verdict.
std::string ToTable(const Report& report);

// Collects the checks of one case.
class Checker {
 public:
  // Adds to `report->agreement` where the report's precision is not float32.
  Checker(CaseResult* result, Report* report)
      : result_(*result),
        asked_(report->stage),
        is_exact_(report->precision == InferencePrecision::kFloat32),
        bounds_(BoundsOf(report->precision)),
        agreement_(report->agreement) {}

  // False when the user asked for other stages, so that work can be left out.
  bool Wants(absl::string_view stage) const { return StageMatches(asked_, stage); }

  // Any dtype. With `valid` (bool, leading dimensions of the tensors), elements outside it are
  // reported in the note and do not decide.
  void Tensor(const std::string& stage, const std::string& field, const at::Tensor& actual,
              const at::Tensor& expected, const Tolerance& tolerance, const at::Tensor& valid = {});
  void Number(const std::string& stage, const std::string& field, double actual, double expected,
              const Tolerance& tolerance);
  // Ids, texts, shapes: anything that must be equal. `note` tells what differs.
  void Equal(const std::string& stage, const std::string& field, bool equal,
             const std::string& note = "");

  // Of a hypothesis or an answer: within 1e-4, and the precision's bound.
  void Score(const std::string& field, double actual, double expected);
  // Of hypothesis number `rank`. Fewer bits may exchange hypotheses that are nearly as likely as
  // each other, so then only the best one is looked at, and its tokens are counted.
  void Tokens(const std::string& field, int64_t rank, const std::vector<int64_t>& actual,
              const std::vector<int64_t>& expected);
  // Whether what search found must be equal.
  bool is_exact() const { return is_exact_; }

  // The same for anything that JSON holds; the note shows both sides.
  void EqualJson(const std::string& stage, const std::string& field, const nlohmann::json& actual,
                 const nlohmann::json& expected);

 private:
  void Add(Check check);

  // What follows from the tokens that search found is counted where it need not be equal.
  void AddFound(Check check);

  CaseResult& result_;
  const std::string asked_;
  const bool is_exact_;
  const PrecisionBounds bounds_;
  Agreement& agreement_;
};

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_REPORT_H_
