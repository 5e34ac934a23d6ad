#include "upstream/parity/replay.h"

#include <chrono>
#include <cstring>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backbone/model/reference_names.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace parity {
namespace {

constexpr int64_t kSmallWidth = 256;

// Whether a tensor of a state_dict is not stored here, because it follows from the configuration or
// because no forward pass uses it.
bool IsElsewhere(const std::string& name, const ReferenceModel& model) {
  if (IsReferenceAlias(name) || IsReferenceDerived(name)) return true;
  for (const std::string& modality : model.modalities()) {
    const std::string prefix = absl::StrCat("encoder.", ReferenceEncoderPrefix(modality), ".");
    for (const char* classifier : {"fc.", "fc1.", "fc_audioset."}) {
      if (name.compare(0, prefix.size() + std::strlen(classifier), prefix + classifier) == 0)
        return true;
    }
  }
  return false;
}

// "(/cases/0/name) type must be string, but is number" as "field /cases/0/name: type must be ...".
std::string WrongField(absl::string_view said) {
  const size_t end = said.find(") ");
  if (said.empty() || said[0] != '(' || end == absl::string_view::npos) return std::string(said);
  return absl::StrCat("field ", said.substr(1, end - 1), ": ", said.substr(end + 2));
}

absl::Status CompareStateDict(ReplayContext& context, const std::string& config,
                              const Json& manifest, Checker& check) {
  UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get({config}));
  std::map<std::string, std::vector<int64_t>> ours, theirs;
  for (const NamedTensor& entry : model->State()) ours[entry.name] = entry.tensor.sizes().vec();
  for (const Json& entry : manifest.at("entries")) {
    const std::string name = entry.at("name");
    if (!IsElsewhere(name, *model)) entry.at("shape").get_to(theirs[name]);
  }
  std::vector<std::string> missing, unexpected, unfit;
  for (const auto& [name, shape] : theirs) {
    const auto found = ours.find(name);
    if (found == ours.end()) {
      missing.push_back(name);
    } else if (found->second != shape) {
      unfit.push_back(name);
    }
  }
  for (const auto& [name, shape] : ours) {
    if (theirs.count(name) == 0) unexpected.push_back(name);
  }
  const auto expect_none = [&check](const char* field, const std::vector<std::string>& names) {
    check.Equal("state_dict", field, names.empty(), absl::StrJoin(names, ", "));
  };
  expect_none("missing", missing);
  expect_none("unexpected", unexpected);
  expect_none("other shape", unfit);
  return absl::OkStatus();
}

}  // namespace

absl::Status CatchFixture(const std::string& file, const std::function<absl::Status()>& body) {
  return CatchTorch(file, [&] {
    return CatchJson(body, [&file](absl::string_view why) {
      return InvalidArgument(file, ": ", WrongField(why));
    });
  });
}

void ReplayContext::Case(const Fixture::Entry& entry, const std::string& name, const Body& body) {
  ++replayed_;
  CaseResult& result = report_.cases.emplace_back();
  result.file = entry.file;
  result.name = name;
  result.kind = entry.kind;
  result.quirk = entry.quirk;
  Checker check(&result, &report_);
  const auto start = std::chrono::steady_clock::now();
  const absl::Status status = CatchFixture(entry.file, [&] { return body(check); });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!status.ok()) {
    result.error = std::string(status.message());
  } else if (result.checks.empty() && report_.stage.empty()) {
    result.error = "it has no output that could be compared";
  }
  // Asked for one stage, cases without a check of it only fill the table.
  if (status.ok() && result.checks.empty() && !report_.stage.empty()) report_.cases.pop_back();
}

void ReplayStateDict(ReplayContext& context, const std::string& config) {
  const absl::StatusOr<const Json*> manifest = context.fixture.Manifest(config);
  const std::string file = context.fixture.configs().at(config);
  const Fixture::Entry entry{file, config, "state_dict", config, "", {}};
  context.Case(entry, "state_dict", [&](Checker& check) -> absl::Status {
    if (!manifest.ok()) return manifest.status();
    if (*manifest == nullptr) return absl::NotFoundError("no manifest.json beside it");
    return CompareStateDict(context, config, **manifest, check);
  });
}

absl::Status CheckAllCompared(const Fixture::Entry& entry, const TensorMap& tensors,
                              const std::set<std::string>& compared) {
  std::set<std::string> recorded;
  for (const Json& output : OrNull(entry.json, "outputs")) recorded.insert(output);
  const std::string prefix = entry.name + "/";
  for (auto it = tensors.lower_bound(prefix); it != tensors.end(); ++it) {
    if (!absl::StartsWith(it->first, prefix)) break;
    recorded.insert(it->first.substr(prefix.size()));
  }
  for (const Json& input : OrNull(entry.json, "stored_inputs")) recorded.erase(input);
  std::vector<std::string> left;
  for (const std::string& field : recorded) {
    if (compared.count(field) == 0) left.push_back(field);
  }
  if (left.empty()) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "recorded, but not compared (missing in the file, or not known to this program): ",
      absl::StrJoin(left, ", ")));
}

ModelSpec SpecOf(const Fixture::Entry& entry) {
  return {entry.config, entry.json.value("config_overrides", Json::object()),
          entry.json.at("weights_seed").get<uint64_t>()};
}

Tolerance ActivationTolerance(const BackboneConfig& config) {
  return {config.d_model() > kSmallWidth ? 5e-5 : 2e-5, 0};
}

const std::vector<ReplayKind>& ReplayKinds() {
  static const auto* const kKinds = new std::vector<ReplayKind>{
      {"tokenizer", &ReplayTokenizer, {"tokenizer"}},
      {"preprocess_image", &ReplayImages, {"preprocess"}},
      {"preprocess_video", &ReplayFrameSelection, {"preprocess"}},
      {"preprocess_audio", &ReplayWaveforms, {"preprocess"}},
      {"preprocess_grounding", &ReplayGrounding, {"preprocess", "metrics"}},
      {"preprocess_text", &ReplayTaskItems, {"preprocess"}},
      {"checkpoint", &ReplayCheckpoints, {"checkpoint", "logits"}},
      {"encoder", &ReplayEncoder, {"preprocess", "encoder", "connection"}},
      {"biases", &ReplayBiases, {"embedding", "attention_bias"}},
      {"forward",
       &ReplayForward,
       {"embedding", "encoder.layer", "encoder.output", "decoder.embedding", "decoder.layer",
        "logits"}},
      {"generation", &ReplayGeneration, {"generation"}},
      {"candidate_scoring", &ReplayCandidateScoring, {"generation"}},
      {"end_to_end", &ReplayEndToEnd, {"preprocess", "generation"}},
      {"loss", &ReplayLosses, {"loss"}},
      {"loss_function", &ReplayLossFunctions, {"loss"}},
      {"training", &ReplayTraining, {"training"}},
      {"ema", &ReplayMovingAverage, {"moving_average"}},
      {"averaging", &ReplayAveraging, {"averaging"}},
      {"metrics", &ReplayMetrics, {"metrics"}},
  };
  return *kKinds;
}

}  // namespace parity
}  // namespace unival
