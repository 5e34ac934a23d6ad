#include "app/plugin/scaffold.h"

#include <filesystem>
#include <map>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "app/plugin/embedded_files.h"
#include "app/plugin/scaffold_kinds.h"
#include "runtime/runtime.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/files.h"
#include "sdk/base/names.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kSdkFolder[] = "unival_sdk/";

// What was asked for, found in the tables.
struct Choice {
  std::string name;
  const ScaffoldKind* kind;
  const ScaffoldVariant* variant;
  const ScaffoldTier* tier;
};

std::string KindsOf(int tier) {
  std::vector<std::string> kinds;
  for (const ScaffoldKind& kind : ScaffoldKindTable()) {
    if (FindVariant(kind, tier) != nullptr) kinds.push_back(kind.name);
  }
  return absl::StrJoin(kinds, ", ");
}

absl::StatusOr<Choice> Choose(const ScaffoldOptions& options) {
  if (!IsId(options.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin name \"", options.name, "\": expected the form ", kIdForm));
  }
  const ScaffoldKind* kind = FindScaffoldKind(options.kind);
  if (kind == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--kind ", options.kind, ": expected one of ",
                                                   absl::StrJoin(ScaffoldKinds(), ", ")));
  }
  const int number = options.tier == 0 ? kind->variants.front().tier : options.tier;
  const ScaffoldTier* tier = FindScaffoldTier(number);
  if (tier == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("--tier ", options.tier, ": expected 1, 2 or 3"));
  }
  const ScaffoldVariant* variant = FindVariant(*kind, number);
  if (variant == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("--kind ", options.kind, ": in tier ", number,
                                                   " a plugin may hold: ", KindsOf(number),
                                                   "; use tier ", kind->variants.front().tier));
  }
  return Choice{options.name, kind, variant, tier};
}

// "wind_speed" of kind "modality" -> "WindSpeedModality". With its kind behind it, no plugin's name
// makes a class that the SDK or the scaffold itself has.
std::string ClassName(const Choice& choice) {
  std::string result;
  for (absl::string_view part :
       absl::StrSplit(absl::StrCat(choice.name, "_", choice.kind->name), '_', absl::SkipEmpty())) {
    absl::StrAppend(&result, std::string(1, absl::ascii_toupper(part[0])), part.substr(1));
  }
  return result;
}

// `text` with this plugin's names: those that others hold first.
std::string Fill(const std::string& text, const Choice& choice) {
  std::string filled = absl::StrReplaceAll(text, {{"@SAMPLES@", choice.variant->text}});
  filled = absl::StrReplaceAll(filled, {{"@FILE@", choice.tier->plugin}});
  return absl::StrReplaceAll(filled, {{"@NAME@", choice.name},
                                      {"@CLASS@", ClassName(choice)},
                                      {"@KIND@", choice.kind->name},
                                      {"@TIER@", absl::StrCat(choice.tier->tier)},
                                      {"@TORCH@", HostTorchVersion()}});
}

// Internal where the program holds no such text: a row of the tables that has no file.
absl::StatusOr<std::string> TextIn(const EmbeddedFile* files, const std::string& path) {
  while (files->path != nullptr && path != files->path) ++files;
  if (files->path != nullptr) return std::string(files->text);
  return absl::InternalError(absl::StrCat("the program was built without the text ", path));
}

absl::StatusOr<std::map<std::string, std::string>> FilesOf(const Choice& choice) {
  std::map<std::string, std::string> files = choice.variant->files;
  for (const auto& [path, source] : choice.tier->files) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, TextIn(kScaffold, Fill(source, choice)));
    files[Fill(path, choice)] = Fill(text, choice);
  }
  for (const auto& [path, source] : choice.tier->sdk_files) {
    UNIVAL_ASSIGN_OR_RETURN(files[path], TextIn(kCSdk, source));
  }
  for (const EmbeddedFile* sdk : choice.tier->sdk) {
    for (; sdk->path != nullptr; ++sdk) files[absl::StrCat(kSdkFolder, sdk->path)] = sdk->text;
  }
  if (choice.kind->has_templates) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string text, TextIn(kScaffold, "templates.textproto.in"));
    files["templates.textproto"] = Fill(text, choice);
  }
  return files;
}

// "8 x 8 patches of a 64 x 64 picture" as a program.
absl::Status WriteProgram(const std::string& path) {
  return WriteTorchScript(path, {}, R"(
    def forward(self, x):
        return torch.pixel_unshuffle(x, 8).flatten(2).transpose(1, 2)
  )");
}

absl::Status WriteText(const fs::path& path, const std::string& text) {
  UNIVAL_RETURN_IF_ERROR(MakeFolders(path.parent_path().string()));
  UNIVAL_RETURN_IF_ERROR(WriteFileAtomically(path.string(), {text}));
  if (path.extension() != ".sh") return absl::OkStatus();
  std::error_code error;
  fs::permissions(path, fs::perms::owner_exec | fs::perms::group_exec, fs::perm_options::add,
                  error);
  return error ? SystemError(path.string(), "cannot be made executable", error.value())
               : absl::OkStatus();
}

absl::Status WriteAll(const Choice& choice, const fs::path& folder) {
  UNIVAL_ASSIGN_OR_RETURN(auto files, FilesOf(choice));
  if (choice.tier->has_program) {
    const std::string program = (folder / absl::StrCat(choice.name, ".pt")).string();
    UNIVAL_RETURN_IF_ERROR(WriteProgram(program));
    UNIVAL_ASSIGN_OR_RETURN(const std::string hash, Sha256HexOfFile(program));
    std::string& manifest = files[Fill(choice.tier->plugin, choice)];
    manifest = absl::StrReplaceAll(manifest, {{"@SHA256@", hash}});
  }
  for (const auto& [path, text] : files) UNIVAL_RETURN_IF_ERROR(WriteText(folder / path, text));
  return absl::OkStatus();
}

// The score of a new metric has the metric's name, and stands in one result with the counts.
absl::Status CheckScoreIsFree(const std::string& name, const std::vector<ScoreInfo>& scores) {
  bool is_taken = name == kSamplesScore || name == kFailuresScore;
  for (const ScoreInfo& score : scores) is_taken = is_taken || score.name == name;
  if (!is_taken) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("name: got \"", name, "\", a score of the program's own; choose another"));
}

// The program registers its own parts before any plugin, so a plugin with a part of the same name
// would be refused. A tokenizer with the name of a shipped one is fine: it takes the shipped one's
// place.
absl::Status CheckNameIsFree(const Choice& choice) {
  if (choice.kind->may_replace) return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create({}));
  for (const Registry::Entry& entry : runtime->registry().List()) {
    if (entry.kind != choice.kind->name || entry.type != choice.name) continue;
    return absl::AlreadyExistsError(absl::StrCat("name: got \"", choice.name, "\", a ", entry.kind,
                                                 " of the program's own (", entry.summary,
                                                 "); choose another"));
  }
  return choice.kind->has_score ? CheckScoreIsFree(choice.name, runtime->registry().scores())
                                : absl::OkStatus();
}

}  // namespace

std::vector<std::string> ScaffoldKinds() {
  std::vector<std::string> names;
  for (const ScaffoldKind& kind : ScaffoldKindTable()) names.push_back(kind.name);
  return names;
}

absl::Status WriteScaffold(const ScaffoldOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const Choice choice, Choose(options));
  UNIVAL_RETURN_IF_ERROR(CheckNameIsFree(choice));
  const fs::path folder = options.folder.empty() ? options.name : options.folder;
  if (IsThere(folder.string())) {
    return absl::AlreadyExistsError(
        absl::StrCat(folder.string(), ": is there already; give another --output"));
  }
  const fs::path staging = absl::StrCat(folder.string(), ".new");
  std::error_code error;
  fs::remove_all(staging, error);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(staging.string()));
  absl::Status status = WriteAll(choice, staging);
  if (status.ok()) {
    fs::rename(staging, folder, error);
    if (error) status = SystemError(folder.string(), "cannot be written", error.value());
  }
  if (!status.ok()) fs::remove_all(staging, error);
  return status;
}

}  // namespace unival
