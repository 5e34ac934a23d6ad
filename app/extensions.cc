#include "app/extensions.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "app/shipped_extensions.h"
#include "sdk/base/own_object.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr char kPrefix[] = "unival-";
constexpr char kProgramVariable[] = "UNIVAL_PROGRAM";
constexpr char kHelp[] = "help";

bool IsFile(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error);
}

bool IsProgram(const fs::path& file) { return IsFile(file) && access(file.c_str(), X_OK) == 0; }

bool IsCommandName(const std::string& name) {
  return !name.empty() && absl::ascii_isalnum(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

// Beside the program, then libexec of the built tree and of an installation. Never the current
// folder: what lies there is not ours to run.
std::vector<fs::path> Folders() {
  const fs::path own = ThisProgram();
  if (own.empty()) return {};
  const fs::path folder = own.parent_path(), up = folder.parent_path();
  return {folder, up / "libexec", up / "libexec/unival"};
}

// The first file of that name for which `fits` holds; empty: none.
std::string FindFile(const std::string& command, bool (*fits)(const fs::path&)) {
  if (!IsCommandName(command)) return "";
  for (const fs::path& folder : Folders()) {
    const fs::path file = folder / (kPrefix + command);
    if (fits(file)) return file.string();
  }
  return "";
}

// Takes this process's place; returns only when that fails.
int Execute(const std::string& file, const Words& arguments) {
  setenv(kProgramVariable, ThisProgram().c_str(), 1);
  std::vector<char*> words = {const_cast<char*>(file.c_str())};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  std::cout.flush();
  execv(file.c_str(), words.data());
  std::cerr << "unival: cannot run " << file << ": " << std::strerror(errno)
            << (errno == ENOEXEC ? "; a script begins with a line such as #!/bin/sh" : "") << "\n";
  return kFailed;
}

// The command whose program is to run; empty: the command line is for the program itself.
std::string AskedFor(const Command& program, const Words& words) {
  if (words.empty() || words[0].empty() || words[0][0] == '-') return "";
  const Command* own = program.Find(words[0]);
  if (own == nullptr) return words[0];
  if (!own->HasCommands() || words.size() < 2 || words[1].empty() || words[1][0] == '-') return "";
  return own->Find(words[1]) == nullptr ? words[0] : "";
}

// Why `unival words...` has no program to run; empty: nobody knows such a command.
std::string WhyMissing(const Command& program, const Words& words) {
  const std::string file = FindFile(words[0], &IsFile);
  if (!file.empty()) return absl::StrCat(file, " may not be executed; `chmod +x` it");
  const ShippedExtension* shipped = FindShippedExtension(words[0]);
  if (shipped == nullptr) return "";
  const bool is_own = program.Find(words[0]) != nullptr;
  const Words& added = shipped->added;
  if (is_own && std::find(added.begin(), added.end(), words[1]) == added.end()) return "";
  const std::string name = kPrefix + words[0];
  return absl::StrCat(
      "`unival ", words[0], is_own ? " " + words[1] : "", "` is the program ", name,
      ", which is neither beside this one nor in its libexec folder; in a checkout, "
      "`bazel build //libexec:",
      name, "` makes it");
}

// `unival X` is always its own command X, whatever program unival-X there is.
bool IsShadowed(const Command& program, const std::string& command) {
  const Command* own = program.Find(command);
  return command == kHelp || (own != nullptr && !own->HasCommands());
}

// A command whose own help is only a part of what it can do.
bool IsHelpOfShared(const Command& program, const Words& words) {
  if (words.size() != 2 || (words[1] != "--help" && words[1] != "-h")) return false;
  const Command* own = program.Find(words[0]);
  return own != nullptr && own->HasCommands();
}

Words Arguments(int argc, const char* const* argv) {
  Words words(argv + std::min(argc, 1), argv + argc);
  if (words.empty() || words[0] != kHelp) return words;
  while (!words.empty() && words[0] == kHelp) words.erase(words.begin());
  words.push_back("--help");
  return words;
}

}  // namespace

std::vector<Extension> FindExtensions() {
  std::map<std::string, std::string> found;
  for (const fs::path& folder : Folders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (name.rfind(kPrefix, 0) != 0) continue;
      const std::string command = name.substr(sizeof(kPrefix) - 1);
      if (IsCommandName(command) && IsProgram(entry->path()))
        found.emplace(command, entry->path().string());
    }
  }
  std::vector<Extension> extensions;
  for (const auto& [command, file] : found) extensions.push_back({command, file});
  return extensions;
}

int RunWithExtensions(Command& program, int argc, const char* const* argv) {
  const Words words = Arguments(argc, argv);
  const std::string command = AskedFor(program, words);
  const Words rest(words.begin() + std::min<size_t>(words.size(), 1), words.end());
  if (!command.empty()) {
    const std::string file = FindFile(command, &IsProgram);
    if (!file.empty()) return Execute(file, rest);
    const std::string why = WhyMissing(program, words);
    if (!why.empty()) {
      std::cerr << "unival: " << why << "\n";
      return kFailed;
    }
  }
  program.SetOtherNames([] {
    Words names = {kHelp};
    for (const Extension& extension : FindExtensions()) names.push_back(extension.command);
    for (const ShippedExtension& extension : ShippedExtensions()) {
      names.push_back(extension.command);
    }
    return names;
  });
  const int code = program.Run(words);
  if (!IsHelpOfShared(program, words)) return code;
  const std::string file = FindFile(words[0], &IsProgram);
  return file.empty() ? code : Execute(file, rest);
}

std::string DescribeExtensions(const Command& program) {
  std::string text;
  for (const Extension& extension : FindExtensions()) {
    const ShippedExtension* shipped = FindShippedExtension(extension.command);
    const std::string summary = shipped == nullptr ? extension.file : shipped->summary;
    absl::StrAppendFormat(&text, "\n  %-26s  %s%s", extension.command, summary,
                          IsShadowed(program, extension.command)
                              ? " (never run: a command of unival has this name)"
                              : "");
  }
  return text.empty() ? "" : "Programs of their own:" + text;
}

std::string UnivalProgram() {
  const char* told = std::getenv(kProgramVariable);
  if (told != nullptr && IsProgram(told)) return told;
  const fs::path folder = fs::path(ThisProgram()).parent_path(), up = folder.parent_path();
  if (folder.empty()) return "";
  for (const fs::path& file :
       {folder / "unival", up / "app/unival", up / "bin/unival", up.parent_path() / "bin/unival"}) {
    if (IsProgram(file)) return file.string();
  }
  return "";
}

}  // namespace unival
