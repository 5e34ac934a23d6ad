#include "examples/sensor/fake_sensor.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
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
using Signal = std::vector<double>;  // [positions * width]
using Sentences = std::vector<std::string>;

constexpr char kChanging[] = "changing", kSteady[] = "steady";
constexpr double kMostNoise = 1000;  // nothing of a signal is left then
constexpr char kAfter[] = "after", kTogether[] = "together";

// What a record says, and of which sentences its signal is the sum.
struct Saying {
  std::string text;
  std::vector<size_t> parts;
  bool held_out = false;
};

absl::Status Bad(const FakeSensorOptions& options, const std::string& set,
                 const std::string& what) {
  return absl::InvalidArgumentError(
      absl::StrCat(options.labels_file, ": set \"", set, "\": ", what));
}

// The sentences of one set, checked.
absl::StatusOr<Sentences> SentencesOf(const FakeSensorOptions& options, const std::string& set,
                                      const nlohmann::ordered_json& value) {
  Sentences sentences;
  const bool is_list =
      value.is_array() && std::all_of(value.begin(), value.end(), [](const auto& e) {
        return e.is_string() && !e.template get<std::string>().empty();
      });
  if (!is_list) return Bad(options, set, "expected a list of sentences");
  sentences = value.get<Sentences>();
  const size_t least = options.pairs.empty() ? 2 : 4;
  if (sentences.size() < least) {
    return Bad(options, set,
               absl::StrCat("expected at least ", least, " sentences, got ", sentences.size()));
  }
  std::set<std::string> seen;
  for (const std::string& sentence : sentences) {
    if (!seen.insert(sentence).second)
      return Bad(options, set, absl::StrCat("\"", sentence, "\" stands there twice"));
  }
  return sentences;
}

// A set's name becomes a folder's: one that leads elsewhere would write there.
absl::Status CheckName(const FakeSensorOptions& options, const std::string& set) {
  const bool is_plain =
      !set.empty() && set.size() <= 100 && set[0] != '.' &&
      std::all_of(set.begin(), set.end(), [](unsigned char c) { return c > 31 && c != 127; }) &&
      set.find('/') == std::string::npos;
  if (is_plain) return absl::OkStatus();
  return Bad(options, set,
             "the name becomes that of a folder: expected 1 to 100 bytes without \"/\" and control "
             "characters, no \".\" first");
}

absl::StatusOr<nlohmann::ordered_json> ReadLabels(const FakeSensorOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(options.labels_file));
  std::set<std::string> names;
  std::string twice;
  const auto see = [&](int depth, nlohmann::ordered_json::parse_event_t event,
                       nlohmann::ordered_json& part) {
    const bool is_name = depth == 1 && event == nlohmann::ordered_json::parse_event_t::key;
    if (is_name && !names.insert(part.get<std::string>()).second) twice = part;
    return true;
  };
  UNIVAL_ASSIGN_OR_RETURN(
      nlohmann::ordered_json labels,
      Annotate(ParseJson<nlohmann::ordered_json>(text, see), options.labels_file));
  if (!twice.empty()) return Bad(options, twice, "stands there twice");
  if (labels.is_object() && !labels.empty()) {
    for (const auto& named : labels.items())
      UNIVAL_RETURN_IF_ERROR(CheckName(options, named.key()));
    return labels;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      options.labels_file, ": expected a JSON object {\"SET\": [\"a sentence\", ...], ...}"));
}

std::vector<Saying> SingleSayings(const Sentences& sentences) {
  std::vector<Saying> sayings;
  for (size_t i = 0; i < sentences.size(); ++i) sayings.push_back({sentences[i], {i}, false});
  return sayings;
}

// "a still target" and "near": "a still target, near".
std::string Joined(const std::string& first, const std::string& second) {
  return absl::StrCat(first, absl::EndsWith(first, ".") ? " " : ", ", second);
}

// One of the second half's sentences is held out with each of the first half's.
std::vector<Saying> PairSayings(const Sentences& sentences) {
  std::vector<Saying> sayings;
  const size_t half = sentences.size() / 2, rest = sentences.size() - half;
  for (size_t i = 0; i < half; ++i) {
    for (size_t j = 0; j < rest; ++j) {
      sayings.push_back(
          {Joined(sentences[i], sentences[half + j]), {i, half + j}, (i + 1) % rest == j});
    }
  }
  return sayings;
}

// The signal of one sentence. It is the same whatever else is in the set.
Signal SignalOf(const FakeSensorOptions& options, const std::string& kind,
                const std::string& sentence) {
  Signal signal(options.positions * options.width);
  for (int64_t i = 0; i < static_cast<int64_t>(signal.size()); ++i) {
    if (kind == kSteady && i >= options.width) {
      signal[i] = signal[i - options.width];
    } else {
      SeededRandom random(Mix(options.seed, Fnv1a(sentence), i));
      signal[i] = random.Normal();
    }
  }
  return signal;
}

class SetMaker {
 public:
  SetMaker(const FakeSensorOptions& options, std::string folder, std::vector<Saying> sayings,
           std::vector<Signal> signals)
      : options_(options),
        folder_(std::move(folder)),
        sayings_(std::move(sayings)),
        signals_(std::move(signals)) {}

  absl::Status Write() const {
    UNIVAL_RETURN_IF_ERROR(WriteSplit(Split::kTrain, options_.train_count, false));
    UNIVAL_RETURN_IF_ERROR(WriteSplit(Split::kEval, options_.eval_count, false));
    if (options_.pairs.empty()) return absl::OkStatus();
    return WriteSplit(Split::kHeldOut, options_.eval_count, true);
  }

 private:
  absl::Status WriteSplit(Split split, int64_t count, bool held_out) const {
    UNIVAL_ASSIGN_OR_RETURN(
        const auto writer,
        RecordWriter::Create(absl::StrCat(folder_, "/", world::SplitName(split)), "sensor.tar"));
    int64_t index = 0;
    for (int64_t i = 0; i < count; ++i) {
      for (const Saying& saying : sayings_) {
        if (saying.held_out != held_out) continue;
        const uint64_t seed = world::SampleSeed(options_.seed, "sensor", split, index);
        UNIVAL_ASSIGN_OR_RETURN(
            const std::string path,
            writer->AddMedia(absl::StrFormat("%06d.csv", index), Csv(saying, seed)));
        UNIVAL_RETURN_IF_ERROR(writer->AddRecord("say", {{"sensor", path}, {"text", saying.text}}));
        ++index;
      }
    }
    return writer->Finish();
  }

  // A line a position.
  std::string Csv(const Saying& saying, uint64_t seed) const {
    SeededRandom random(seed);
    std::string text;
    for (int64_t i = 0; i < options_.positions * options_.width; ++i) {
      double value = options_.noise * random.Normal();
      value += Value(saying.parts, i);
      absl::StrAppendFormat(&text, "%.3f%c", value, (i + 1) % options_.width == 0 ? '\n' : ',');
    }
    return text;
  }

  // The value of the whole saying's signal at place `i`, without noise.
  double Value(const std::vector<size_t>& parts, int64_t i) const {
    if (options_.pairs == kAfter) {
      const int64_t half = options_.positions / 2 * options_.width;
      return signals_[i < half ? parts.front() : parts.back()][i];
    }
    double value = 0;
    for (const size_t part : parts) value += signals_[part][i];
    return value;
  }

  const FakeSensorOptions& options_;
  const std::string folder_;
  const std::vector<Saying> sayings_;
  const std::vector<Signal> signals_;
};

// What an option may be.
struct Bounded {
  const char* option;
  double value;
  int64_t least, most;
};

absl::Status CheckOptions(const FakeSensorOptions& options) {
  if (options.output_dir.empty()) return absl::InvalidArgumentError("an output folder is missing");
  for (const std::string& kind : options.kinds) {
    if (kind != kChanging && kind != kSteady) {
      return absl::InvalidArgumentError(absl::StrCat("kind \"", kind, "\"; expected one of ",
                                                     absl::StrJoin(FakeSensorKinds(), ", ")));
    }
  }
  if (!options.pairs.empty() && options.pairs != kAfter && options.pairs != kTogether) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pairs \"", options.pairs, "\"; expected one of ", absl::StrJoin(PairKinds(), ", ")));
  }
  constexpr int64_t kMostRecords = 1000000000;
  const Bounded numbers[] = {
      {"--count", static_cast<double>(options.train_count), 0, kMostRecords},
      {"--eval_count", static_cast<double>(options.eval_count), 0, kMostRecords},
      {"--positions", static_cast<double>(options.positions), 1, 1024},
      {"--width", static_cast<double>(options.width), 1, 4096},
      {"--noise", options.noise, 0, static_cast<int64_t>(kMostNoise)}};
  for (const Bounded& number : numbers) {
    if (number.value >= static_cast<double>(number.least) &&
        number.value <= static_cast<double>(number.most)) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(number.option, ": expected ", number.least,
                                                   " to ", number.most, ", got ", number.value));
  }
  return absl::OkStatus();
}

absl::Status WriteSet(const FakeSensorOptions& options, const std::string& set,
                      const Sentences& sentences) {
  for (const std::string& kind : options.kinds.empty() ? FakeSensorKinds() : options.kinds) {
    std::vector<Signal> signals;
    for (const std::string& sentence : sentences)
      signals.push_back(SignalOf(options, kind, sentence));
    const std::string folder = absl::StrCat(options.output_dir, "/", set, "/", kind,
                                            options.pairs.empty() ? "" : "_" + options.pairs);
    const SetMaker maker(options, folder,
                         options.pairs.empty() ? SingleSayings(sentences) : PairSayings(sentences),
                         std::move(signals));
    UNIVAL_RETURN_IF_ERROR(maker.Write());
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> FakeSensorKinds() { return {kChanging, kSteady}; }

std::vector<std::string> PairKinds() { return {kAfter, kTogether}; }

absl::Status GenerateFakeSensor(const FakeSensorOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckOptions(options));
  UNIVAL_ASSIGN_OR_RETURN(const nlohmann::ordered_json labels, ReadLabels(options));
  for (const std::string& set : options.sets) {
    if (labels.contains(set)) continue;
    return absl::NotFoundError(absl::StrCat(options.labels_file, ": no set \"", set, "\""));
  }
  for (const auto& [set, value] : labels.items()) {
    const bool wanted =
        options.sets.empty() || std::count(options.sets.begin(), options.sets.end(), set) > 0;
    if (!wanted) continue;
    UNIVAL_ASSIGN_OR_RETURN(const Sentences sentences, SentencesOf(options, set, value));
    UNIVAL_RETURN_IF_ERROR(WriteSet(options, set, sentences));
  }
  return absl::OkStatus();
}

}  // namespace unival::sensor
