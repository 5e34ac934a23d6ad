#include "training/run/run_identity.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backbone/storage/model_directory.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/json_text.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "tasks/templates/template_set.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kRunFormat[] = "unival-run/1";
constexpr char kThreads[] = "threads";
constexpr char kProcesses[] = "processes";
constexpr absl::string_view kContent = "content:", kSampled = "sampled:";

std::string ToJson(const RunIdentity& identity) {
  Json json = {{"format", kRunFormat},
               {"base_sha256", identity.base_sha256},
               {"sources", identity.sources},
               {"parts", identity.parts},
               {"plan_file", identity.plan_file},
               {"plan", identity.plan}};
  for (const EarlierPlan& plan : identity.earlier) {
    json["earlier"].push_back({{"until_step", plan.until_step}, {"plan", plan.plan}});
  }
  return JsonText(json, 1) + "\n";
}

// Of the same kind as `recorded`, so that the two can be compared. Without one, whether an index
// happens to know the content of a large tar does not matter: all processes say the same.
absl::StatusOr<std::string> IdentityOf(const Source& source, absl::string_view recorded,
                                       bool verify) {
  const bool is_new = recorded.empty();
  const bool is_sampled = absl::StartsWith(recorded, kSampled);
  const bool is_content = absl::StartsWith(recorded, kContent);
  if (!is_new && !is_sampled && !is_content) return source.fingerprint();
  UNIVAL_ASSIGN_OR_RETURN(const DataIdentity identity, source.Identity(verify || is_content));
  const bool is_whole = identity.content && (verify || *identity.content == identity.sampled);
  if (identity.content && (is_content || (is_new && is_whole))) {
    return absl::StrCat(kContent, *identity.content);
  }
  return absl::StrCat(kSampled, identity.sampled);
}

}  // namespace

absl::StatusOr<RunIdentity> ReadRunIdentity(const std::string& output) {
  const std::string file = output + "/" + kRunFile;
  UNIVAL_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(file));
  const auto not_it = [&file](absl::string_view why) {
    return InvalidArgument(file, ": not the record of a run: ", why,
                           "; restore the file, or start the run anew in another folder");
  };
  const absl::StatusOr<Json> parsed = ParseJson<Json>(text);
  if (!parsed.ok()) return not_it(parsed.status().message());
  const auto read = [&json = *parsed]() -> absl::StatusOr<RunIdentity> {
    RunIdentity identity;
    identity.plan = json.at("plan");
    identity.base_sha256 = json.at("base_sha256");
    identity.sources = json.at("sources").get<std::map<std::string, std::string>>();
    identity.parts = json.at("parts").get<std::map<std::string, std::string>>();
    if (json.contains("plan_file")) identity.plan_file = json.at("plan_file");
    for (const Json& plan : json.contains("earlier") ? json.at("earlier") : Json::array()) {
      identity.earlier.push_back(
          {plan.at("until_step").get_ref<const Json::number_integer_t&>(), plan.at("plan")});
    }
    return identity;
  };
  return CatchJson(read, not_it);
}

absl::StatusOr<RunIdentity> RecordedIdentity(const Run& run, bool has_begun) {
  if (!has_begun) return RunIdentity();
  return ReadRunIdentity(run.options.output);
}

absl::Status WriteRunIdentity(const std::string& output, const RunIdentity& identity) {
  return WriteFileAtomically(output + "/" + kRunFile, {ToJson(identity)});
}

absl::StatusOr<TrainingPlan> PlanOf(const RunIdentity& identity, const std::string& output) {
  TrainingPlan plan;
  UNIVAL_RETURN_IF_ERROR(ParseTextProto(identity.plan, output + "/" + kRunFile, &plan));
  return plan;
}

std::string RunKey(const RunIdentity& identity) {
  Sha256 hash;
  hash.UpdateField(identity.base_sha256);
  hash.UpdateField(identity.earlier.empty() ? identity.plan : identity.earlier.front().plan);
  return hash.HexDigest();
}

absl::Status CheckRunKey(const RunIdentity& identity, const RunState& state,
                         const std::string& directory) {
  const std::string key = RunKey(identity);
  if (state.run.empty() || state.run == key) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      directory, ": run: expected a checkpoint of this run, ", key, ", got one of another run, ",
      state.run, "; restore the folder, or remove it and start the run anew"));
}

IndexOptions IndexesOf(const Run& run) {
  IndexOptions index = run.options.index;
  index.is_read = index.is_read && !run.options.verify_data;
  return index;
}

absl::StatusOr<std::map<std::string, std::string>> DataIdentities(
    const Run& run, const std::map<std::string, std::string>& recorded) {
  std::map<std::string, std::string> identities;
  for (const std::vector<StageSource>& stage : run.data.stages) {
    for (const StageSource& source : stage) {
      const auto was = recorded.find(source.field);
      const std::string before = was == recorded.end() ? "" : was->second;
      absl::StatusOr<std::string> identity =
          IdentityOf(*source.source, before, run.options.verify_data);
      UNIVAL_RETURN_IF_ERROR(
          AtField(run.plan, absl::StrCat(source.field, ".path"), identity.status()));
      identities[source.field] = *std::move(identity);
    }
  }
  return identities;
}

absl::Status CheckSharedIdentity(const Run& run, const RunIdentity& now) {
  if (run.options.world == nullptr) return absl::OkStatus();
  RunIdentity shared = now;
  shared.plan_file.clear();
  shared.parts.erase(kThreads);
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> seen,
                          run.options.world->Gather(ToJson(shared)));
  const std::string& own = seen[static_cast<size_t>(run.options.world->rank())];
  if (own == seen[0]) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "expected the plan, base model, data, templates and plugins of process 0, got others; give "
      "all processes the same files and options. This process has:\n",
      own));
}

absl::Status CheckSameRun(const Run& run, const RunIdentity& recorded, const RunIdentity& now) {
  UNIVAL_ASSIGN_OR_RETURN(const TrainingPlan plan, PlanOf(recorded, run.options.output));
  UNIVAL_RETURN_IF_ERROR(
      Annotate(CheckSamePlan(plan, run.plan.proto), run.options.output, ": cannot resume"));
  if (recorded.base_sha256 != now.base_sha256) {
    return absl::FailedPreconditionError(absl::StrCat(
        run.options.output, ": cannot resume: model: expected tensors with hash ",
        recorded.base_sha256, ", got ", now.base_sha256,
        "; the model that this run started from has changed: restore it or start anew"));
  }
  for (const auto& [field, fingerprint] : now.sources) {
    auto was = recorded.sources.find(field);
    if (was != recorded.sources.end() && was->second == fingerprint) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        run.options.output, ": cannot resume: ", field, ".path: expected data with fingerprint ",
        was == recorded.sources.end() ? "(none)" : was->second, ", got ", fingerprint,
        "; the data has changed since the run began: restore it or start anew in another folder"));
  }
  const bool alone = now.parts.count(kProcesses) == 0 && recorded.parts.count(kProcesses) == 0;
  for (const auto& [part, value] : now.parts) {
    if (!alone && (part == kProcesses || part == kThreads)) continue;
    auto was = recorded.parts.find(part);
    if (was != recorded.parts.end() && was->second == value) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(run.options.output, ": cannot resume: ", part, ": expected ",
                     was == recorded.parts.end() ? "(none)" : was->second, ", got ", value,
                     "; the weights would differ: restore it or start anew in another folder"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> OtherParts(const Run& run) {
  std::map<std::string, std::string> parts;
  parts[kThreads] = absl::StrCat(run.runtime.threads());
  if (run.options.world != nullptr) parts[kProcesses] = absl::StrCat(run.options.world->size());
  for (size_t i = 0; i < run.templates.size(); ++i) {
    parts[absl::StrCat("templates[", i, "]")] = TemplateSetHash(*run.templates[i]);
  }
  const std::string tokenizer =
      run.plan.proto.has_fresh_model()
          ? JoinPath(run.plan.directory, run.plan.proto.tokenizer_directory())
          : JoinPath(JoinPath(run.plan.directory, run.plan.proto.model()),
                     run.model->manifest().tokenizer().directory());
  UNIVAL_ASSIGN_OR_RETURN(parts["tokenizer"], Sha256OfPath(tokenizer));
  for (const PluginReport& plugin : run.runtime.plugins()) {
    if (!plugin.status.ok()) continue;
    UNIVAL_ASSIGN_OR_RETURN(parts["plugin." + plugin.id], Sha256HexOfFile(plugin.file));
  }
  return parts;
}

std::string PlanFileFrom(const std::string& output, const std::string& plan_file) {
  std::error_code error;
  const fs::path plan = fs::weakly_canonical(plan_file, error);
  const fs::path folder = fs::weakly_canonical(output, error);
  return plan.lexically_relative(folder).string();
}

}  // namespace unival
