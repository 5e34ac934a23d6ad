#include "app/extensions.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "app/output.h"
#include "app/program_files.h"
#include "app/shipped.h"
#include "sdk/base/own_object.h"
#include "sdk/base/version.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr char kHelp[] = "help";
constexpr char kHelpPages[] = "--help-pages";

bool IsForBuild(int argc, const char* const* argv) {
  return argc == 2 && std::strcmp(argv[1], kHelpPages) == 0;
}

bool IsHelpOption(const std::string& word) { return word == "--help" || word == "-h"; }

// The extension whose program is to run; empty: the command line is for `program` itself.
std::string AskedFor(const Command& program, const Words& words) {
  if (words.empty() || words[0].empty() || words[0][0] == '-') return "";
  const Command* own = program.Find(words[0]);
  if (own == nullptr) return words[0];
  if (!own->HasCommands() || words.size() < 2 || words[1].empty() || words[1][0] == '-') return "";
  return own->Find(words[1]) == nullptr ? words[0] : "";
}

std::string HowToMake(const std::string& what, const std::string& program) {
  return absl::StrCat("`unival ", what, "` is the program ", program,
                      ", which is neither beside this one nor in its libexec folder; in a "
                      "checkout, `bazel build //libexec:",
                      program, " //libexec:", program, "_help` makes it");
}

std::string NotExecutable(const std::string& file) {
  return absl::StrCat(file, " may not be executed; `chmod +x` it");
}

// Why the extension for `words` cannot run; empty where no extension could be meant.
std::string WhyMissing(const Command& program, const Words& words) {
  const std::string file = FindExtensionFile(words[0], &IsFile);
  if (!file.empty()) return NotExecutable(file);
  const ShippedExtension* shipped = FindShippedExtension(words[0]);
  if (shipped == nullptr) return "";
  const bool is_own = program.Find(words[0]) != nullptr;
  const Words& added = shipped->added;
  if (is_own && std::find(added.begin(), added.end(), words[1]) == added.end()) return "";
  return HowToMake(absl::StrCat(words[0], is_own ? " " + words[1] : ""),
                   kExtensionPrefix + words[0]);
}

int Fail(const std::string& message) {
  std::cerr << "unival: " << message << "\n";
  return kFailed;
}

// `unival X` is always its own command X, whatever program unival-X there is.
bool IsShadowed(const std::string& command) {
  const ShippedCommand* own = FindShippedCommand(command);
  return command == kHelp || (own != nullptr && !own->has_commands);
}

// The list of extensions for the help of `unival`; empty when none is found. An extension that is
// never run, because a command of `unival` has its name, is listed with that reason.
std::string DescribeExtensions() {
  std::string text;
  for (const Extension& extension : FindExtensions()) {
    const ShippedExtension* shipped = FindShippedExtension(extension.command);
    const std::string summary = shipped == nullptr ? extension.file : shipped->summary;
    absl::StrAppendFormat(
        &text, "\n  %-26s  %s%s", extension.command, summary,
        IsShadowed(extension.command) ? " (never run: a command of unival has this name)" : "");
  }
  return text.empty() ? "" : "Programs of their own:" + text;
}

bool CanStart(const ShippedCommand& command) {
  return !FindProgramFile(command.program, &IsProgram).empty();
}

// Lists the commands that cannot be started because their program is missing, by program; empty
// when all programs are there.
std::string DescribeMissing() {
  std::map<std::string, Words> missing;
  for (const ShippedCommand& command : ShippedCommands()) {
    if (!CanStart(command)) missing[command.program].push_back(command.name);
  }
  for (const ShippedExtension& extension : ShippedExtensions()) {
    if (!FindExtensionFile(extension.command, &IsProgram).empty()) continue;
    Words& does = missing[kExtensionPrefix + extension.command];
    for (const std::string& added : extension.added)
      does.push_back(extension.command + " " + added);
    if (does.empty()) does.push_back(extension.command);
  }
  std::string text;
  for (const auto& [program, does] : missing)
    absl::StrAppendFormat(&text, "\n  %-26s  %s", program, absl::StrJoin(does, ", "));
  if (text.empty()) return "";
  return "Programs that are not here, and their commands; in a checkout `bazel build "
         "//libexec:NAME //libexec:NAME_help` makes one:" +
         text;
}

// The part of the help of `unival` that follows its own commands.
std::string DescribePrograms() {
  const std::string found = DescribeExtensions(), missing = DescribeMissing();
  return absl::StrCat(found, found.empty() || missing.empty() ? "" : "\n\n", missing);
}

// Brings requests for help into one form: `help X Y` and `--help X Y` become `X Y --help`, and so
// does `X help` for a command X of `unival`. Command::Run understands longer ones (`X Y help`).
Words Arguments(int argc, const char* const* argv) {
  Words words(argv + std::min(argc, 1), argv + argc);
  if (words.size() == 2 && words[1] == kHelp && FindShippedCommand(words[0]) != nullptr)
    return {words[0], "--help"};
  const bool is_in_front =
      words.size() > 1 && IsHelpOption(words[0]) && words[1].rfind('-', 0) != 0;
  if (is_in_front) std::rotate(words.begin(), words.begin() + 1, words.end());
  if (words.empty() || words[0] != kHelp) return words;
  while (!words.empty() && words[0] == kHelp) words.erase(words.begin());
  words.push_back("--help");
  return words;
}

Words Behind(const Words& words) {
  return Words(words.begin() + std::min<size_t>(words.size(), 1), words.end());
}

// The stored help page for `words`; empty where there is none, and `file` must be started to print
// it.
std::string PageOf(const std::string& file, const Words& words) {
  if (words.empty() || !IsHelpOption(words.back())) return "";
  return HelpPage(file, Words(words.begin(), words.end() - 1));
}

int Print(const std::string& page) {
  StandardOutput output;
  std::cout << page;
  const absl::Status written = output.Finish();
  return written.ok() ? kDone : Fail(std::string(written.message()));
}

int PrintOrExecute(const std::string& file, const Words& words) {
  const std::string page = PageOf(file, words);
  return page.empty() ? Execute(file, words) : Print(page);
}

// Runs the extension that `words` ask for, in place of this process. Nothing where there is no such
// extension and no error to report; then `program` handles the words.
absl::optional<int> RunExtension(const Command& program, const Words& words) {
  const std::string command = AskedFor(program, words);
  if (command.empty()) return absl::nullopt;
  const std::string file = FindExtensionFile(command, &IsProgram);
  if (!file.empty()) return PrintOrExecute(file, Behind(words));
  const std::string why = WhyMissing(program, words);
  return why.empty() ? absl::nullopt : absl::make_optional(Fail(why));
}

int RunOwn(const ShippedCommand& command, const Words& words) {
  const std::string file = FindProgramFile(command.program, &IsProgram);
  if (file.empty()) {
    const std::string found = FindProgramFile(command.program, &IsFile);
    return Fail(found.empty() ? HowToMake(command.name, command.program) : NotExecutable(found));
  }
  // Where an extension adds to a command, the program is started: then both programs print their
  // help.
  const bool is_shared = !FindExtensionFile(command.name, &IsProgram).empty();
  return is_shared && words.size() == 2 ? Execute(file, words) : PrintOrExecute(file, words);
}

Words OtherNames() {
  Words names = {kHelp};
  for (const Extension& extension : FindExtensions()) names.push_back(extension.command);
  for (const ShippedExtension& extension : ShippedExtensions()) names.push_back(extension.command);
  for (const ShippedCommand& command : ShippedCommands()) names.push_back(command.name);
  return names;
}

}  // namespace

std::vector<Extension> FindExtensions() {
  std::map<std::string, std::string> found;
  for (const std::string& folder : ProgramFolders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.rfind(kExtensionPrefix, 0) != 0) continue;
      const std::string command = name.substr(sizeof(kExtensionPrefix) - 1);
      if (IsCommandName(command) && IsProgram(entry->path().string()))
        found.emplace(command, entry->path().string());
    }
  }
  std::vector<Extension> extensions;
  for (const auto& [command, file] : found) extensions.push_back({command, file});
  return extensions;
}

int RunUnival(int argc, const char* const* argv) {
  setenv(kProgramVariable, ThisProgram().c_str(), 1);
  const Words words = Arguments(argc, argv);
  const ShippedCommand* own = words.empty() ? nullptr : FindShippedCommand(words[0]);
  if (own != nullptr) return RunOwn(*own, words);
  Command program(
      "unival",
      "UnIVAL: one encoder-decoder model for text, images, video, audio and your own modalities.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a check found a difference.");
  program.AddVersion("unival " + std::string(Version()));
  for (const ShippedCommand& command : ShippedCommands()) {
    if (CanStart(command)) program.AddCommand(command.name, command.summary);
  }
  program.SetFooter(&DescribePrograms);
  program.SetOtherNames(&OtherNames);
  const absl::optional<int> code = RunExtension(program, words);
  return code ? *code : program.Run(words);
}

int RunExtensionProgram(Command& program, int argc, const char* const* argv) {
  return IsForBuild(argc, argv) ? program.PrintHelpPages(&HelpPageHead) : program.Run(argc, argv);
}

int RunOwnCommands(Command& program, int argc, const char* const* argv) {
  const Words words = Arguments(argc, argv);
  const absl::optional<int> code = RunExtension(program, words);
  if (code) return *code;
  const int own_code =
      IsForBuild(argc, argv) ? program.PrintHelpPages(&HelpPageHead) : program.Run(words);
  if (words.size() != 2 || !IsHelpOption(words[1])) return own_code;
  const Command* own = program.Find(words[0]);
  if (own == nullptr || !own->HasCommands()) return own_code;
  const std::string file = FindExtensionFile(words[0], &IsProgram);
  return file.empty() ? own_code : Execute(file, Behind(words));
}

}  // namespace unival
