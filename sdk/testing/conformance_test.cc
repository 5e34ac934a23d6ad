// A suite that cannot fail proves nothing: one good fake of each kind passes every rule, and each broken one fails exactly
// the rule that it breaks.

#include "sdk/testing/conformance.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace unival {
namespace {

enum class Flaw {
  kNone,
  kNoSchema,
  kWrongWidth,
  kNegativePosition,
  kRowsMixed,
  kWritesInput,
  kAcceptsEmpty,
  kAcceptsCorrupt,
  kSilentRefusal,
  kRandom,
  kUnseeded,
};

// Media "number 7" becomes four positions of two features.
class FakeModality : public Modality {
 public:
  explicit FakeModality(Flaw flaw) : flaw_(flaw) {
    info_.id = "fake";
    info_.type = "fake";
    info_.feature_schema = flaw == Flaw::kNoSchema ? "" : "fake/1";
    info_.feature_dim = flaw == Flaw::kWrongWidth ? 3 : 2;
    info_.position_kind = PositionKind::kSequence;
  }
  const ModalityInfo& info() const override { return info_; }

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& sample) const override {
    const MediaSource& media = sample.media;
    const std::string text = media.bytes == nullptr ? "" : *media.bytes;
    double value = 0;
    if (text.rfind("number ", 0) == 0) {
      value = std::stod(text.substr(7));
    } else if (!(text.empty() && media.bytes != nullptr && flaw_ == Flaw::kAcceptsEmpty) &&
               !(!text.empty() && flaw_ == Flaw::kAcceptsCorrupt)) {
      return absl::InvalidArgumentError(flaw_ == Flaw::kSilentRefusal ? "bad media"
                                                                      : absl::StrCat(media.name, ": no number"));
    }
    if (flaw_ == Flaw::kRandom && !sample.augment) value += ++calls_;
    if (sample.augment) value += flaw_ == Flaw::kUnseeded ? ++calls_ : static_cast<double>(sample.seed % 5);
    return PreprocessedSample{{at::full({4, 2}, value)}};
  }

  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override {
    absl::StatusOr<at::Tensor> stacked = StackSamples(batch, 0);
    if (!stacked.ok()) return stacked.status();
    ModalityFeatures features = SequenceFeatures(stacked->transpose(1, 2).unsqueeze(-1));
    features.values = features.values.clone();
    if (flaw_ == Flaw::kRowsMixed) features.values -= features.values.mean();
    if (flaw_ == Flaw::kNegativePosition) features.positions = features.positions - 1;
    if (flaw_ == Flaw::kWritesInput) batch.samples[0].tensors[0].add_(0).fill_(-1);
    return features;
  }
  std::string preprocessing_fingerprint() const override { return "fake"; }

 private:
  const Flaw flaw_;
  ModalityInfo info_;
  mutable std::atomic<int> calls_{0};
};

RawSample Number(const std::string& text) {
  RawSample sample;
  sample.media = {text, "", std::make_shared<const std::string>(text)};
  return sample;
}

std::vector<std::string> FailedRules(const ConformanceReport& report) {
  std::vector<std::string> failed;
  for (const ConformanceRow& row : report.rows) {
    if (!row.ok) failed.push_back(row.rule);
  }
  return failed;
}

std::vector<std::string> FailedRules(Flaw flaw) {
  FakeModality modality(flaw);
  ModalityProbe probe;
  probe.samples = {Number("number 1"), Number("number 5"), Number("number 9")};
  return FailedRules(CheckModality(modality, probe));
}

using Rules = std::vector<std::string>;

TEST(ModalityConformance, AcceptsASoundModality) { EXPECT_EQ(FailedRules(Flaw::kNone), Rules{}); }

TEST(ModalityConformance, EachFlawFailsItsOwnRule) {
  EXPECT_EQ(FailedRules(Flaw::kNoSchema), Rules{"description"});
  EXPECT_EQ(FailedRules(Flaw::kWrongWidth), Rules{"features_as_declared"});
  EXPECT_EQ(FailedRules(Flaw::kNegativePosition), Rules{"positions_in_range"});
  EXPECT_EQ(FailedRules(Flaw::kRowsMixed), Rules{"batch_invariance"});
  EXPECT_EQ(FailedRules(Flaw::kAcceptsEmpty), Rules{"empty_media"});
  EXPECT_EQ(FailedRules(Flaw::kAcceptsCorrupt), Rules{"corrupt_media"});
  EXPECT_EQ(FailedRules(Flaw::kUnseeded), Rules{"augmentation_is_seeded"});
}

TEST(ModalityConformance, RandomPreprocessingIsFoundAloneAndAcrossThreads) {
  EXPECT_EQ(FailedRules(Flaw::kRandom), (Rules{"determinism", "concurrent_preprocess"}));
}

TEST(ModalityConformance, RefusalsMustNameTheMedia) {
  EXPECT_EQ(FailedRules(Flaw::kSilentRefusal), (Rules{"empty_media", "corrupt_media", "missing_media"}));
}

TEST(ModalityConformance, WritingToInputsIsFound) {
  const Rules failed = FailedRules(Flaw::kWritesInput);
  EXPECT_NE(std::find(failed.begin(), failed.end(), "inputs_not_written"), failed.end());
}

TEST(ModalityConformance, TheTableNamesComponentRuleAndFinding) {
  FakeModality modality(Flaw::kWrongWidth);
  ModalityProbe probe;
  probe.samples = {Number("number 1"), Number("number 5")};
  const std::string table = CheckModality(modality, probe).Table();
  EXPECT_NE(table.find("modality fake"), std::string::npos);
  EXPECT_NE(table.find("FAIL  features_as_declared"), std::string::npos) << table;
  EXPECT_NE(table.find("declared [2, N, 3]"), std::string::npos) << table;
}

// One token per character of "ab".
class FakeTokenizer : public Tokenizer {
 public:
  explicit FakeTokenizer(const std::string& flaw) : flaw_(flaw), block_{"core.bpe", 2, "hash"} {
    if (flaw == "description") block_.content_hash = "";
  }
  const TokenBlockSpec& block() const override { return block_; }
  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    std::vector<int64_t> tokens;
    if (text.empty() && flaw_ == "empty_text") tokens.push_back(0);
    for (char c : text) tokens.push_back(c - 'a');
    return tokens;
  }
  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    std::string text;
    for (int64_t token : tokens) {
      if ((token < 0 || token > 1) && flaw_ != "out_of_range") return absl::OutOfRangeError("token");
      text += static_cast<char>('a' + token);
    }
    return text;
  }

 private:
  const std::string flaw_;
  TokenBlockSpec block_;
};

TEST(TokenizerConformance, AcceptsASoundTokenizerAndFindsEachFlaw) {
  TokenizerProbe probe;
  probe.texts = {"ab", "bba", "a"};
  EXPECT_EQ(FailedRules(CheckTokenizer(FakeTokenizer(""), probe)), Rules{});
  for (const std::string flaw : {"description", "empty_text", "out_of_range"}) {
    EXPECT_EQ(FailedRules(CheckTokenizer(FakeTokenizer(flaw), probe)), Rules{flaw});
  }
  probe.texts = {"abc"};
  const Rules failed = FailedRules(CheckTokenizer(FakeTokenizer(""), probe));
  EXPECT_EQ(failed.front(), "tokens_in_range");
}

}  // namespace
}  // namespace unival
