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

std::vector<std::string> ProgramFolders() {
  const fs::path own = UnivalProgram();
  if (own.empty()) return {};
  const fs::path folder = own.parent_path(), up = folder.parent_path();
  return {folder.string(), (up / "libexec").string(), (up / "libexec/unival").string()};
}

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

int Execute(const std::string& file, const std::vector<std::string>& arguments) {
  setenv(kProgramVariable, UnivalProgram().c_str(), 1);
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
  const absl::StatusOr<std::string> pages = ReadWholeFile(file + ".help");
  if (!pages.ok()) return "";
  const std::string text = "\n" + *pages, head = "\n" + HelpPageHead(words);
  const size_t found = text.find(head);
  if (found == std::string::npos) return "";
  const size_t begin = found + head.size(), end = text.find("\n=== ", begin);
  return text.substr(begin, end == std::string::npos ? end : end + 1 - begin);
}

std::string UnivalProgram() {
  const char* told = std::getenv(kProgramVariable);
  if (told != nullptr && IsProgram(told)) return told;
  const fs::path own = ThisProgram(), folder = own.parent_path(), up = folder.parent_path();
  if (folder.empty()) return "";
  for (const fs::path& file :
       {folder / "unival", up / "app/unival", up / "bin/unival", up.parent_path() / "bin/unival"}) {
    if (IsProgram(file.string())) return file.string();
  }
  return "";
}

}  // namespace unival
