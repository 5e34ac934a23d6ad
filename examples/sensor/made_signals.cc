#include "examples/sensor/made_signals.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "examples/sensor/text_codes.h"
#include "examples/world/random.h"
#include "examples/world/record_writer.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/random.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival::sensor {
namespace {

using world::RecordWriter;
using world::Split;
using Tokens = std::vector<int64_t>;

constexpr int64_t kUsualRows = 16, kFewestRows = 8, kMostRows = 24;
constexpr size_t kLongestText = 15, kLongestOfTwo = 9;  // tokens
constexpr char kDense[] = "dense", kGaps[] = "gaps", kHalves[] = "halves", kSplit[] = "split";

// Of ten records, how many are of each kind: what is hard more often.
struct Share {
  const char* kind;
  int count;
};
constexpr Share kShares[] = {{kDense, 1}, {kGaps, 3}, {kHalves, 4}, {kSplit, 3}};

// What stands between two sentences, the blank after it left out.
constexpr const char* kJoints[] = {",",    ",", ",",  ",", ".",      ".",
                                   " and", ";", " -", "",  ", then", " with"};

struct Text {
  std::string text;
  Tokens tokens;
};

// A signal in the making: `rows` times `codes.width()` numbers.
class Signal {
 public:
  Signal(const TextCodes& codes, int64_t rows)
      : codes_(codes), rows_(rows), values_(rows * codes.width(), 0.0f) {}

  int64_t rows() const { return rows_; }
  void Add(int64_t row, int64_t token, double factor) {
    codes_.Add(token, factor, values_.data() + row * codes_.width());
  }

  // Tokens one after the other in rows [begin, end); false: there are too few.
  bool LayOut(const Tokens& tokens, int64_t begin, int64_t end, bool gaps, SeededRandom* random) {
    const auto count = static_cast<int64_t>(tokens.size());
    if (count > end - begin) return false;
    std::vector<int64_t> starts(end - begin);
    std::iota(starts.begin(), starts.end(), begin);
    if (gaps) {
      // A random choice of rows, in their order.
      for (int64_t i = 0; i < count; ++i)
        std::swap(starts[i], starts[random->Integer(i, end - begin)]);
      std::sort(starts.begin(), starts.begin() + count);
    }
    starts.resize(count);
    starts.push_back(std::min(end, count > 0 ? starts[count - 1] + 2 : end));
    const bool repeats = gaps && random->Uniform(0, 1) < 0.3;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t stop = repeats ? starts[i + 1] : starts[i] + 1;
      for (int64_t row = starts[i]; row < stop; ++row) Add(row, tokens[i], 1);
    }
    return true;
  }

  std::string Csv(double largest_noise, SeededRandom* random) const {
    const double noise = random->Uniform(0.1, largest_noise), gain = random->Uniform(0.7, 1.3);
    const double offset = random->Uniform(0, 0.4);
    std::vector<double> shared(codes_.width());
    for (double& value : shared) value = offset * random->Normal();
    std::string text;
    for (int64_t row = 0; row < rows_; ++row) {
      const double row_gain = gain * random->Uniform(0.85, 1.15);
      for (int64_t i = 0; i < codes_.width(); ++i) {
        const double value = row_gain * (values_[row * codes_.width() + i] + shared[i]);
        absl::StrAppendFormat(&text, "%.2f%c", value + noise * random->Normal(),
                              i + 1 == codes_.width() ? '\n' : ',');
      }
    }
    return text;
  }

 private:
  const TextCodes& codes_;
  const int64_t rows_;
  std::vector<float> values_;
};

absl::Status AddTexts(const std::string& path, const TextCodes& codes, std::vector<Text>* texts) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(bytes, '\n')) {
    ++number;
    if (line.empty()) continue;
    UNIVAL_ASSIGN_OR_RETURN(const world::Record record,
                            Annotate(ParseJson<world::Record>(line), path, ":", number));
    const auto at = record.find("text");
    if (at == record.end() || !at->is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": expected a column \"text\" with a string"));
    }
    const std::string text = at->get<std::string>();
    UNIVAL_ASSIGN_OR_RETURN(Tokens tokens, Annotate(codes.Tokens(text), path, ":", number));
    if (!tokens.empty() && tokens.size() <= kLongestText)
      texts->push_back({text, std::move(tokens)});
  }
  return absl::OkStatus();
}

class Maker {
 public:
  Maker(const MadeSignalOptions& options, const TextCodes& codes, std::vector<Text> texts)
      : options_(options), codes_(codes), texts_(std::move(texts)) {
    for (const Share& share : kShares) {
      const bool wanted = options.kinds.empty() ||
                          std::count(options.kinds.begin(), options.kinds.end(), share.kind) > 0;
      for (int i = 0; wanted && i < share.count; ++i) kinds_.push_back(share.kind);
    }
  }

  absl::Status Write(Split split, int64_t count) const {
    UNIVAL_ASSIGN_OR_RETURN(
        const auto writer,
        RecordWriter::Create(absl::StrCat(options_.data_dir, "/signals/", world::SplitName(split)),
                             "sensor.tar"));
    for (int64_t i = 0; i < count; ++i) {
      SeededRandom random(world::SampleSeed(options_.seed, "made_signal", split, i));
      UNIVAL_RETURN_IF_ERROR(WriteOne(i, &random, writer.get()));
    }
    return writer->Finish();
  }

 private:
  absl::Status WriteOne(int64_t index, SeededRandom* random, RecordWriter* writer) const {
    const std::string kind = kinds_[random->Below(kinds_.size())];
    std::string text;
    while (true) {
      const int64_t rows =
          random->Uniform(0, 1) < 0.7 ? kUsualRows : random->Integer(kFewestRows, kMostRows + 1);
      Signal signal(codes_, rows);
      UNIVAL_ASSIGN_OR_RETURN(const bool fits, Say(kind, &signal, &text, random));
      if (!fits) continue;
      AddWeakTokens(&signal, random);
      UNIVAL_ASSIGN_OR_RETURN(
          const std::string path,
          writer->AddMedia(absl::StrFormat("%06d.csv", index), signal.Csv(options_.noise, random)));
      return writer->AddRecord("say", {{"sensor", path}, {"text", text}, {"kind", kind}});
    }
  }

  const Text& Draw(size_t longest, SeededRandom* random) const {
    while (true) {
      const Text& text = texts_[random->Below(texts_.size())];
      if (text.tokens.size() <= longest) return text;
    }
  }

  // Lays a saying of that kind into `signal`. False: it does not fit, draw again.
  absl::StatusOr<bool> Say(const std::string& kind, Signal* signal, std::string* text,
                           SeededRandom* random) const {
    const int64_t rows = signal->rows();
    if (kind == kDense || kind == kGaps) {
      const Text& one = Draw(kLongestText, random);
      *text = one.text;
      return signal->LayOut(one.tokens, 0, rows, kind == kGaps, random);
    }
    const Text &first = Draw(kLongestOfTwo, random), &second = Draw(kLongestOfTwo, random);
    const std::string head = Headed(first.text, random);
    *text = absl::StrCat(head, " ", second.text);
    UNIVAL_ASSIGN_OR_RETURN(const Tokens before, codes_.Tokens(head));
    UNIVAL_ASSIGN_OR_RETURN(const Tokens all, codes_.Tokens(*text));
    // A tokenizer may join across the seam; then no row is the end of the first sentence.
    const bool apart =
        all.size() > before.size() && std::equal(before.begin(), before.end(), all.begin());
    if (!apart) return false;
    const Tokens after(all.begin() + static_cast<int64_t>(before.size()), all.end());
    const auto a = static_cast<int64_t>(before.size()), b = static_cast<int64_t>(after.size());
    if (a + b > rows) return false;
    const int64_t seam = kind == kHalves ? rows / 2 : random->Integer(a, rows - b + 1);
    const bool gaps = random->Uniform(0, 1) < 0.6;
    return signal->LayOut(before, 0, seam, gaps, random) &&
           signal->LayOut(after, seam, rows, gaps, random);
  }

  // The first sentence with what joins it to the second.
  static std::string Headed(const std::string& first, SeededRandom* random) {
    const std::string joint = kJoints[random->Below(std::size(kJoints))];
    const bool ended = std::ispunct(static_cast<unsigned char>(first.back())) != 0;
    return joint == "." && ended ? first : absl::StrCat(first, joint);
  }

  // What a connection leaves of other sentences.
  void AddWeakTokens(Signal* signal, SeededRandom* random) const {
    if (random->Uniform(0, 1) < 0.5) return;
    const Tokens& others = Draw(kLongestText, random).tokens;
    for (int64_t row = 0; row < signal->rows(); ++row) {
      if (random->Uniform(0, 1) < 0.5) continue;
      signal->Add(row, others[random->Below(others.size())], random->Uniform(0, 0.35));
    }
  }

  const MadeSignalOptions& options_;
  const TextCodes& codes_;
  const std::vector<Text> texts_;
  std::vector<std::string> kinds_;
};

absl::Status CheckOptions(const MadeSignalOptions& options) {
  for (const std::string& kind : options.kinds) {
    const std::vector<std::string> known = MadeSignalKinds();
    if (std::count(known.begin(), known.end(), kind) > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("kind \"", kind, "\"; expected one of ", absl::StrJoin(known, ", ")));
  }
  if (!(options.noise >= 0.1 && options.noise <= 10)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--noise: expected 0.1 to 10, got ", options.noise));
  }
  constexpr int64_t kMost = 10000000;
  if (std::min(options.train_count, options.eval_count) >= 0 &&
      std::max(options.train_count, options.eval_count) <= kMost) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--count and --eval_count: expected 0 to ", kMost,
                                                 ", got ", options.train_count, " and ",
                                                 options.eval_count));
}

}  // namespace

std::vector<std::string> MadeSignalKinds() {
  std::vector<std::string> kinds;
  for (const Share& share : kShares) kinds.push_back(share.kind);
  return kinds;
}

absl::Status GenerateMadeSignals(const MadeSignalOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckOptions(options));
  UNIVAL_ASSIGN_OR_RETURN(const TextCodes codes, TextCodes::Load(options.model_dir));
  for (const auto& [split, count] : {std::pair(Split::kTrain, options.train_count),
                                     std::pair(Split::kEval, options.eval_count)}) {
    if (count == 0) continue;
    const std::string folder = absl::StrCat(options.data_dir, "/english/", world::SplitName(split));
    std::vector<Text> texts;
    for (const char* file : {"copy.jsonl", "words.jsonl"})
      UNIVAL_RETURN_IF_ERROR(AddTexts(absl::StrCat(folder, "/", file), codes, &texts));
    const bool any_short = std::any_of(texts.begin(), texts.end(), [](const Text& text) {
      return text.tokens.size() <= kLongestOfTwo;
    });
    if (!any_short) {
      return absl::InvalidArgumentError(absl::StrCat(folder, ": expected a text of at most ",
                                                     kLongestOfTwo, " tokens, found none"));
    }
    UNIVAL_RETURN_IF_ERROR(Maker(options, codes, std::move(texts)).Write(split, count));
  }
  return absl::OkStatus();
}

}  // namespace unival::sensor
