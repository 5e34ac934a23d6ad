#include "app/program_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/extensions.h"
#include "app/library_variables.h"
#include "app/options.h"
#include "sdk/base/files.h"
#include "sdk/base/own_object.h"

namespace unival {

namespace fs = std::filesystem;

bool IsFile(const std::string& file) {
  std::error_code error;
  return fs::is_regular_file(file, error);
}

bool IsProgram(const std::string& file) { return IsFile(file) && access(file.c_str(), X_OK) == 0; }

bool IsCommandName(const std::string& name) {
  return !name.empty() && absl::ascii_isalnum(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

namespace {

// Where the `unival` that is this file looks for programs.
std::vector<std::string> FoldersOf(const fs::path& unival) {
  if (unival.empty()) return {};
  const fs::path folder = unival.parent_path(), up = folder.parent_path();
  return {folder.string(), (up / "libexec").string(), (up / "libexec/unival").string()};
}

// Whether that one would start the program `own` by its name. Links are followed.
bool WouldStart(const fs::path& unival, const fs::path& own) {
  const std::vector<std::string> folders = FoldersOf(unival);
  return std::any_of(folders.begin(), folders.end(), [&](const fs::path& folder) {
    std::error_code error;
    return fs::equivalent(folder / own.filename(), own, error);
  });
}

// As `make` decides: a page that is older than its program may be of the one that was there before.
bool IsOlder(const std::string& page, const std::string& program) {
  std::error_code page_error, program_error;
  const auto written = fs::last_write_time(page, page_error);
  const auto made = fs::last_write_time(program, program_error);
  return page_error || program_error || written < made;
}

}  // namespace

std::vector<std::string> ProgramFolders() { return FoldersOf(UnivalProgram()); }

std::string FindProgramFile(const std::string& name, bool (*fits)(const std::string&)) {
  for (const std::string& folder : ProgramFolders()) {
    const std::string file = (fs::path(folder) / name).string();
    if (fits(file)) return file;
  }
  return "";
}

std::string FindExtensionFile(const std::string& command, bool (*fits)(const std::string&)) {
  return IsCommandName(command) ? FindProgramFile(kExtensionPrefix + command, fits) : "";
}

namespace {

void SetLibraryVariables() {
  for (const LibraryVariable& variable : LibraryVariables()) {
    const bool is_decided = variable.unless != nullptr && std::getenv(variable.unless) != nullptr;
    constexpr int kUserFirst = 0;  // what is set stays
    if (*variable.value != '\0' && !is_decided) setenv(variable.name, variable.value, kUserFirst);
  }
}

}  // namespace

int Execute(const std::string& file, const std::vector<std::string>& arguments) {
  setenv(kProgramVariable, UnivalProgram().c_str(), 1);
  SetLibraryVariables();
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

std::string HelpPageHead(const std::vector<std::string>& words) {
  return absl::StrCat("=== ", absl::StrJoin(words, " "), "\n");
}

std::string HelpPage(const std::string& file, const std::vector<std::string>& words) {
  const std::string page_file = file + ".help";
  if (IsOlder(page_file, file)) return "";
  const absl::StatusOr<std::string> pages = ReadWholeFile(page_file);
  if (!pages.ok()) return "";
  const std::string text = "\n" + *pages, head = "\n" + HelpPageHead(words);
  const size_t found = text.find(head);
  if (found == std::string::npos) return "";
  const size_t begin = found + head.size(), end = text.find("\n=== ", begin);
  return text.substr(begin, end == std::string::npos ? end : end + 1 - begin);
}

std::string UnivalProgram() {
  const char* told = std::getenv(kProgramVariable);
  const fs::path own = ThisProgram(), folder = own.parent_path(), up = folder.parent_path();
  if (told != nullptr && IsProgram(told) && WouldStart(told, own)) return told;
  if (folder.empty()) return "";
  for (const fs::path& file :
       {folder / "unival", up / "app/unival", up / "bin/unival", up.parent_path() / "bin/unival"}) {
    if (IsProgram(file.string())) return file.string();
  }
  return "";
}

}  // namespace unival
