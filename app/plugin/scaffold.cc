#include "app/plugin/scaffold.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "app/plugin/embedded_files.h"
#include "runtime/runtime.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/files.h"
#include "sdk/base/names.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kSdkFolder[] = "unival_sdk/";

absl::Status Check(const ScaffoldOptions& options) {
  if (!IsId(options.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("plugin name \"", options.name, "\": expected the form ", kIdForm));
  }
  if (options.tier < 1 || options.tier > 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("--tier ", options.tier, ": expected 1, 2 or 3"));
  }
  const std::vector<std::string> kinds = ScaffoldKinds();
  if (std::find(kinds.begin(), kinds.end(), options.kind) == kinds.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--kind ", options.kind, ": expected one of ", absl::StrJoin(kinds, ", ")));
  }
  if (options.tier == 3 && options.kind != "modality") {
    return absl::InvalidArgumentError(
        absl::StrCat("--kind ", options.kind, ": tier 3 is for modalities; use tier 2"));
  }
  return absl::OkStatus();
}

// "wind_speed" of kind "modality" -> "WindSpeedModality". With its kind behind it, no plugin's name
// makes a class that the SDK or the scaffold itself has.
std::string ClassName(const ScaffoldOptions& options) {
  std::string result;
  for (absl::string_view part :
       absl::StrSplit(absl::StrCat(options.name, "_", options.kind), '_', absl::SkipEmpty())) {
    absl::StrAppend(&result, std::string(1, absl::ascii_toupper(part[0])), part.substr(1));
  }
  return result;
}

std::string PluginFile(const ScaffoldOptions& options) {
  return options.tier == 3 ? absl::StrCat(options.name, ".plugin.textproto")
                           : absl::StrCat("lib", options.name, ".so");
}

// What the README says of the media, records or texts that the check takes.
std::string SamplesText(const ScaffoldOptions& options) {
  if (options.kind == "tokenizer") {
    return "The check reads the texts in `samples/`, a line each; put lines of your own language "
           "there. Files of the\n"
           "tokenizer's own go there too.";
  }
  if (options.kind == "task") {
    return "The check reads the records in `samples/records.jsonl`; replace them by some of your "
           "own when the task takes "
           "other\ncolumns.";
  }
  if (options.tier == 2) {
    return "The check takes the files in `samples/`. They are lines of three numbers: as soon as "
           "@NAME@ reads something "
           "else,\nremove them and put two files or more of your own there. `templates.textproto` "
           "has tasks in the "
           "wording that models know.";
  }
  return "The check makes pictures and sounds of its own. For other media make a folder with the "
         "name samples here and "
         "put two\nfiles or more into it: from then on the check takes those. "
         "`templates.textproto` has tasks in the "
         "wording that models know.";
}

// A text of the scaffold with this plugin's names.
std::string Text(const std::string& path, const ScaffoldOptions& options) {
  for (const EmbeddedFile* file = kScaffold; file->path != nullptr; ++file) {
    if (path != file->path) continue;
    const std::string text = absl::StrReplaceAll(file->text, {{"@SAMPLES@", SamplesText(options)}});
    return absl::StrReplaceAll(text, {{"@NAME@", options.name},
                                      {"@CLASS@", ClassName(options)},
                                      {"@KIND@", options.kind},
                                      {"@TIER@", absl::StrCat(options.tier)},
                                      {"@FILE@", PluginFile(options)},
                                      {"@TORCH@", HostTorchVersion()}});
  }
  return "";
}

void AddSamples(const ScaffoldOptions& options, std::map<std::string, std::string>* files) {
  if (options.kind == "tokenizer")
    (*files)["samples/texts.txt"] = "a red circle\nwhat does the image describe?\n";
  if (options.kind == "task") {
    (*files)["samples/records.jsonl"] =
        "{\"question\": \"what is red?\", \"answer\": \"the circle\"}\n{\"question\": \"is it "
        "big?\", \"answer\": \"yes\"}\n";
  }
  // Generated pictures serve the other tiers.
  if (options.kind == "modality" && options.tier == 2) {
    (*files)["samples/short.csv"] = "0.5,-1,2\n1,0,0\n";
    (*files)["samples/long.csv"] = "1,2,3\n-1,0.25,0\n0,0,1\n3,2,1\n";
    (*files)["samples/one.csv"] = "-2,0.5,1\n";
  }
}

std::string SdkText(const std::string& path) {
  const EmbeddedFile* file = kCSdk;
  while (file->path != nullptr && path != file->path) ++file;
  return file->path == nullptr ? "" : file->text;
}

void AddSdk(const EmbeddedFile* sdk, std::map<std::string, std::string>* files) {
  for (; sdk->path != nullptr; ++sdk) (*files)[absl::StrCat(kSdkFolder, sdk->path)] = sdk->text;
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

absl::Status WriteAll(const ScaffoldOptions& options, const fs::path& folder) {
  UNIVAL_ASSIGN_OR_RETURN(auto files, ScaffoldFiles(options));
  if (options.tier == 3) {
    const std::string program = (folder / absl::StrCat(options.name, ".pt")).string();
    UNIVAL_RETURN_IF_ERROR(WriteProgram(program));
    UNIVAL_ASSIGN_OR_RETURN(const std::string hash, Sha256HexOfFile(program));
    std::string& manifest = files[PluginFile(options)];
    manifest = absl::StrReplaceAll(manifest, {{"@SHA256@", hash}});
  }
  for (const auto& [path, text] : files) UNIVAL_RETURN_IF_ERROR(WriteText(folder / path, text));
  return absl::OkStatus();
}

// The program registers its own modalities before any plugin, so a plugin with a modality of the
// same name would be refused. A tokenizer with the name of a shipped one is fine: it takes the
// shipped one's place.
absl::Status CheckNameIsFree(const ScaffoldOptions& options) {
  if (options.kind != "modality") return absl::OkStatus();
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create({}));
  for (const Registry::Entry& entry : runtime->registry().List()) {
    if (entry.kind != options.kind || entry.type != options.name) continue;
    return absl::AlreadyExistsError(absl::StrCat("name: got \"", options.name,
                                                 "\", a modality of the program's own (",
                                                 entry.summary, "); choose another"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> ScaffoldKinds() { return {"modality", "tokenizer", "task"}; }

absl::StatusOr<std::map<std::string, std::string>> ScaffoldFiles(const ScaffoldOptions& options) {
  UNIVAL_RETURN_IF_ERROR(Check(options));
  const std::string tier = absl::StrCat("tier", options.tier);
  std::map<std::string, std::string> files = {
      {"Makefile", Text(tier + ".Makefile.in", options)},
      {"BUILD", Text(tier + ".BUILD.in", options)},
      {"WORKSPACE", Text("WORKSPACE.in", options)},
      {options.name + "_test.sh", Text("test.sh.in", options)},
      {"README.md", Text("README.md.in", options)}};
  if (options.tier == 3) {
    files[PluginFile(options)] = Text("tier3_modality.textproto.in", options);
    files["README.md"] = Text("tier3.README.md.in", options);
    files["export.cc"] = Text("tier3_export.cc.in", options);
    files["WORKSPACE"] = Text("tier3.WORKSPACE.in", options);
    files["offline.bzl"] = SdkText("sdk/offline.bzl");
  } else {
    // Bazel would take the SDK's folder for packages of this workspace.
    files[".bazelignore"] = "unival_sdk\n";
    files[options.name + ".cc"] = Text(absl::StrCat(tier, "_", options.kind, ".cc.in"), options);
    AddSdk(kCSdk, &files);
  }
  if (options.tier == 1) AddSdk(kNativeSdk, &files);
  if (options.kind == "modality")
    files["templates.textproto"] = Text("templates.textproto.in", options);
  AddSamples(options, &files);
  return files;
}

absl::Status WriteScaffold(const ScaffoldOptions& options) {
  UNIVAL_RETURN_IF_ERROR(Check(options));
  UNIVAL_RETURN_IF_ERROR(CheckNameIsFree(options));
  std::error_code error;
  const fs::path folder = options.folder.empty() ? options.name : options.folder;
  if (fs::exists(folder, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(folder.string(), ": is there already; give another --output"));
  }
  const fs::path staging = absl::StrCat(folder.string(), ".new");
  fs::remove_all(staging, error);
  UNIVAL_RETURN_IF_ERROR(MakeFolders(staging.string()));
  absl::Status status = WriteAll(options, staging);
  if (status.ok()) {
    fs::rename(staging, folder, error);
    if (error) status = SystemError(folder.string(), "cannot be written", error.value());
  }
  if (!status.ok()) fs::remove_all(staging, error);
  return status;
}

}  // namespace unival
